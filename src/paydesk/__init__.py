"""paydesk: Stripe wired into a Python web app, and a local Stripe to prove it against."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.checkout import Checkout
    from paydesk.billing.customers import User
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.facts import (
        DisputeClosed,
        DisputeOpened,
        Order,
        OrderExpired,
        OrderFailed,
        OrderPaid,
        OrderRefunded,
        StripeEvent,
    )
    from paydesk.billing.settings import Settings
    from paydesk.errors import PaydeskError

__all__ = [
    "Catalog",
    "Checkout",
    "DisputeClosed",
    "DisputeOpened",
    "Order",
    "OrderExpired",
    "OrderFailed",
    "OrderPaid",
    "OrderRefunded",
    "Paydesk",
    "PaydeskError",
    "Settings",
    "StripeEvent",
    "User",
]

# Each name is loaded when it is first asked for: the commands, and the local Stripe, import this package too and
# should not wait for a database toolkit.
_HOMES = {
    "Catalog": "paydesk.billing.catalog",
    "Checkout": "paydesk.billing.checkout",
    "DisputeClosed": "paydesk.billing.facts",
    "DisputeOpened": "paydesk.billing.facts",
    "Order": "paydesk.billing.facts",
    "OrderExpired": "paydesk.billing.facts",
    "OrderFailed": "paydesk.billing.facts",
    "OrderPaid": "paydesk.billing.facts",
    "OrderRefunded": "paydesk.billing.facts",
    "Paydesk": "paydesk.billing.desk",
    "PaydeskError": "paydesk.errors",
    "Settings": "paydesk.billing.settings",
    "StripeEvent": "paydesk.billing.facts",
    "User": "paydesk.billing.customers",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
