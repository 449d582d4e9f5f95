"""Checkout Sessions: what a seller's server may ask for, and what it gets."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import stripe

from tests.emulator.selling import CANCEL, SUCCESS, line, opened, payment, price, refusal


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
