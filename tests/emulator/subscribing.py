"""What tests of subscriptions ask for again and again."""

from __future__ import annotations

from typing import Any

import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer

HOUR = 3600
DAY = 24 * HOUR


def price(client: stripe.StripeClient, amount: int = 2500, every: str = "month", **more: Any) -> stripe.Price:
    """A recurring price of a product of its own, called Pro."""
    recurring = {"interval": every, **more.pop("recurring", {})}
    given: Any = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring": recurring,
        "product_data": {"name": "Pro"},
        **more,
    }
    return client.v1.prices.create(given)


def subscribed(
    client: stripe.StripeClient, owner: stripe.Customer | None = None, *prices: stripe.Price, **more: Any
) -> stripe.Subscription:
    """A subscription to these prices (one of $25.00 a month), by a customer whose card works."""
    owner = owner or customer(client)
    sold = prices or (price(client),)
    given: Any = {"customer": owner.id, "items": [{"price": one.id} for one in sold], **more}
    return client.v1.subscriptions.create(given)


def item(subscription: stripe.Subscription, place: int = 0) -> stripe.SubscriptionItem:
    """One of a subscription's items."""
    found: stripe.SubscriptionItem = subscription["items"].data[place]  # `items` is also a method's name
    return found


def period(subscription: stripe.Subscription, place: int = 0) -> tuple[int, int]:
    """The period an item is in."""
    of: Any = item(subscription, place)
    return of.current_period_start, of.current_period_end


def latest(client: stripe.StripeClient, subscription: stripe.Subscription) -> stripe.Invoice:
    """A subscription's latest invoice, with what was paid for it."""
    now = client.v1.subscriptions.retrieve(subscription.id)
    return client.v1.invoices.retrieve(str(now.latest_invoice), {"expand": ["payments"]})


def invoices(client: stripe.StripeClient, subscription: stripe.Subscription) -> list[tuple[Any, ...]]:
    """All invoices of a subscription, oldest first: why, in which status, over how much."""
    found = client.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    return [(one.billing_reason, one.status, one.total) for one in reversed(found)]


def lines(invoice: stripe.Invoice) -> list[tuple[str | None, int]]:
    """What an invoice charges for, and how much."""
    return [(line.description, line.amount) for line in invoice.lines.data]


def half_way(client: stripe.StripeClient, controls: Controls, *prices: stripe.Price, **more: Any) -> Any:
    """A subscription in the middle of its first period, to the second."""
    made = subscribed(client, customer(client), *prices, **more)
    start, end = period(made)
    controls.push((end - start) // 2 - (controls.get("/clock")["now"] - start))
    return made


def waiting(client: stripe.StripeClient) -> list[tuple[str, int]]:
    """What waits for the next invoice, oldest first."""
    found = client.v1.invoice_items.list({"pending": True}).data[::-1]
    return [(str(one.description).partition(" after")[0], one.amount) for one in found]
