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
        CardExpiring,
        DisputeClosed,
        DisputeOpened,
        Invoice,
        InvoicePaid,
        InvoiceRefunded,
        Order,
        OrderExpired,
        OrderFailed,
        OrderPaid,
        OrderRefunded,
        PaymentFailed,
        StripeEvent,
        Subscription,
        SubscriptionChanged,
        SubscriptionEnded,
        SubscriptionEnding,
        SubscriptionPastDue,
        SubscriptionPaused,
        SubscriptionRecovered,
        SubscriptionRenewed,
        SubscriptionResumed,
        SubscriptionStarted,
        TrialEnding,
        Usage,
        UsageRecorded,
    )
    from paydesk.billing.gates import Access
    from paydesk.billing.inbox.receive import Receipt
    from paydesk.billing.orders import Progress
    from paydesk.billing.post import Mail
    from paydesk.billing.settings import Settings
    from paydesk.billing.signups import Signup, SignupProgress
    from paydesk.billing.subscriptions import HeldSubscription, Preview
    from paydesk.billing.truth.truth import Synced
    from paydesk.billing.truth.verify import Verified
    from paydesk.errors import (
        AlreadySubscribed,
        AnotherIsAtIt,
        CatalogError,
        ChangeRefused,
        ConfigurationError,
        DatabaseUnavailable,
        HandlerRefused,
        IntervalRefused,
        MailNotSent,
        MalformedEvent,
        NothingToManage,
        NotRefundable,
        OrderNotFound,
        OutcomeUnknown,
        PaydeskError,
        PayloadTooLarge,
        PortalRefused,
        PriceMismatch,
        QuantityRefused,
        SeatsRefused,
        SignatureRefused,
        StripeRefused,
        StripeUnavailable,
        UnknownFeature,
        UnknownMeter,
        UnknownPlan,
        UnknownPrice,
        UnknownProduct,
        UsageRefused,
        WouldWaitForItself,
        WrongMode,
    )

__all__ = [
    "Access",
    "AlreadySubscribed",
    "AnotherIsAtIt",
    "CardExpiring",
    "Catalog",
    "CatalogError",
    "ChangeRefused",
    "Checkout",
    "ConfigurationError",
    "DatabaseUnavailable",
    "DisputeClosed",
    "DisputeOpened",
    "HandlerRefused",
    "HeldSubscription",
    "IntervalRefused",
    "Invoice",
    "InvoicePaid",
    "InvoiceRefunded",
    "Mail",
    "MailNotSent",
    "MalformedEvent",
    "NotRefundable",
    "NothingToManage",
    "Order",
    "OrderExpired",
    "OrderFailed",
    "OrderNotFound",
    "OrderPaid",
    "OrderRefunded",
    "OutcomeUnknown",
    "Paydesk",
    "PaydeskError",
    "PayloadTooLarge",
    "PaymentFailed",
    "PortalRefused",
    "Preview",
    "PriceMismatch",
    "Progress",
    "QuantityRefused",
    "Receipt",
    "SeatsRefused",
    "Settings",
    "SignatureRefused",
    "Signup",
    "SignupProgress",
    "StripeEvent",
    "StripeRefused",
    "StripeUnavailable",
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
    "Synced",
    "TrialEnding",
    "UnknownFeature",
    "UnknownMeter",
    "UnknownPlan",
    "UnknownPrice",
    "UnknownProduct",
    "Usage",
    "UsageRecorded",
    "UsageRefused",
    "User",
    "Verified",
    "WouldWaitForItself",
    "WrongMode",
]

# Each name is loaded when it is first asked for: the commands, and the local Stripe, import this package too and
# should not wait for a database toolkit. What is not named here is an error.
_HOMES = {
    "Access": "paydesk.billing.gates",
    "CardExpiring": "paydesk.billing.facts",
    "Catalog": "paydesk.billing.catalog",
    "Checkout": "paydesk.billing.checkout",
    "DisputeClosed": "paydesk.billing.facts",
    "DisputeOpened": "paydesk.billing.facts",
    "HeldSubscription": "paydesk.billing.subscriptions",
    "Invoice": "paydesk.billing.facts",
    "InvoicePaid": "paydesk.billing.facts",
    "InvoiceRefunded": "paydesk.billing.facts",
    "Mail": "paydesk.billing.post",
    "Order": "paydesk.billing.facts",
    "OrderExpired": "paydesk.billing.facts",
    "OrderFailed": "paydesk.billing.facts",
    "OrderPaid": "paydesk.billing.facts",
    "OrderRefunded": "paydesk.billing.facts",
    "Paydesk": "paydesk.billing.desk",
    "PaymentFailed": "paydesk.billing.facts",
    "Preview": "paydesk.billing.subscriptions",
    "Progress": "paydesk.billing.orders",
    "Receipt": "paydesk.billing.inbox.receive",
    "Settings": "paydesk.billing.settings",
    "Signup": "paydesk.billing.signups",
    "SignupProgress": "paydesk.billing.signups",
    "StripeEvent": "paydesk.billing.facts",
    "Subscription": "paydesk.billing.facts",
    "SubscriptionChanged": "paydesk.billing.facts",
    "SubscriptionEnded": "paydesk.billing.facts",
    "SubscriptionEnding": "paydesk.billing.facts",
    "SubscriptionPastDue": "paydesk.billing.facts",
    "SubscriptionPaused": "paydesk.billing.facts",
    "SubscriptionRecovered": "paydesk.billing.facts",
    "SubscriptionRenewed": "paydesk.billing.facts",
    "SubscriptionResumed": "paydesk.billing.facts",
    "SubscriptionStarted": "paydesk.billing.facts",
    "Synced": "paydesk.billing.truth.truth",
    "TrialEnding": "paydesk.billing.facts",
    "Usage": "paydesk.billing.facts",
    "UsageRecorded": "paydesk.billing.facts",
    "User": "paydesk.billing.customers",
    "Verified": "paydesk.billing.truth.verify",
}


# A type checker reads the imports above instead, and so still finds misspelt names.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES.get(name, "paydesk.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
