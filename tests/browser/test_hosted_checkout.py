"""The payment page in a real browser: every way a customer goes through it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from tests.emulator.receiver import Answer, Receiver

DECLINED = "Your credit card was declined. Try paying with a debit card instead."
NO_FUNDS = "Your credit card was declined because of insufficient funds. Try paying with a debit card instead."
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


@pytest.fixture
def session(client: stripe.StripeClient, shop: str) -> stripe.checkout.Session:
    """An order of $45.50 that waits for its payment."""
    return opened(client, shop)


def opened(client: stripe.StripeClient, shop: str, **more: Any) -> stripe.checkout.Session:
    """An order of $45.50, or what else is asked for."""
    wanted = {
        "mode": "payment",
        "line_items": [line("Field journal", 1900, 2), line("Pencils", 750)],
        "success_url": f"{shop}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{shop}/pricing",
        **more,
    }
    given: Any = {name: value for name, value in wanted.items() if value is not None}
    return client.v1.checkout.sessions.create(given)


def line(name: str, amount: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line item that describes its price."""
    priced = {"currency": "usd", "unit_amount": amount, "product_data": {"name": name}}
    return {"price_data": priced, "quantity": quantity, **more}


def url(session: stripe.checkout.Session) -> str:
    """Where the session can be paid."""
    assert session.url is not None
    return session.url


def fill(page: Page, number: str) -> None:
    """Type everything the form asks for, as a person would."""
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_label("Card number").press_sequentially(number)
    page.get_by_label("Expiry").press_sequentially("1234")
    page.get_by_label("Security code").press_sequentially("123")
    page.get_by_label("Name on card").fill("Grace Hopper")
    page.get_by_label("ZIP or postal code").fill("10001")


def pay(page: Page) -> None:
    """Press the button."""
    page.locator("#pay").click()


def landed(page: Page, session: stripe.checkout.Session) -> None:
    """The browser is back at the shop, which is told which session it was."""
    page.wait_for_url(f"**/thanks?session_id={session.id}")


def state(client: stripe.StripeClient, session: stripe.checkout.Session) -> tuple[str | None, str]:
    """The session's status and payment status."""
    read = client.v1.checkout.sessions.retrieve(session.id)
    return read.status, read.payment_status


def charges(client: stripe.StripeClient) -> list[str]:
    """How each charge of the sandbox ended, oldest first."""
    return [charge.status for charge in reversed(client.v1.charges.list().data)]


def test_a_card_that_works_pays_the_order(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """4242…: the order summary, a form, one press, back at the shop."""
    page.goto(url(session))
    expect(page.get_by_text("Field journal")).to_be_visible()
    expect(page.get_by_text("Qty 2 · $19.00 each")).to_be_visible()

    fill(page, "4242424242424242")
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    expect(page.get_by_label("Expiry")).to_have_value("12 / 34")
    pay(page)

    landed(page, session)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (paid.status, paid.payment_status, paid.url, paid.customer) == ("complete", "paid", None, None)
    assert paid.customer_details is not None
    assert (paid.customer_details.email, paid.customer_details.name) == ("grace@example.com", "Grace Hopper")
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert isinstance(paid.payment_intent.latest_charge, stripe.Charge)
    assert paid.payment_intent.latest_charge.amount == 4550


@pytest.mark.parametrize(("ending", "sentence"), [("0002", DECLINED), ("9995", NO_FUNDS)])
def test_a_declined_card_leaves_the_page_open(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session, ending: str, sentence: str
) -> None:
    """The bank's answer in plain words; what was typed stays, the card does not."""
    page.goto(url(session))

    fill(page, "400000000000" + ending)
    pay(page)

    expect(page.get_by_role("alert")).to_have_text(sentence)
    expect(page.get_by_label("Email")).to_have_value("grace@example.com")
    expect(page.get_by_label("Name on card")).to_have_value("Grace Hopper")
    for gone in ("Card number", "Expiry", "Security code"):
        expect(page.get_by_label(gone)).to_have_value("")
    assert ending not in page.get_by_role("region", name="Payment").locator("input").evaluate_all(
        "inputs => inputs.map((input) => input.value).join()"
    )
    assert state(client, session) == ("open", "unpaid")
    assert charges(client) == ["failed"]


def test_another_card_after_a_decline_pays_with_the_same_intent(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """One order, one payment intent, however many tries it takes."""
    page.goto(url(session))
    page.get_by_role("button", name="Declined").click()
    pay(page)
    expect(page.get_by_role("alert")).to_have_text(DECLINED)
    tried = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    page.get_by_role("button", name="Succeeds").click()
    pay(page)

    landed(page, session)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent == tried
    assert len(client.v1.payment_intents.list().data) == 1
    assert charges(client) == ["failed", "succeeded"]


def test_3d_secure_passed_pays_the_order(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """4000 0027 6000 3184: the bank asks, the customer agrees."""
    page.goto(url(session))
    fill(page, "4000002760003184")
    pay(page)
    page.wait_for_url("**/3d_secure_2/hosted*")
    assert state(client, session) == ("open", "unpaid")
    expect(page.get_by_text("$45.50")).to_be_visible()

    page.locator("[id*=test-source-authorize]").click()

    landed(page, session)
    assert state(client, session) == ("complete", "paid")
    assert charges(client) == ["succeeded"]


@pytest.mark.parametrize("answer", ["Fail", "Cancel"])
def test_3d_secure_not_passed_leads_back_to_the_form(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session, answer: str
) -> None:
    """Nothing was charged; what was typed is still there, and another card can be tried."""
    page.goto(url(session))
    fill(page, "4000002760003184")
    pay(page)

    page.get_by_role("button", name=answer).click()

    expect(page.get_by_role("alert")).to_have_text(NOT_AUTHENTICATED)
    expect(page.get_by_label("Email")).to_have_value("grace@example.com")
    assert charges(client) == []
    page.get_by_role("button", name="Succeeds").click()
    pay(page)
    landed(page, session)
    assert charges(client) == ["succeeded"]


def test_a_double_click_pays_once_and_shows_that_it_works(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session, receiver: Receiver
) -> None:
    """The button says so while the shop is told, and takes no second press."""
    may_answer = threading.Event()
    receiver.answer = lambda received: Answer(when=may_answer)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["checkout.session.completed"]})
    page.goto(url(session))
    page.get_by_role("button", name="Succeeds").click()

    said: list[str] = []
    page.expose_function("say", lambda words: said.append(words))
    page.evaluate(
        """() => {
            const pay = document.getElementById("pay");
            const say = () => window.say(`${pay.innerText} ${pay.getAttribute("aria-disabled")}`);
            new MutationObserver(say).observe(pay, { attributes: true, childList: true, subtree: true });
        }"""
    )

    page.locator("#pay").dblclick(no_wait_after=True)

    receiver.wait_for(1)
    assert state(client, session) == ("complete", "paid")
    may_answer.set()
    landed(page, session)
    assert said[0] == "Processing… true"
    assert charges(client) == ["succeeded"]


def test_the_page_can_be_used_by_keyboard_alone(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """Tab goes through it in the order it is read; Enter in a field pays, and presses no test card."""
    page.goto(url(session))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Back to")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "email":
            break
    for text in ("grace@example.com", "4242424242424242", "1234", "123", "Grace Hopper"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.get_by_label("Country")).to_be_focused()
    page.keyboard.type("Ger")
    page.keyboard.press("Tab")
    page.keyboard.type("10115")

    page.keyboard.press("Enter")

    landed(page, session)
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer_details is not None
    assert (paid.customer_details.name, paid.customer_details.email) == ("Grace Hopper", "grace@example.com")
    assert paid.customer_details.address is not None
    assert (paid.customer_details.address.country, paid.customer_details.address.postal_code) == ("DE", "10115")


def test_the_page_works_without_javascript(
    plain_page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """One click on a test card sends it; the bank's page is a form too."""
    plain_page.goto(url(session))
    plain_page.get_by_role("button", name="Declined").click()
    expect(plain_page.get_by_role("alert")).to_have_text(DECLINED)

    plain_page.get_by_role("button", name="Asks 3-D Secure").click()
    plain_page.get_by_role("button", name="Complete").click()

    landed(plain_page, session)
    assert state(client, session) == ("complete", "paid")


def test_the_page_fits_a_phone(phone: Page, client: stripe.StripeClient, shop: str) -> None:
    """One column, nothing beyond the edge, digits on the keyboard, however long the names are."""
    session = opened(client, shop, line_items=[line("Donaudampfschifffahrtsgesellschaftskapitän " * 4, 1900)])
    phone.goto(url(session))
    width, order, form = phone.evaluate(
        """() => [document.documentElement.scrollWidth,
                  document.querySelector('.stub').getBoundingClientRect().bottom,
                  document.querySelector('.counter').getBoundingClientRect().top]"""
    )
    assert width <= 390
    assert order <= form + 1
    expect(phone.get_by_label("Card number")).to_have_attribute("inputmode", "numeric")

    phone.get_by_role("button", name="Succeeds").tap()
    phone.locator("#pay").tap()

    landed(phone, session)


def test_what_is_wrong_is_said_at_its_field(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """Every field at once, tied to its message, the first one in focus; no bank was asked."""
    page.goto(url(session))
    page.get_by_label("Email").fill("grace@")
    page.get_by_label("Card number").fill("4242424242424241")
    page.get_by_label("Expiry").fill("1220")
    page.get_by_label("Name on card").fill("Grace Hopper")

    pay(page)

    expect(page.get_by_label("Email")).to_be_focused()
    for label, message in {
        "Email": "Your email address is incomplete.",
        "Card number": "Your card number is invalid.",
        "Expiry": "Your card's expiration date is in the past.",
        "Security code": "Your card's security code is incomplete.",
        "ZIP or postal code": "Enter your ZIP code.",
    }.items():
        field = page.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(message)
    assert client.v1.payment_intents.list().data == []


def test_the_customer_can_change_quantities(page: Page, client: stripe.StripeClient, shop: str) -> None:
    """Within the seller's limits; what was typed stays, and the new total is what is paid."""
    adjustable = {"enabled": True, "minimum": 1, "maximum": 3}
    session = opened(client, shop, line_items=[line("Field journal", 1900, 2, adjustable_quantity=adjustable)])
    page.goto(url(session))
    page.get_by_label("Email").fill("grace@example.com")

    page.get_by_role("button", name="One more").click()
    expect(page.locator("#pay")).to_have_text("Pay $57.00")
    expect(page.get_by_role("button", name="One more")).to_be_disabled()
    expect(page.get_by_label("Email")).to_have_value("grace@example.com")
    page.get_by_role("button", name="Succeeds").click()
    pay(page)

    landed(page, session)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent", "line_items"]})
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert (paid.amount_total, paid.payment_intent.amount_received) == (5700, 5700)
    assert paid.line_items is not None
    assert paid.line_items.data[0].quantity == 3


def test_a_card_can_be_saved_without_paying(page: Page, client: stripe.StripeClient, shop: str) -> None:
    """Setup mode: no amounts, the customer's own e-mail, the card is theirs afterwards."""
    customer = client.v1.customers.create({"email": "ada@example.com"})
    session = opened(client, shop, mode="setup", currency="usd", customer=customer.id, line_items=None)
    page.goto(url(session))
    expect(page.get_by_text("ada@example.com")).to_be_visible()

    page.get_by_role("button", name="Succeeds").click()
    page.get_by_role("button", name="Save card").click()

    landed(page, session)
    assert state(client, session) == ("complete", "no_payment_required")
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    assert card.card is not None
    assert card.card.last4 == "4242"


def test_the_back_link_leads_to_the_shop_and_changes_nothing(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """The same address can be opened again."""
    page.goto(url(session))
    page.get_by_role("link", name="Back to").click()
    page.wait_for_url("**/pricing")

    page.goto(url(session))

    expect(page.locator("#pay")).to_have_text("Pay $45.50")
    assert state(client, session) == ("open", "unpaid")


def test_a_paid_session_says_so(page: Page, session: stripe.checkout.Session) -> None:
    """Whoever opens the address again cannot pay twice."""
    page.goto(url(session))
    page.get_by_role("button", name="Succeeds").click()
    pay(page)
    landed(page, session)

    page.goto(url(session))

    expect(page.get_by_role("heading")).to_have_text("This order was already paid")
    expect(page.get_by_role("button")).to_have_count(0)


def test_an_expired_session_says_so(page: Page, client: stripe.StripeClient, session: stripe.checkout.Session) -> None:
    """Expiring does not change an open page until the customer submits."""
    page.goto(url(session))
    client.v1.checkout.sessions.expire(session.id)

    page.get_by_role("button", name="Succeeds").click()
    pay(page)

    expect(page.get_by_role("heading")).to_have_text("This page has timed out")
    page.get_by_role("link", name="Back to").click()
    page.wait_for_url("**/pricing")
    assert client.v1.payment_intents.list().data == []
