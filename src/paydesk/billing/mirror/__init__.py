"""The mirror: Stripe's objects as rows of the app's database."""

from __future__ import annotations

from paydesk.billing.mirror.customers import CUSTOMERS
from paydesk.billing.mirror.disputes import DISPUTES
from paydesk.billing.mirror.invoices import INVOICES
from paydesk.billing.mirror.payments import CHARGES, PAYMENTS
from paydesk.billing.mirror.prices import PRICES
from paydesk.billing.mirror.products import PRODUCTS
from paydesk.billing.mirror.sessions import SESSIONS
from paydesk.billing.mirror.subscriptions import SUBSCRIPTIONS

# Parents first: what others point at is written before them.
MIRRORED = (PRODUCTS, PRICES, CUSTOMERS, SUBSCRIPTIONS, INVOICES, SESSIONS, PAYMENTS, CHARGES, DISPUTES)

__all__ = ["MIRRORED"]
