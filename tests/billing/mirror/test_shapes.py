"""Reading alike what different API versions write."""

from __future__ import annotations

from typing import Any

import pytest

from paydesk.billing.every import Every
from paydesk.billing.mirror import shapes

Json = dict[str, Any]
START, END = 1_700_000_000, 1_702_600_000

ACACIA_ITEM = {
    "id": "si_1",
    "plan": {"id": "price_pro", "amount": 2900, "interval": "month", "interval_count": 1, "product": "prod_1"},
    "price": {
        "id": "price_pro",
        "product": "prod_1",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "unit_amount": 2900,
    },
    "quantity": 2,
}
BASIL_ITEM = {**ACACIA_ITEM, "current_period_start": START, "current_period_end": END}

# The same subscription as the versions of the last years write it.
SUBSCRIPTIONS: dict[str, Json] = {
    "2017, before items": {
        "cancel_at_period_end": True,
        "current_period_end": END,
        "current_period_start": START,
        "plan": ACACIA_ITEM["plan"],
        "quantity": 2,
    },
    "acacia": {
        "cancel_at": END,
        "cancel_at_period_end": True,
        "current_period_end": END,
        "current_period_start": START,
        "items": {"data": [ACACIA_ITEM], "has_more": False},
    },
    "basil": {
        "cancel_at": END,
        "cancel_at_period_end": True,
        "items": {"data": [BASIL_ITEM], "has_more": False},
    },
    "clover, cancelled in the portal": {
        "cancel_at": END,
        "cancel_at_period_end": False,
        "items": {"data": [BASIL_ITEM], "has_more": False},
    },
    "endive": {
        "cancel_at": END,
        "cancel_at_period_end": False,
        "cancellation_details": {"reason": None},
        "items": {"data": [{**BASIL_ITEM, "current_trial": None, "quantity_decimal": "2"}], "has_more": False},
    },
}


@pytest.mark.parametrize("version", SUBSCRIPTIONS)
def test_a_subscription_reads_alike_in_every_version(version: str) -> None:
    """Webhooks may be older than the client, and what was kept is older than both."""
    written = SUBSCRIPTIONS[version]

    (item,) = shapes.items_of(written)
    price = shapes.price_of(item)

    assert shapes.period_of(written) == (START, END)
    assert shapes.cancels_at(written) == END
    assert (price["id"], item["quantity"], shapes.rhythm_of(price)) == ("price_pro", 2, Every("month"))
    assert shapes.amount_due_each_time(written) == 5800
    assert shapes.terms_of(written) == (("price_pro", 2),)


INVOICES: dict[str, Json] = {
    "acacia": {
        "charge": "ch_1",
        "lines": {"data": [{"period": {"start": START, "end": END}, "proration": False, "type": "subscription"}]},
        "paid": True,
        "payment_intent": "pi_1",
        "period_end": START,
        "period_start": START,
        "status": "paid",
        "subscription": "sub_1",
    },
    "acacia, expanded": {
        "lines": {"data": [{"period": {"start": START, "end": END}, "proration": False}]},
        "payment_intent": {"id": "pi_1", "object": "payment_intent"},
        "status": "paid",
        "subscription": {"id": "sub_1", "object": "subscription"},
    },
    "basil": {
        "lines": {
            "data": [
                {
                    "parent": {"subscription_item_details": {"proration": False}, "type": "subscription_item_details"},
                    "period": {"start": START, "end": END},
                }
            ]
        },
        "parent": {"subscription_details": {"subscription": "sub_1"}, "type": "subscription_details"},
        "payments": {"data": [{"is_default": True, "payment": {"payment_intent": "pi_1"}, "status": "paid"}]},
        "status": "paid",
    },
    "endive": {
        "lines": {
            "data": [
                {
                    "parent": {"subscription_item_details": {"proration": True}, "type": "subscription_item_details"},
                    "period": {"start": START, "end": END + 999},
                },
                {
                    "parent": {"subscription_item_details": {"proration": False}, "type": "subscription_item_details"},
                    "period": {"start": START, "end": END},
                },
            ]
        },
        "parent": {"subscription_details": {"subscription": {"id": "sub_1"}}, "type": "subscription_details"},
        "payments": {
            "data": [
                {"is_default": True, "payment": {"payment_intent": "pi_0"}, "status": "canceled"},
                {"is_default": False, "payment": {"payment_intent": {"id": "pi_1"}}, "status": "paid"},
            ]
        },
        "status": "paid",
        "status_details": None,
    },
}


@pytest.mark.parametrize("version", INVOICES)
def test_an_invoice_reads_alike_in_every_version(version: str) -> None:
    """Its subscription, its payment and the period it is for moved; what they are did not."""
    written = INVOICES[version]

    assert shapes.subscription_of(written) == "sub_1"
    assert shapes.payment_of(written) == "pi_1"
    assert shapes.invoiced_period_of(written) == (START, END)
    assert shapes.is_paid(written)


@pytest.mark.parametrize(
    ("payment", "invoice"),
    [
        ({"invoice": "in_1"}, "in_1"),
        ({"invoice": {"id": "in_1"}}, "in_1"),
        ({"payment_details": {"order_reference": "in_1", "customer_reference": None}}, "in_1"),
        ({"payment_details": {"order_reference": "our own number"}}, None),
        ({"payment_details": None}, None),
        ({}, None),
    ],
)
def test_a_payment_names_its_invoice_in_two_places(payment: Json, invoice: str | None) -> None:
    """Or not at all."""
    assert shapes.invoice_of(payment) == invoice


@pytest.mark.parametrize("payload", [{}, {"items": None}, {"items": {}}, {"items": {"data": []}}, {"items": []}])
def test_a_payload_without_items_breaks_nothing(payload: Json) -> None:
    """It is read from Stripe instead."""
    assert not shapes.has_all_items(payload)
    assert shapes.items_of(payload) == []
    assert shapes.period_of(payload) == (None, None)
    assert shapes.terms_of(payload) == ()
    assert shapes.amount_due_each_time(payload) is None


def test_the_period_of_several_items_is_the_stretch_in_which_nothing_is_charged() -> None:
    """A yearly plan with something monthly beside it is charged next month."""
    monthly = {**BASIL_ITEM, "current_period_start": START + 100, "current_period_end": START + 200}

    assert shapes.period_of({"items": {"data": [BASIL_ITEM, monthly]}}) == (START + 100, START + 200)


@pytest.mark.parametrize(
    "price",
    [
        {"unit_amount": None, "unit_amount_decimal": "0.5"},
        {"unit_amount": 100, "recurring": {"interval": "month", "usage_type": "metered"}},
        {"unit_amount": None, "billing_scheme": "tiered"},
        {"amount": 100, "interval": "month", "usage_type": "metered"},
    ],
)
def test_what_depends_on_use_has_no_amount(price: Json) -> None:
    """Nobody can say beforehand."""
    assert shapes.amount_due_each_time({"items": {"data": [{"price": price, "quantity": 3}]}}) is None
