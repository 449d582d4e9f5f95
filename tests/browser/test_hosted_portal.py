"""The customer portal in a real browser: at a desk, on a phone, by keyboard, and without a script."""

from __future__ import annotations

import re

import pytest
import stripe
from playwright.sync_api import Page, expect

from tests.emulator.invoicing import customer, opened
from tests.emulator.portal import EVERYTHING, configured, session, switchable
from tests.emulator.subscribing import price, subscribed


def test_a_card_is_replaced_after_the_bank_asked(phone: Page, client: stripe.StripeClient, shop: str) -> None:
    """On a phone: declined once, refused once at the bank, then confirmed; the home page shows the new card."""
    owner = customer(client)
    phone.goto(session(client, owner, return_url=f"{shop}/account").url)
    phone.get_by_role("link", name="Add a card").click()

    phone.get_by_role("button", name="Declined").first.click()
    phone.get_by_role("button", name="Save card").click()
    expect(phone.get_by_role("alert")).to_contain_text("declined")
    for answer in ("Fail", "Complete"):
        phone.get_by_role("button", name="Asks 3-D Secure").click()
        phone.get_by_role("button", name="Save card").click()
        phone.get_by_role("button", name=answer).click()
        if answer == "Fail":
            expect(phone.get_by_role("alert")).to_contain_text("authenticate")

    expect(phone.get_by_role("status")).to_contain_text("Your card was saved")
    expect(phone.locator(".kept-row").first).to_contain_text("Visa •••• 3184 Default")
    phone.get_by_role("link", name=re.compile("Back to")).click()
    expect(phone.get_by_role("heading", name="The shop")).to_be_visible()


def test_the_portal_works_without_a_script(plain_page: Page, client: stripe.StripeClient) -> None:
    """A card by one click, another one away, the details changed."""
    owner = customer(client)
    plain_page.goto(session(client, owner).url)

    plain_page.get_by_role("link", name="Add a card").click()
    plain_page.get_by_text("More test cards").click()
    plain_page.get_by_role("button", name="Mastercard").click()
    expect(plain_page.locator(".kept-row").first).to_contain_text("Mastercard •••• 4444 Default")
    plain_page.get_by_text("Change", exact=True).click()
    plain_page.get_by_role("button", name="Remove").click()
    expect(plain_page.get_by_role("status")).to_contain_text("removed")
    plain_page.get_by_role("link", name="Edit details").click()
    plain_page.get_by_label("Email").fill("grace@example.com")
    plain_page.get_by_role("button", name="Save details").click()

    expect(plain_page.get_by_text("grace@example.com").first).to_be_visible()
    assert client.v1.customers.retrieve(owner.id).email == "grace@example.com"
    assert len(client.v1.payment_methods.list({"customer": owner.id}).data) == 1


def test_details_are_changed_by_keyboard_alone(page: Page, client: stripe.StripeClient) -> None:
    """Tab, type, Enter; a mistake takes the cursor to its field."""
    owner = customer(client)
    page.goto(session(client, owner).url)
    page.get_by_role("link", name="Edit details").focus()
    page.keyboard.press("Enter")

    page.get_by_label("Email").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("ada@")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("countess@example.com")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("saved")
    assert client.v1.customers.retrieve(owner.id).email == "countess@example.com"


def test_an_invoice_is_a_click_away(page: Page, client: stripe.StripeClient) -> None:
    """One that is due is paid on its own page."""
    owner = customer(client)
    invoice = opened(client, owner, 1500)
    page.goto(session(client, owner).url)

    page.get_by_role("link", name=f"Pay invoice {invoice.number}").click()

    expect(page.get_by_role("button", name="Pay $15.00")).to_be_visible()


def test_a_plan_is_changed_with_its_cost_in_sight(page: Page, client: stripe.StripeClient) -> None:
    """Chosen, seen, confirmed; the home page shows the new plan."""
    owner, pro = customer(client), price(client, 5000)
    basic = price(client, 1000, product_data={"name": "Basic"})
    subscribed(client, owner, basic)
    features = switchable(pro, proration_behavior="always_invoice")
    page.goto(session(client, owner, configuration=configured(client, features)).url)

    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("radio", name="Pro").check()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Remaining time on 2 × Pro")).to_be_visible()
    page.get_by_role("button", name=re.compile("Pay .* and change")).click()

    expect(page.get_by_role("status")).to_contain_text("Your plan was changed.")
    expect(page.get_by_role("region", name="Pro × 2")).to_contain_text("$100.00 per month")


def test_a_customer_leaves_and_changes_their_mind_on_a_phone(phone: Page, client: stripe.StripeClient) -> None:
    """Two presses to leave, one to stay."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    reason = {"enabled": True, "options": ["too_expensive", "other"]}
    features = EVERYTHING | {"subscription_cancel": {"enabled": True, "cancellation_reason": reason}}
    phone.goto(session(client, owner, configuration=configured(client, features)).url)

    phone.get_by_role("link", name="Cancel plan").click()
    phone.get_by_label("too expensive").check()
    phone.get_by_label("Anything else?").fill("It was nice")
    phone.get_by_role("button", name="Cancel plan").click()
    expect(phone.get_by_text("Ends on")).to_be_visible()
    left = client.v1.subscriptions.retrieve(subscription.id)
    phone.get_by_role("button", name="Don’t cancel").click()

    expect(phone.get_by_text("Renews on")).to_be_visible()
    assert left.cancellation_details is not None
    assert (left.cancellation_details.feedback, left.cancellation_details.comment) == ("too_expensive", "It was nice")
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at is None


def test_a_plan_is_changed_without_a_script_after_the_bank_asked(plain_page: Page, client: stripe.StripeClient) -> None:
    """The bank's page is in between: the plan is the new one when the customer is back."""
    owner = customer(client)
    plain, pro = price(client, 0, product_data={"name": "Free"}), price(client, 5000)
    subscribed(client, owner, plain)
    features = switchable(pro, proration_behavior="always_invoice")
    plain_page.goto(session(client, owner, configuration=configured(client, features)).url)

    plain_page.get_by_role("link", name="Add a card").click()
    plain_page.get_by_role("button", name="Asks 3-D Secure").click()
    plain_page.get_by_role("button", name="Complete").click()
    plain_page.get_by_role("link", name="Change plan").click()
    plain_page.get_by_role("radio", name="Pro").check()
    plain_page.get_by_role("button", name="Continue").click()
    plain_page.get_by_role("button", name=re.compile("Pay .* and change")).click()
    plain_page.get_by_role("button", name="Complete").click()

    expect(plain_page.get_by_role("status")).to_contain_text("Your plan was changed.")
    expect(plain_page.get_by_role("region", name="Pro")).to_contain_text("$50.00 per month")


@pytest.mark.parametrize("place", ["", "/card", "/details", "/invoices", "/update", "/cancel"])
def test_nothing_is_wider_than_a_phone(phone: Page, client: stripe.StripeClient, place: str) -> None:
    """However long the names are."""
    long = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
    owner = customer(client, name=long, address={"line1": long, "city": long, "country": "GB"}, email=f"{long}@x.co.uk")
    opened(client, owner, 99999999)
    offered = price(client, 99999999, product_data={"name": long})
    subscription = subscribed(client, owner, offered)
    at = session(client, owner, configuration=configured(client, switchable(offered)))
    phone.goto(f"{at.url}{place}?subscription={subscription.id}")

    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
