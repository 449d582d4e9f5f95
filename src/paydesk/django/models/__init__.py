"""The mirror and the inbox as models, for the ORM and the admin to read.

Their rows are written by paydesk alone: a row that the app changed would be drift, which `paydesk verify` finds.
"""

from __future__ import annotations

from paydesk.django.models.inbox import Effect, Event, Fact
from paydesk.django.models.people import Customer, Invoice, Signup, Subscription, SubscriptionItem, Usage
from paydesk.django.models.sales import Dispute, Order, Payment, Price, Product, Refund

__all__ = [
    "Customer",
    "Dispute",
    "Effect",
    "Event",
    "Fact",
    "Invoice",
    "Order",
    "Payment",
    "Price",
    "Product",
    "Refund",
    "Signup",
    "Subscription",
    "SubscriptionItem",
    "Usage",
]
