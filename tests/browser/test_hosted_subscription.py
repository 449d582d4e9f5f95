"""Subscribing in a real browser: the cards of the seed, a trial, and a promotion code."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from tests.browser.test_hosted_checkout import DECLINED, NO_FUNDS, NOT_AUTHENTICATED, fill, landed, pay, url


@pytest.fixture
def session(client: stripe.StripeClient, shop: str) -> stripe.checkout.Session:
    """A plan of $25.00 a month that waits for somebody."""
    return opened(client, shop)


def opened(client: stripe.StripeClient, shop: str, **more: Any) -> stripe.checkout.Session:
    """A plan of $25.00 a month, on these terms."""
    priced = {
        "currency": "usd",
        "unit_amount": 2500,
        "product_data": {"name": "Pro"},
        "recurring": {"interval": "month"},
    }
    given: Any = {
        "mode": "subscription",
        "line_items": [{"price_data": priced, "quantity": 1}],
        "success_url": f"{shop}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{shop}/pricing",
        **more,
    }
    return client.v1.checkout.sessions.create(given)


def statuses(client: stripe.StripeClient) -> list[str]:
    """How each subscription of the sandbox stands."""
    return [subscription.status for subscription in client.v1.subscriptions.list().data]


def test_a_card_that_works_subscribes(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    """4242…: the plan and its rhythm, a form, one press, back at the shop."""
    page.goto(url(session))
    expect(page.get_by_role("heading", name="Subscribe to Pro")).to_be_visible()
    expect(page.get_by_text("$25.00 per month", exact=True)).to_be_visible()

    fill(page, "4242424242424242")
    page.get_by_role("button", name="Subscribe", exact=True).click()

    landed(page, session)
    assert statuses(client) == ["active"]


@pytest.mark.parametrize(("ending", "sentence"), [("0002", DECLINED), ("9995", NO_FUNDS)])
def test_a_declined_card_subscribes_nobody(
    page: Page, client: stripe.StripeClient, session: stripe.checkout.Session, ending: str, sentence: str
) -> None:
    """The bank's answer in plain words; another card does."""
    page.goto(url(session))

    fill(page, "400000000000" + ending)
    pay(page)
    expect(page.get_by_role("alert")).to_have_text(sentence)
    assert statuses(client) == []

    fill(page, "4242424242424242")
    pay(page)
    landed(page, session)
    assert statuses(client) == ["active"]


def test_the_bank_asks_first(phone: Page, client: stripe.StripeClient, session: stripe.checkout.Session) -> None:
    """3184, on a phone: refused at the bank, then agreed to."""
    phone.goto(url(session))

    fill(phone, "4000002760003184")
    pay(phone)
    phone.get_by_role("button", name="Fail").click()
    expect(phone.get_by_role("alert")).to_have_text(NOT_AUTHENTICATED)
    assert statuses(client) == []

    fill(phone, "4000002760003184")
    pay(phone)
    phone.get_by_role("button", name="Complete").click()
    landed(phone, session)
    assert statuses(client) == ["active"]


def test_a_trial_begins(phone: Page, client: stripe.StripeClient, shop: str) -> None:
    """Nothing is charged; the page says when that will be."""
    session = opened(client, shop, subscription_data={"trial_period_days": 14})
    phone.goto(url(session))
    expect(phone.get_by_text("14 days free")).to_be_visible()
    expect(phone.get_by_text("Then $25.00 per month, first on")).to_be_visible()

    fill(phone, "4242424242424242")
    phone.get_by_role("button", name="Start trial").click()

    landed(phone, session)
    assert statuses(client) == ["trialing"]
    assert client.v1.charges.list().data == []


def test_a_code_makes_it_cheaper(plain_page: Page, client: stripe.StripeClient, shop: str) -> None:
    """Without a script: less today, the full price afterwards."""
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"}).id
    client.v1.promotion_codes.create({"code": "FIFTH", "promotion": {"type": "coupon", "coupon": coupon}})
    session = opened(client, shop, allow_promotion_codes=True)
    plain_page.goto(url(session))

    plain_page.get_by_label("Promotion code").fill("fifth")
    plain_page.get_by_role("button", name="Apply").click()
    expect(plain_page.get_by_text("$20.00 due today")).to_be_visible()
    expect(plain_page.get_by_text("Then $25.00 per month")).to_be_visible()
    fill(plain_page, "4242424242424242")
    pay(plain_page)

    landed(plain_page, session)
    assert [invoice.total for invoice in client.v1.invoices.list().data] == [2000]


def test_a_card_that_was_left_before_is_one_click(phone: Page, client: stripe.StripeClient, shop: str) -> None:
    """Its fields are out of the way, until another card is wanted."""
    ada = client.v1.customers.create({"email": "ada@example.com"})
    method = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": ada.id})
    client.v1.payment_methods.update(method.id, {"allow_redisplay": "always"})
    session = opened(client, shop, customer=ada.id)
    phone.goto(url(session))
    expect(phone.get_by_label("Card number")).to_be_hidden()

    phone.get_by_role("button", name="Declined").click()
    expect(phone.get_by_label("Card number")).to_have_value("4000 0000 0000 0002")
    phone.get_by_label("Mastercard •••• 4444").check()
    pay(phone)

    landed(phone, session)
    (subscription,) = client.v1.subscriptions.list().data
    assert subscription.default_payment_method == method.id
