"""Checkout Sessions: what a seller's server may ask for, and what it gets."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest
import stripe

SUCCESS = "http://127.0.0.1:9/thanks?session_id={CHECKOUT_SESSION_ID}"
CANCEL = "http://127.0.0.1:9/pricing"


def price(client: stripe.StripeClient, amount: int = 1900, **more: Any) -> stripe.Price:
    """A price of a product of its own."""
    given: Any = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Field journal"}, **more}
    return client.v1.prices.create(given)


def line(amount: int = 1900, quantity: int = 1, **more: Any) -> Any:
    """A line item that describes its price."""
    described = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Field journal"}}
    return {"price_data": described, "quantity": quantity, **more}


def payment(**more: Any) -> Any:
    """The parameters of a session that can be paid."""
    return {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, "line_items": [line()], **more}


def opened(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    """A session that can be paid."""
    return client.v1.checkout.sessions.create(payment(**more))


def refusal(client: stripe.StripeClient, given: Any) -> stripe.InvalidRequestError:
    """How a session is refused."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(given)
    assert refused.value.http_status == 400
    return refused.value


# Opening


def test_an_open_session_can_be_paid_at_its_url(client: stripe.StripeClient) -> None:
    """The seed's call: a price, a quantity, two addresses to come back to."""
    sold = price(client)

    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": sold.id, "quantity": 2}],
            "success_url": SUCCESS,
            "cancel_url": CANCEL,
            "client_reference_id": "order-7",
            "metadata": {"sku": "journal"},
        }
    )

    assert re.fullmatch(r"cs_test_a1[A-Za-z0-9]{56}", session.id)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_subtotal, session.amount_total, session.currency) == (3800, 3800, "usd")
    assert session.url is not None
    assert session.url.endswith(f"/c/pay/{session.id}")
    assert session.expires_at == session.created + 24 * 60 * 60
    assert session.client_reference_id == "order-7"
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"sku": "journal"}
    assert session.customer_creation == "if_required"


def test_opening_a_session_is_no_event(client: stripe.StripeClient) -> None:
    """Nothing has happened to the customer yet."""
    opened(client)

    types = {event.type for event in client.v1.events.list().data}
    assert types <= {"product.created", "price.created"}


def test_line_items_are_shown_when_they_are_asked_for(client: stripe.StripeClient) -> None:
    """Not in the session itself: by `expand`, or at an address of their own."""
    session = opened(client, line_items=[line(1900, 2), line(450)])

    assert "line_items" not in session
    assert "line_items" not in client.v1.checkout.sessions.retrieve(session.id)
    expanded = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items.data.price.product"]})
    assert expanded.line_items is not None
    first = expanded.line_items.data[0]
    assert (first.description, first.quantity, first.amount_total) == ("Field journal", 2, 3800)
    assert first.price is not None
    assert isinstance(first.price.product, stripe.Product)
    listed = client.v1.checkout.sessions.line_items.list(session.id)
    assert [item.amount_total for item in listed.data] == [3800, 450]


def test_line_items_come_a_page_at_a_time(client: stripe.StripeClient) -> None:
    """In the order of the session, forwards and backwards."""
    session = opened(client, line_items=[line(100 + index) for index in range(5)])
    items = client.v1.checkout.sessions.line_items

    first = items.list(session.id, {"limit": 2})
    amounts = [item.amount_total for item in first.auto_paging_iter()]
    before_last = items.list(session.id, {"limit": 2, "ending_before": items.list(session.id).data[4].id})

    assert (first.has_more, amounts) == (True, [100, 101, 102, 103, 104])
    assert ([item.amount_total for item in before_last.data], before_last.has_more) == ([102, 103], True)


def test_a_described_price_is_made_for_this_one_use(client: stripe.StripeClient) -> None:
    """`price_data` leaves an inactive price behind, which cannot be sold again."""
    session = opened(client, expand=["line_items"])
    assert session.line_items is not None
    made = session.line_items.data[0].price
    assert made is not None
    assert made.active is False

    refused = refusal(client, payment(line_items=[{"price": made.id, "quantity": 1}]))

    assert str(refused.user_message) == "The price specified is inactive. This field only accepts active prices."


def test_fractions_of_a_cent_are_rounded_once_for_each_line(client: stripe.StripeClient) -> None:
    """Three pieces at 0.335 cents more than a dollar are 301.005 cents, and cost 301."""
    sold = client.v1.prices.create(
        {"currency": "usd", "unit_amount_decimal": Decimal("100.335"), "product_data": {"name": "Wire, per metre"}}
    )

    session = opened(client, line_items=[{"price": sold.id, "quantity": 3}])

    assert session.amount_total == 301


def test_packs_are_charged_as_packs(client: stripe.StripeClient) -> None:
    """Seven pieces in packs of three are three packs."""
    sold = price(client, 500, transform_quantity={"divide_by": 3, "round": "up"})

    session = opened(client, line_items=[{"price": sold.id, "quantity": 7}])

    assert session.amount_total == 1500


def test_a_price_can_be_sold_in_its_other_currencies(client: stripe.StripeClient) -> None:
    """`currency` chooses among the price's `currency_options`."""
    sold = price(client, currency_options={"eur": {"unit_amount": 1700}})

    session = opened(client, line_items=[{"price": sold.id, "quantity": 2}], currency="eur")

    assert (session.currency, session.amount_total) == ("eur", 3400)


def test_a_known_customer_fills_the_details_in(client: stripe.StripeClient) -> None:
    """The session shows the customer's e-mail at once."""
    customer = client.v1.customers.create({"email": "ada@example.com"})

    session = opened(client, customer=customer.id)

    assert session.customer == customer.id
    assert session.customer_creation is None
    assert session.customer_details is not None
    assert session.customer_details.email == "ada@example.com"


def test_a_session_that_saves_a_card_has_its_setup_intent_at_once(client: stripe.StripeClient) -> None:
    """Setup mode: no amounts, nothing to pay, an intent from the start."""
    session = client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "usd",
            "success_url": SUCCESS,
            "setup_intent_data": {"description": "A card for later", "metadata": {"a": "1"}},
            "expand": ["setup_intent"],
        }
    )

    assert session.id.startswith("cs_test_c1")
    assert (session.status, session.payment_status, session.amount_total) == ("open", "no_payment_required", None)
    assert isinstance(session.setup_intent, stripe.SetupIntent)
    assert session.setup_intent.status == "requires_payment_method"
    assert session.setup_intent.description == "A card for later"
    assert session.setup_intent.metadata is not None
    assert session.setup_intent.metadata.to_dict() == {"a": "1"}
    assert [event.type for event in client.v1.events.list().data] == ["setup_intent.created"]


# Refusals

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
        ({"mode": "subscription"}, "mode"),
        ({"allow_promotion_codes": True}, "allow_promotion_codes"),
        ({"discounts": [{"coupon": "half"}]}, "discounts"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax[enabled]"),
        ({"shipping_options": [{"shipping_rate": "shr_x"}]}, "shipping_options"),
        ({"invoice_creation": {"enabled": True}}, "invoice_creation[enabled]"),
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


# Later


def test_an_expired_session_cannot_be_paid_or_expired_again(client: stripe.StripeClient) -> None:
    """Expiring is an event, and final."""
    session = opened(client)

    expired = client.v1.checkout.sessions.expire(session.id)

    assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
    (event,) = client.v1.events.list({"type": "checkout.session.expired"}).data
    assert event.data.object["id"] == session.id
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.checkout.sessions.expire(session.id)
    assert again.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired. '
        "This Checkout Session has a status of `expired`."
    )


def test_metadata_of_a_session_merges(client: stripe.StripeClient) -> None:
    """As everywhere: keys merge, an empty value removes one."""
    session = opened(client, metadata={"a": "1", "b": "2"})

    updated = client.v1.checkout.sessions.update(session.id, {"metadata": {"b": "", "c": "3"}})

    assert updated.metadata is not None
    assert updated.metadata.to_dict() == {"a": "1", "c": "3"}


def test_line_items_can_be_changed_while_the_session_is_open(client: stripe.StripeClient) -> None:
    """Named by id an item stays or changes; without one it is new; left out it goes."""
    session = opened(client, line_items=[line(1000, 2), line(450)], expand=["line_items"])
    assert session.line_items is not None
    kept = session.line_items.data[0].id

    updated = client.v1.checkout.sessions.update(
        session.id,
        {"line_items": [{"id": kept, "quantity": 3}, line(99)], "expand": ["line_items"]},
    )

    assert updated.amount_total == 3099
    assert updated.line_items is not None
    assert [(item.id == kept, item.quantity) for item in updated.line_items.data] == [(True, 3), (False, 1)]


def test_sessions_are_listed_by_what_they_are_for(client: stripe.StripeClient) -> None:
    """By customer, by e-mail, by status; newest first."""
    customer = client.v1.customers.create({"email": "ada@example.com"})
    hers = opened(client, customer=customer.id)
    other = opened(client, customer_email="grace@example.com")
    client.v1.checkout.sessions.expire(other.id)
    sessions = client.v1.checkout.sessions

    def ids(**filters: Any) -> list[str]:
        given: Any = filters
        return [session.id for session in sessions.list(given).data]

    assert ids() == [other.id, hers.id]
    assert ids(customer=customer.id) == [hers.id]
    assert ids(customer_details={"email": "grace@example.com"}) == [other.id]
    assert ids(status="open") == [hers.id]
