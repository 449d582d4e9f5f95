"""A promotion code in a real browser, with and without a script."""

from __future__ import annotations

import pytest
import stripe
from playwright.sync_api import Page, expect

from tests.browser.test_hosted_checkout import fill, opened, url


@pytest.fixture
def session(client: stripe.StripeClient, shop: str) -> stripe.checkout.Session:
    """An order of $45.50 whose page asks for a code, and two codes to try."""
    for code, percent_off in (("TENTH", 10), ("FREE", 100)):
        coupon = client.v1.coupons.create({"percent_off": percent_off}).id
        client.v1.promotion_codes.create({"code": code, "promotion": {"type": "coupon", "coupon": coupon}})
    return opened(client, shop, allow_promotion_codes=True)


def test_a_code_makes_the_order_cheaper(phone: Page, session: stripe.checkout.Session) -> None:
    """On a phone: Enter in the field applies it, and the payment is of the new total."""
    phone.goto(url(session))
    phone.get_by_label("Promotion code").fill("nonsense")
    phone.get_by_role("button", name="Apply").click()
    expect(phone.get_by_text("This code is not valid.")).to_be_visible()

    phone.get_by_label("Promotion code").fill("tenth")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("−$4.55")).to_be_visible()
    fill(phone, "4242424242424242")
    phone.get_by_role("button", name="Pay $40.95").click()

    phone.wait_for_url("**/thanks?session_id=*")


def test_a_code_works_without_a_script(plain_page: Page, session: stripe.checkout.Session) -> None:
    """Taken back, and another one that leaves nothing to pay: then no card is asked for."""
    plain_page.goto(url(session))
    plain_page.get_by_label("Promotion code").fill("TENTH")
    plain_page.get_by_role("button", name="Apply").click()
    plain_page.get_by_role("button", name="Remove TENTH").click()
    expect(plain_page.get_by_role("button", name="Pay $45.50")).to_be_visible()

    plain_page.get_by_label("Promotion code").fill("FREE")
    plain_page.get_by_role("button", name="Apply").click()
    expect(plain_page.get_by_label("Card number")).to_have_count(0)
    plain_page.get_by_label("Email").fill("grace@example.com")
    plain_page.get_by_role("button", name="Complete order").click()

    plain_page.wait_for_url("**/thanks?session_id=*")
