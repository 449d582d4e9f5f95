"""Facts: what happened to a customer's money, named once, in the app's own words.

    @desk.on(OrderPaid)
    def deliver(paid, db): ...

Stripe may tell of a payment five times, in any order, or not at all; the fact `OrderPaid` exists once for each order.
"""

from __future__ import annotations

from paydesk.billing.facts.disputes import DisputeClosed, DisputeOpened
from paydesk.billing.facts.events import StripeEvent
from paydesk.billing.facts.fact import Fact
from paydesk.billing.facts.invoices import Invoice, InvoicePaid, InvoiceRefunded, PaymentFailed, SubscriptionRenewed
from paydesk.billing.facts.orders import (
    Order,
    OrderExpired,
    OrderFailed,
    OrderPaid,
    OrderRefunded,
)
from paydesk.billing.facts.subscriptions import (
    CardExpiring,
    Subscription,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionEnding,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRecovered,
    SubscriptionResumed,
    SubscriptionStarted,
    TrialEnding,
)
from paydesk.billing.facts.usage import Usage, UsageRecorded

FACTS: tuple[type[Fact], ...] = (
    OrderPaid,
    OrderFailed,
    OrderExpired,
    OrderRefunded,
    SubscriptionStarted,
    SubscriptionRenewed,
    SubscriptionChanged,
    SubscriptionPastDue,
    SubscriptionRecovered,
    SubscriptionEnding,
    SubscriptionResumed,
    SubscriptionPaused,
    SubscriptionEnded,
    TrialEnding,
    CardExpiring,
    InvoicePaid,
    PaymentFailed,
    InvoiceRefunded,
    DisputeOpened,
    DisputeClosed,
    UsageRecorded,
)

__all__ = [
    "FACTS",
    "CardExpiring",
    "DisputeClosed",
    "DisputeOpened",
    "Fact",
    "Invoice",
    "InvoicePaid",
    "InvoiceRefunded",
    "Order",
    "OrderExpired",
    "OrderFailed",
    "OrderPaid",
    "OrderRefunded",
    "PaymentFailed",
    "StripeEvent",
    "Subscription",
    "SubscriptionChanged",
    "SubscriptionEnded",
    "SubscriptionEnding",
    "SubscriptionPastDue",
    "SubscriptionPaused",
    "SubscriptionRecovered",
    "SubscriptionRenewed",
    "SubscriptionResumed",
    "SubscriptionStarted",
    "TrialEnding",
    "Usage",
    "UsageRecorded",
]
