"""What Stripe has about somebody who subscribes: subscriptions and invoices as the newest API version writes them."""

from __future__ import annotations

from typing import Any

from tests.billing.shop import CREATED

Json = dict[str, Any]

DAY = 86_400
MONTH = 30 * DAY


def recurring_price(key: str = "pro", amount: int = 2900, interval: str = "month", **changes: Any) -> Json:
    """The price `price_<key>` of the catalog's plan, as it stands in an item."""
    return {
        "id": f"price_{key}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": CREATED,
        "currency": "usd",
        "livemode": False,
        "lookup_key": key,
        "metadata": {},
        "product": f"prod_{key}",
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": amount,
    } | changes


def item(price: Json | None = None, *, number: int = 1, quantity: int | None = 1, **changes: Any) -> Json:
    return {
        "id": f"si_{number}",
        "object": "subscription_item",
        "created": CREATED,
        "current_period_end": CREATED + MONTH,
        "current_period_start": CREATED,
        "price": price or recurring_price(),
        "quantity": quantity,
        "subscription": "sub_1",
    } | changes


def subscription(*items: Json, number: int = 1, **changes: Any) -> Json:
    """The subscription `sub_<number>` of the customer cus_1, active unless something else is said."""
    return {
        "id": f"sub_{number}",
        "object": "subscription",
        "billing_cycle_anchor": CREATED,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": CREATED,
        "currency": "usd",
        "customer": "cus_1",
        "default_payment_method": "pm_1",
        "discounts": [],
        "ended_at": None,
        "items": {"object": "list", "data": list(items) or [item(number=number)], "has_more": False},
        "latest_invoice": "in_1",
        "livemode": False,
        "metadata": {},
        "start_date": CREATED,
        "status": "active",
        "trial_end": None,
        "trial_start": None,
    } | changes


def canceled(**changes: Any) -> Json:
    over: Json = {"status": "canceled", "canceled_at": CREATED + DAY, "ended_at": CREATED + DAY}
    return subscription(**(over | changes))


def invoice(number: int = 1, **changes: Any) -> Json:
    """The invoice `in_<number>`: the first of sub_1, open and not yet tried, unless something else is said."""
    line = {
        "id": f"il_{number}",
        "object": "line_item",
        "amount": 2900,
        "parent": {"type": "subscription_item_details", "subscription_item_details": {"proration": False}},
        "period": {"start": CREATED + (number - 1) * MONTH, "end": CREATED + number * MONTH},
    }
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "amount_due": 2900,
        "amount_paid": 0,
        "amount_remaining": 2900,
        "attempt_count": 0,
        "attempted": False,
        "billing_reason": "subscription_create" if number == 1 else "subscription_cycle",
        "created": CREATED + (number - 1) * MONTH,
        "currency": "usd",
        "customer": "cus_1",
        "due_date": None,
        "hosted_invoice_url": f"http://pay.localhost/i/{number}",
        "invoice_pdf": f"http://pay.localhost/i/{number}/pdf",
        "lines": {"object": "list", "data": [line], "has_more": False},
        "livemode": False,
        "next_payment_attempt": None,
        "number": f"ABC-000{number}",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": {}}},
        "period_end": CREATED + (number - 1) * MONTH,
        "period_start": CREATED + (number - 1) * MONTH,
        "status": "open",
        "status_transitions": {"finalized_at": CREATED, "paid_at": None},
        "total": 2900,
    } | changes


def paid_invoice(number: int = 1, **changes: Any) -> Json:
    paid = {"status": "paid", "amount_paid": 2900, "amount_remaining": 0, "attempted": True, "attempt_count": 1}
    return invoice(number, **(paid | {"status_transitions": {"paid_at": CREATED + 5}} | changes))
