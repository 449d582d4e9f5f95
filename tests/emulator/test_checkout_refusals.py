"""Checkout Sessions that cannot be, and what is said of them."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from tests.emulator.selling import line, payment, price, refusal

MANY = [line(100) for _ in range(101)]
NO_INVOICE = (
    "You can only enable invoice creation when mode is set to payment. Invoices are created automatically when mode is "
    "set to subscription, and are unsupported when set to setup."
)
NOT_MODELLED = "The local Stripe does not model"


@pytest.mark.parametrize(
    ("changes", "message", "param"),
    [
        ({"success_url": None}, "Missing required param: success_url.", "success_url"),
        ({"line_items": None}, "Missing required param: line_items.", "line_items"),
        ({"mode": None}, "Missing required param: mode.", "mode"),
        ({"mode": "barter"}, "Invalid mode: must be one of payment, setup, or subscription", "mode"),
        (
            {"customer": "cus_x", "customer_email": "a@example.com"},
            "You may only specify one of these parameters: customer, customer_email.",
            None,
        ),
        (
            {"customer": "cus_x", "customer_creation": "always"},
            "You may only specify one of these parameters: customer, customer_creation.",
            None,
        ),
        (
            {"allow_promotion_codes": True, "discounts": [{"coupon": "half"}]},
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            None,
        ),
        (
            {"subscription_data": {"trial_period_days": 7}},
            "You can not pass `subscription_data` in `payment` mode.",
            "subscription_data",
        ),
        (
            {"setup_intent_data": {"description": "x"}},
            "You can not pass `setup_intent_data` in `payment` mode.",
            "setup_intent_data",
        ),
        (
            {"mode": "setup", "currency": "usd", "line_items": None, "payment_intent_data": {"description": "x"}},
            "You can not pass `payment_intent_data` in `setup` mode.",
            "payment_intent_data",
        ),
        (
            {"mode": "setup", "currency": "usd", "line_items": None, "invoice_creation": {"enabled": True}},
            NO_INVOICE,
            "invoice_creation[enabled]",
        ),
        ({"line_items": [{"price": "price_x"}]}, "No such price: 'price_x'", "line_items[0][price]"),
        (
            {"line_items": [{key: value for key, value in line().items() if key != "quantity"}]},
            "Quantity is required. Add `quantity` to `line_items[0]`",
            "line_items[0]",
        ),
        (
            {"line_items": [line(quantity=0)]},
            "This value must be greater than or equal to 1.",
            "line_items[0][quantity]",
        ),
        ({"line_items": MANY}, "Array line_items exceeded maximum 100 allowed elements.", "line_items"),
        (
            {"line_items": [line(49)]},
            "The Checkout Session's total amount due must add up to at least $0.50 usd",
            None,
        ),
        (
            {"line_items": [line(), {**line(), "price_data": {**line()["price_data"], "currency": "eur"}}]},
            "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.",
            "line_items[1][price]",
        ),
        (
            {"success_url": "/thanks"},
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            "success_url",
        ),
        ({"cancel_url": "https://"}, "Not a valid URL", "cancel_url"),
        ({"success_url": "javascript://x/%0aalert(1)"}, "Not a valid URL", "success_url"),
        ({"customer_email": "nobody"}, "Invalid email address: nobody", "customer_email"),
        (
            {"return_url": "https://shop.example.com"},
            "The following parameters are not supported with `ui_mode: hosted_page`: return_url.",
            None,
        ),
        (
            {"ui_mode": "elements"},
            "The following parameters are not supported with `ui_mode: elements`: cancel_url, success_url.",
            None,
        ),
        (
            {"payment_method_collection": "always"},
            "You can only set `payment_method_collection` if there are recurring prices.",
            "payment_method_collection",
        ),
    ],
)
def test_a_wrong_session_is_refused_in_stripes_words(
    client: stripe.StripeClient, changes: dict[str, Any], message: str, param: str | None
) -> None:
    """What fails at Stripe fails here, with the same sentence."""
    given = {name: value for name, value in {**payment(), **changes}.items() if value is not None}

    refused = refusal(client, given)

    assert (refused.user_message, refused.param) == (message, param)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"automatic_tax": {"enabled": True}}, "automatic_tax[enabled]"),
        ({"shipping_options": [{"shipping_rate": "shr_x"}]}, "shipping_options"),
        (
            {"invoice_creation": {"enabled": True}, "payment_intent_data": {"capture_method": "manual"}},
            "invoice_creation[enabled]",
        ),
        ({"optional_items": [{"price": "price_x", "quantity": 1}]}, "optional_items[price]"),
        ({"payment_intent_data": {"application_fee_amount": 10}}, "payment_intent_data[application_fee_amount]"),
        (
            {"payment_method_options": {"card": {"capture_method": "manual"}}},
            "payment_method_options[card][capture_method]",
        ),
        (
            {"payment_method_options": {"card": {"setup_future_usage": "off_session"}}},
            "payment_method_options[card][setup_future_usage]",
        ),
        (
            {"payment_method_options": {"card": {"restrictions": {"brands_blocked": ["visa"]}}}},
            "payment_method_options[card][restrictions][brands_blocked]",
        ),
        (
            {"payment_method_options": {"us_bank_account": {"setup_future_usage": "off_session"}}},
            "payment_method_options[us_bank_account][setup_future_usage]",
        ),
    ],
)
def test_what_would_make_the_total_wrong_is_said_out_loud(
    client: stripe.StripeClient, changes: dict[str, Any], param: str
) -> None:
    """Ignoring these would charge another amount than Stripe does, or start nothing where Stripe starts something."""
    refused = refusal(client, payment(**changes))

    assert NOT_MODELLED in str(refused.user_message)
    assert refused.param == param


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [(29 * 60, "at least 30 minutes from"), (24 * 60 * 60 + 60, "less than 24 hours from")],
)
def test_a_session_lives_between_half_an_hour_and_a_day(client: stripe.StripeClient, ahead: int, sentence: str) -> None:
    """Stripe names no parameter in this refusal."""
    refused = refusal(client, payment(expires_at=int(time.time()) + ahead))

    assert sentence in str(refused.user_message)
    assert refused.param is None


def test_a_recurring_price_needs_subscription_mode(client: stripe.StripeClient) -> None:
    """Payment mode takes money once."""
    monthly = price(client, recurring={"interval": "month"})

    refused = refusal(client, payment(line_items=[{"price": monthly.id, "quantity": 1}]))

    assert str(refused.user_message).startswith("You specified `payment` mode but passed a recurring price.")
    assert refused.param == "line_items[0]"


def test_an_archived_product_is_not_sold(client: stripe.StripeClient) -> None:
    """Neither at its own prices, which stay active, nor at a described one."""
    sold = price(client)
    client.v1.products.update(str(sold.product), {"active": False})
    described = {"currency": "usd", "unit_amount": 1900, "product": sold.product}

    by_price = refusal(client, payment(line_items=[{"price": sold.id, "quantity": 1}]))
    by_data = refusal(client, payment(line_items=[{"price_data": described, "quantity": 1}]))

    assert (by_price.code, by_price.param) == ("product_inactive", "line_items[0][price]")
    assert (by_data.code, by_data.param) == ("product_inactive", "line_items[0][price_data][product]")


def test_an_unknown_customer_is_a_400(client: stripe.StripeClient) -> None:
    """404 is for ids in the path."""
    refused = refusal(client, payment(customer="cus_nobody"))

    assert (refused.code, refused.param) == ("resource_missing", "customer")


def test_an_unknown_session_is_missed_without_quotes(client: stripe.StripeClient) -> None:
    """The one sentence in which Stripe quotes no id and names no parameter."""
    with pytest.raises(stripe.InvalidRequestError) as missed:
        client.v1.checkout.sessions.retrieve("cs_nothing")

    assert missed.value.user_message == "No such checkout.session: cs_nothing"
    assert (missed.value.http_status, missed.value.code, missed.value.param) == (404, "resource_missing", None)


def test_nothing_of_a_refused_session_is_kept(client: stripe.StripeClient) -> None:
    """The prices it described are gone with it."""
    refusal(client, payment(line_items=[line(), line(quantity=0)]))

    assert client.v1.prices.list({"active": False}).data == []
    assert client.v1.events.list().data == []
