"use strict";
// Niceties only: the page does everything without this.
(() => {
  const form = document.querySelector("form[data-pay]");
  if (!form) return;
  const field = (name) => form.elements.namedItem(name);
  const digits = (text) => text.replace(/[^0-9]/g, "");

  const grouped = (number) =>
    /^3[47]/.test(number)
      ? [number.slice(0, 4), number.slice(4, 10), number.slice(10, 15)].filter(Boolean).join(" ")
      : (number.slice(0, 19).match(/.{1,4}/g) || []).join(" ");

  const expiry = (text, grew) => {
    let run = digits(text).slice(0, 4);
    if (run.length === 1 && run > "1") run = "0" + run;
    return run.length > 2 || (run.length === 2 && grew) ? run.slice(0, 2) + " / " + run.slice(2) : run;
  };

  // The caret stays behind the digit it was behind.
  const keepShape = (input, shape) => {
    if (!input) return;
    let before = input.value;
    input.addEventListener("input", () => {
      const caret = digits(input.value.slice(0, input.selectionStart)).length;
      const atEnd = input.selectionStart === input.value.length;
      input.value = shape(input.value, input.value.length > before.length);
      before = input.value;
      let place = input.value.length;
      if (!atEnd) {
        place = 0;
        for (let seen = 0; place < input.value.length && seen < caret; place += 1) if (/[0-9]/.test(input.value[place])) seen += 1;
      }
      input.setSelectionRange(place, place);
    });
  };
  keepShape(field("card_number"), (text) => grouped(digits(text)));
  // 12/2034 pasted or filled in by the browser is taken as it is.
  keepShape(field("card_expiry"), (text, grew) => (/^\d{1,2}\s*[/-]\s*\d{4}$/.test(text) ? text : expiry(text, grew)));
  keepShape(field("card_cvc"), (text) => digits(text).slice(0, 4));

  form.addEventListener("input", (event) => {
    const input = event.target;
    if (!input.hasAttribute || !input.hasAttribute("aria-invalid")) return;
    input.removeAttribute("aria-invalid");
    const wrong = document.getElementById(input.name + "-wrong");
    if (wrong) wrong.remove();
  });

  // With a script, a test card fills the form in; without one, it also sends it.
  const hint = document.querySelector("[data-tests-hint]");
  if (hint) hint.textContent = hint.dataset.testsHint;
  for (const chip of form.querySelectorAll("button[name=test_card]")) {
    chip.addEventListener("click", (event) => {
      event.preventDefault();
      const fill = (name, value, always) => {
        const input = field(name);
        if (!input || (input.value && !always)) return;
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      };
      const another = form.querySelector('input[name=saved_card][value=""]');
      if (another) another.checked = true;
      fill("card_number", grouped(chip.value), true);
      fill("card_expiry", chip.dataset.expiry, true);
      fill("card_cvc", chip.dataset.cvc, true);
      fill("email", chip.dataset.email);
      fill("name", chip.dataset.name);
      fill("postal_code", chip.dataset.postalCode);
      document.getElementById("pay").focus();
    });
  }

  const pay = document.getElementById("pay");
  const label = pay && pay.querySelector("[data-label]");
  const resting = label && label.textContent;
  let sent = false;
  const rest = () => {
    sent = false;
    if (!pay) return;
    pay.removeAttribute("aria-disabled");
    label.textContent = resting;
  };
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    if (!pay) return;
    if (event.submitter && ["change", "promotion"].includes(event.submitter.name)) return;
    pay.setAttribute("aria-disabled", "true");
    label.textContent = pay.dataset.busy;
  });
  window.addEventListener("pageshow", rest);

  const alert = document.querySelector("[role=alert][tabindex]");
  if (alert) alert.focus();
})();
