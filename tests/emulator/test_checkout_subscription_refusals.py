"""Checkout in mode subscription: what it cannot sell, and in which words that is said."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.checkout_subscribing import asked, confirm, opened, sold
from tests.emulator.selling import line, refusal
from tests.emulator.subscribing import price
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


def test_a_customer_has_one_currency(client: stripe.StripeClient, wire: Wire) -> None:
    """That of what they subscribe to, or are about to."""
    ada = client.v1.customers.create({"email": "ada@example.com"})
    in_euro = {"price": price(client, currency="eur").id, "quantity": 1}
    session = opened(client, customer=ada.id)

    for _ in ("while it is open", "once it is paid"):
        with pytest.raises(stripe.InvalidRequestError, match=r"You cannot combine currencies.* with currency usd\."):
            opened(client, in_euro, customer=ada.id)
        confirm(wire, session)

    bob = client.v1.customers.create({"email": "bob@example.com"})
    client.v1.checkout.sessions.expire(opened(client, customer=bob.id).id)
    assert opened(client, in_euro, customer=bob.id).currency == "eur"


NO_INVOICE = (
    "You can only enable invoice creation when mode is set to payment. Invoices are created automatically when mode is "
    "set to subscription, and are unsupported when set to setup."
)
NO_QUANTITY = "Quantity is required. Add `quantity` to `line_items[0]`"
RECURRING: Any = {"price_data": {**line()["price_data"], "recurring": {"interval": "month"}}, "quantity": 1}


@pytest.mark.parametrize(
    ("changes", "message", "param"),
    [
        ({"line_items": None}, "Missing required param: line_items.", "line_items"),
        (
            {"line_items": [line()]},
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            "line_items",
        ),
        (
            {"customer_creation": "always"},
            "`customer_creation` can only be used in `payment` mode.",
            "customer_creation",
        ),
        (
            {"payment_intent_data": {"description": "x"}},
            "You can not pass `payment_intent_data` in `subscription` mode.",
            "payment_intent_data",
        ),
        (
            {"invoice_creation": {"enabled": True}},
            NO_INVOICE,
            "invoice_creation[enabled]",
        ),
        ({"line_items": [RECURRING | {"quantity": None}]}, NO_QUANTITY, "line_items[0]"),
        ({"line_items": [RECURRING] * 21}, None, "line_items"),
        ({"line_items": [RECURRING, *([line()] * 21)]}, None, "line_items"),
        ({"subscription_data": {"trial_period_days": 0}}, None, "subscription_data[trial_period_days]"),
        ({"subscription_data": {"trial_end": 1}}, None, "subscription_data[trial_end]"),
        ({"subscription_data": {"billing_cycle_anchor": 1}}, None, "subscription_data[billing_cycle_anchor]"),
        (
            {"subscription_data": {"default_tax_rates": ["txr_x"]}},
            None,
            "subscription_data[default_tax_rates][0]",
        ),
        ({"subscription_data": {"items": [{"price": "x"}]}}, None, "subscription_data[items]"),
        (
            {"subscription_data": {"application_fee_percent": 1}},
            None,
            "subscription_data[application_fee_percent]",
        ),
        ({"subscription_data": {"on_behalf_of": "acct_x"}}, None, "subscription_data[on_behalf_of]"),
        (
            {"subscription_data": {"pending_invoice_item_interval": {"interval": "day"}}},
            None,
            "subscription_data[pending_invoice_item_interval][interval]",
        ),
        ({"discounts": [{"coupon": "none"}]}, "No such coupon: 'none'", "discounts[0][coupon]"),
    ],
)
def test_refusals_name_what_is_wrong(
    client: stripe.StripeClient, changes: Any, message: str | None, param: str
) -> None:
    """In Stripe's words where they are known, by the session's own parameters."""
    given = {name: value for name, value in (asked(RECURRING) | changes).items() if value is not None}
    if changes.get("line_items"):
        given["line_items"] = [
            {name: value for name, value in one.items() if value is not None} for one in given["line_items"]
        ]

    refused = refusal(client, given)

    assert message is None or refused.user_message == message
    assert refused.param == param


def test_a_metered_price_has_no_quantity(client: stripe.StripeClient) -> None:
    """It is billed by what is used."""
    metered = sold(client)["metered"]

    refused = refusal(client, asked(metered | {"quantity": 1}))

    assert refused.param == "line_items[0][quantity]"
    session = opened(client, metered)
    assert session.amount_total == 0
    assert client.v1.checkout.sessions.line_items.list(session.id).data[0].quantity is None


def test_a_price_is_sold_once(client: stripe.StripeClient) -> None:
    """A subscription has one item of each price: what is to be more, is its quantity."""
    plan = {"price": price(client).id, "quantity": 1}

    refused = refusal(client, asked(plan, plan))

    assert "multiple Subscription Items with the same Price" in str(refused.user_message)
