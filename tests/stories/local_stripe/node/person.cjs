"use strict";
// A customer in front of the portal: reads a page's links, and posts its forms as a browser does.

const assert = require("node:assert/strict");

const CARD = {
  card_number: "5555 5555 5555 4444",
  card_expiry: "12 / 40",
  card_cvc: "123",
  name: "Ada Lovelace",
  country: "US",
  postal_code: "42424",
};

/** With a Mastercard that works. */
async function replacesTheirCard(portal) {
  await post(await link(portal, "Add a card"), CARD);
}

/** Follows the portal's link to what is due, and pays it with such a card. */
async function paysWhatIsOpen(portal) {
  await post(await link(portal, "Pay now"), CARD);
}

/** Cancels their one plan: it is too expensive. */
async function leaves(portal) {
  await post(await link(portal, "Cancel plan"), { feedback: "too_expensive" });
}

/** Where a link of the portal's home page leads to. */
async function link(portal, words) {
  const page = await (await fetch(portal)).text();
  const found = page.match(new RegExp(`href="([^"]+)"[^>]*>${words}</a>`));
  assert.ok(found, `no link ${words} on the portal`);
  return new URL(found[1].replaceAll("&amp;", "&"), portal);
}

async function post(url, fields) {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  assert.equal(answer.status, 303, url.pathname);
}

module.exports = { leaves, paysWhatIsOpen, replacesTheirCard };
