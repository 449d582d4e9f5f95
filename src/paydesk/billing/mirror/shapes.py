"""Shapes: reading Stripe's objects alike, whichever API version wrote them.

A webhook arrives in the version of its endpoint, an answer in that of the client, and what was kept years ago in the
version of its day. Each function here finds one thing wherever a version puts it, and answers None where none does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.billing.every import Every
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from paydesk.billing.mirror.refs import Json


# What a subscription consists of: each price, and how many of it. Null for one that is charged by use.
Terms = tuple[tuple[str, int | None], ...]


def items_of(subscription: Json) -> list[Json]:
    """What is subscribed to. Before there were items, a subscription had one plan and a quantity."""
    listed = _listed(subscription.get("items"))
    if not listed and isinstance(subscription.get("plan"), dict):
        return [{"id": None, "plan": subscription["plan"], "quantity": subscription.get("quantity", 1)}]
    return listed


def has_all_items(subscription: Json) -> bool:
    """Whether the payload names its items, and all of them."""
    items = subscription.get("items")
    return isinstance(items, dict) and bool(items.get("data")) and not items.get("has_more")


def price_of(item: Json) -> Json:
    """The price of a subscription's item. Plans are what prices were called before."""
    price = item.get("price") or item.get("plan") or {}
    return price if isinstance(price, dict) else {"id": price}


def rhythm_of(price: Json) -> Every | None:
    """How often the price is charged: "recurring" of a price, or the interval of a plan."""
    rhythm = price.get("recurring") or price
    interval = rhythm.get("interval")
    return Every(interval, rhythm.get("interval_count") or 1) if interval else None


def amount_of(price: Json) -> int | None:
    """What one unit costs; None where that depends on use, or is a fraction of a cent."""
    if price.get("billing_scheme") == "tiered" or (price.get("recurring") or price).get("usage_type") == "metered":
        return None
    amount: int | None = price.get("unit_amount", price.get("amount"))
    return amount


def terms_of(subscription: Json) -> Terms:
    """What it consists of, in one order: two subscriptions of equal terms cost the same."""
    priced = [(str(price_of(item).get("id")), item.get("quantity")) for item in items_of(subscription)]
    return tuple(sorted(priced, key=lambda each: (each[0], each[1] or 0)))


def amount_due_each_time(subscription: Json) -> int | None:
    """What all items cost together, before discounts and tax; None where that depends on use."""
    amounts = [(amount_of(price_of(item)), item.get("quantity")) for item in items_of(subscription)]
    if not amounts or any(amount is None for amount, _ in amounts):
        return None
    return sum((amount or 0) * (1 if quantity is None else quantity) for amount, quantity in amounts)


def reason_of_end(subscription: Json) -> str | None:
    """Why it was cancelled, in Stripe's word."""
    reason: str | None = (subscription.get("cancellation_details") or {}).get("reason")
    return reason


def period_of(subscription: Json) -> tuple[int | None, int | None]:
    """The stretch in which nothing is charged: from the last renewal of any item to the next one of any.

    Since 2025-03-31.basil each item has a period of its own, before that the subscription had one for all.
    """
    items = _listed(subscription.get("items"))
    starts = [item["current_period_start"] for item in items if item.get("current_period_start") is not None]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end") is not None]
    start = max(starts) if starts else subscription.get("current_period_start")
    return start, min(ends) if ends else subscription.get("current_period_end")


def cancels_at(subscription: Json) -> int | None:
    """When it will end. The flag may be false while a moment is set, as the portal does, or stand alone."""
    if subscription.get("cancel_at") is not None:
        return int(subscription["cancel_at"])
    return period_of(subscription)[1] if subscription.get("cancel_at_period_end") else None


def subscription_of(invoice: Json) -> str | None:
    """The subscription that an invoice bills: in its parent since 2025-03-31.basil."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription")) or id_of(invoice.get("subscription"))


def payment_of(invoice: Json) -> str | None:
    """The payment intent that pays an invoice: one of its payments since 2025-03-31.basil, shown when expanded."""
    payments = _listed(invoice.get("payments"))
    # The one it is to be paid by comes first, but one that has paid it goes before.
    ranked = sorted(payments, key=lambda each: (each.get("status") != "paid", not each.get("is_default")))
    for each in ranked:
        if intent := id_of((each.get("payment") or {}).get("payment_intent")):
            return intent
    return id_of(invoice.get("payment_intent"))


def is_paid(invoice: Json) -> bool:
    """Whether it is paid: its status says so, and `paid` did before 2025-03-31.basil."""
    return bool(invoice.get("status") == "paid" or invoice.get("paid"))


def missing_since(invoice: Json) -> int | None:
    """Since when the money for an unpaid invoice is missing: it was due, or asked for at once. None for a draft."""
    asked_at: int | None = (invoice.get("status_transitions") or {}).get("finalized_at")
    if invoice.get("status") not in ("open", "uncollectible"):
        return None
    return invoice.get("due_date") or asked_at or invoice["created"]


def invoiced_period_of(invoice: Json) -> tuple[int | None, int | None]:
    """The newest period that an invoice charges for. Its own period is the one that is over; its lines look ahead."""
    lines = _listed(invoice.get("lines"))
    periods = [line["period"] for line in lines if line.get("period") and not is_proration(line)]
    if not periods:
        return invoice.get("period_start"), invoice.get("period_end")
    newest = max(periods, key=lambda period: (period.get("end") or 0, period.get("start") or 0))
    return newest.get("start"), newest.get("end")


def invoice_of(payment: Json) -> str | None:
    """The invoice that a payment intent (or a charge) pays, where it says so.

    Until 2025-03-31.basil it had a field for it; since then its order reference is the invoice's id.
    """
    if direct := id_of(payment.get("invoice")):
        return direct
    reference = (payment.get("payment_details") or {}).get("order_reference")
    return reference if isinstance(reference, str) and reference.startswith("in_") else None


def is_proration(line: Json) -> bool:
    """Whether an invoice's line settles a part of a period that has begun."""
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or line
    return bool(details.get("proration"))


def _listed(value: Any) -> list[Json]:
    """The objects of a list as Stripe writes it, or none."""
    data = value.get("data") if isinstance(value, dict) else None
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
