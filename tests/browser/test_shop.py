"""The whole way in a real browser: from the shop's button, over the payment page, to the thing on the shelf."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.flarex import Flarex
from tests.waiting import until

if TYPE_CHECKING:
    import stripe

DECLINED = "Your credit card was declined. Try paying with a debit card instead."
NO_FUNDS = "Your credit card was declined because of insufficient funds. Try paying with a debit card instead."
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)

on_sqlite = pytest.mark.parametrize("flarex", ["sqlite"], indirect=True)


def sign_in(page: Page, flarex: Flarex) -> str:
    """Come into the shop under a name nobody had before; answers it."""
    name = f"grace-{secrets.token_hex(4)}"
    page.goto(flarex.url)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("nothing yet")).to_be_visible()
    return name


def choose_ebook(page: Page) -> None:
    """From the shelf to the payment page."""
    page.get_by_role("link", name="Buy something").click()
    ware(page, "The little book of webhooks").get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/c/pay/**")


def ware(page: Page, name: str) -> Any:
    """A product on the pricing page."""
    return page.get_by_role("listitem").filter(has_text=name)


def fill(page: Page, number: str) -> None:
    """Type what the form asks for of somebody whose e-mail the shop has said."""
    page.get_by_label("Card number").press_sequentially(number)
    page.get_by_label("Expiry").press_sequentially("1234")
    page.get_by_label("Security code").press_sequentially("123")
    page.get_by_label("Name on card").fill("Grace Hopper")
    page.get_by_label("ZIP or postal code").fill("10001")


def pay(page: Page) -> None:
    """Press the button."""
    page.locator("#pay").click()


def order_of(flarex: Flarex, name: str) -> dict[str, Any]:
    """The only order of that user."""
    (order,) = flarex.rows(flarex.tables.orders, user_id=name)
    return order


def charges(flarex: Flarex, order: dict[str, Any]) -> list[stripe.Charge]:
    """Every charge that was tried for the order."""
    session = flarex.client.v1.checkout.sessions.retrieve(order["session_id"])
    if session.payment_intent is None:
        return []
    return flarex.client.v1.charges.list({"payment_intent": str(session.payment_intent)}).data


def is_delivered(page: Page, flarex: Flarex, name: str) -> None:
    """Thanked for, on the shelf once, paid in the ledger, charged once."""
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    assert page.url.startswith(f"{flarex.url}/thanks?session_id=cs_test_")
    until(lambda: flarex.shelf_of(name) == ["yours"], "the e-book on the shelf")
    page.goto(flarex.url)
    expect(page.get_by_role("listitem")).to_have_text(re.compile("ebook"))
    order = order_of(flarex, name)
    assert (order["status"], order["amount_minor"], order["currency"]) == ("paid", 1900, "usd")
    assert [charge.amount for charge in charges(flarex, order) if charge.paid] == [1900]


def is_waiting(flarex: Flarex, name: str) -> None:
    """Nothing was paid, nothing delivered; the order waits."""
    order = order_of(flarex, name)
    assert order["status"] == "pending"
    assert flarex.shelf_of(name) == []
    assert [charge for charge in charges(flarex, order) if charge.paid] == []


def test_4242_from_the_button_to_the_shelf(page: Page, flarex: Flarex) -> None:
    """The card that always succeeds."""
    name = sign_in(page, flarex)
    choose_ebook(page)
    expect(page.get_by_text(f"{name}@example.com")).to_be_visible()

    fill(page, "4242424242424242")
    pay(page)

    is_delivered(page, flarex, name)


@pytest.mark.parametrize(("ending", "sentence"), [("0002", DECLINED), ("9995", NO_FUNDS)], ids=["0002", "9995"])
def test_a_declined_card_delivers_nothing_and_another_one_pays(
    page: Page, flarex: Flarex, ending: str, sentence: str
) -> None:
    """0002 and 9995: the page says why, the order waits, and a good card pays that very order."""
    name = sign_in(page, flarex)
    choose_ebook(page)

    fill(page, f"400000000000{ending}")
    pay(page)

    expect(page.get_by_role("alert")).to_have_text(sentence)
    is_waiting(flarex, name)

    fill(page, "4242424242424242")
    pay(page)
    is_delivered(page, flarex, name)


def test_3184_passed_reaches_the_shelf(page: Page, flarex: Flarex) -> None:
    """The bank asks, the customer agrees."""
    name = sign_in(page, flarex)
    choose_ebook(page)

    fill(page, "4000002760003184")
    pay(page)
    page.wait_for_url("**/3d_secure_2/hosted*")
    is_waiting(flarex, name)
    page.get_by_role("button", name="Complete").click()

    is_delivered(page, flarex, name)


def test_3184_failed_delivers_nothing(page: Page, flarex: Flarex) -> None:
    """The bank asks, the customer does not pass; going back to the shop leaves everything as it was."""
    name = sign_in(page, flarex)
    choose_ebook(page)

    fill(page, "4000002760003184")
    pay(page)
    page.get_by_role("button", name="Fail").click()

    expect(page.get_by_role("alert")).to_have_text(NOT_AUTHENTICATED)
    is_waiting(flarex, name)
    page.get_by_role("link", name="Back to").click()
    page.wait_for_url("**/pricing")
    is_waiting(flarex, name)


@on_sqlite
def test_a_guest_buys_without_an_account(page: Page, flarex: Flarex) -> None:
    """The payment page asks for the e-mail, and what was bought is that address's."""
    email = f"guest-{secrets.token_hex(4)}@example.com"
    page.goto(f"{flarex.url}/pricing")
    ware(page, "The little book of webhooks").get_by_role("button", name="Buy now").click()

    page.get_by_label("Email").fill(email)
    fill(page, "4242424242424242")
    pay(page)

    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    expect(page.get_by_text(email)).to_be_visible()
    until(lambda: flarex.shelf_of(email) == ["yours"], "the e-book on the shelf")
    (order,) = flarex.rows(flarex.tables.orders, email=email)
    assert (order["status"], order["user_id"], order["customer_id"]) == ("paid", None, None)


@on_sqlite
def test_three_posters_are_one_order(page: Page, flarex: Flarex) -> None:
    """The quantity that was typed is what is paid and thanked for."""
    name = sign_in(page, flarex)
    page.get_by_role("link", name="Buy something").click()
    poster = ware(page, "Poster: the life of a payment")
    poster.get_by_label("Quantity").fill("3")
    poster.get_by_role("button", name="Buy now").click()

    expect(page.locator("#pay")).to_have_text("Pay $73.50")
    fill(page, "4242424242424242")
    pay(page)

    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    expect(page.get_by_text("Poster: the life of a payment × 3")).to_be_visible()
    expect(page.get_by_text("$73.50")).to_be_visible()
    until(lambda: flarex.shelf_of(name) == ["yours"], "the posters on the shelf")
    order = order_of(flarex, name)
    assert (order["sku"], order["quantity"], order["amount_minor"]) == ("poster", 3, 7350)


@on_sqlite
def test_somebody_who_changes_their_mind_is_back_at_the_prices(page: Page, flarex: Flarex) -> None:
    """The payment page's way back; the order can be paid later from the same address."""
    name = sign_in(page, flarex)
    choose_ebook(page)
    payment_page = page.url

    page.get_by_role("link", name="Back to").click()

    page.wait_for_url(f"{flarex.url}/pricing")
    is_waiting(flarex, name)
    page.goto(f"{flarex.url}/thanks?session_id={order_of(flarex, name)['session_id']}")
    expect(page.get_by_role("heading", name="Not paid yet")).to_be_visible()
    page.get_by_role("link", name="Finish paying").click()
    page.wait_for_url(payment_page)
    fill(page, "4242424242424242")
    pay(page)
    is_delivered(page, flarex, name)


@on_sqlite
def test_the_whole_way_fits_a_phone(phone: Page, flarex: Flarex) -> None:
    """No page is wider than the screen, and fingers find the buttons."""
    name = sign_in(phone, flarex)

    def fits(address: str) -> None:
        phone.wait_for_url(address)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    phone.get_by_role("link", name="Buy something").tap()
    fits("**/pricing")
    ware(phone, "The little book of webhooks").get_by_role("button", name="Buy now").tap()
    fits("**/c/pay/**")
    phone.get_by_role("button", name="Succeeds").tap()
    phone.locator("#pay").tap()
    fits("**/thanks?session_id=*")

    is_delivered(phone, flarex, name)


@on_sqlite
def test_the_whole_way_works_without_javascript(plain_page: Page, flarex: Flarex) -> None:
    """Forms and links, from the sign-in to the shelf."""
    name = sign_in(plain_page, flarex)
    choose_ebook(plain_page)

    plain_page.get_by_role("button", name="Asks 3-D Secure").click()
    plain_page.get_by_role("button", name="Complete").click()

    is_delivered(plain_page, flarex, name)
