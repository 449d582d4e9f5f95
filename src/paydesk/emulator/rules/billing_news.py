"""In which order Stripe tells of what one request, or one moment, set in motion.

The money comes first, then the subscription it is for, then how it was asked for.
"""

from __future__ import annotations

from typing import Final

_PAYMENT: Final = (
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
)
_INVOICE: Final = (
    "invoice.created",
    "invoice.finalized",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
)

# A subscription that begins, or changes in a way that is billed at once.
BILLED: Final = (
    "charge.succeeded",
    "charge.failed",
    "payment_method.attached",
    "customer.created",
    "customer.updated",
    "checkout.session.completed",
    "customer.discount.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    *_PAYMENT,
    "invoiceitem.created",
    *_INVOICE,
)

# A draft that has rested, and is collected: a payment that succeeds comes first, and all else as it happened.
COLLECTED: Final = ("payment_intent.created", "payment_intent.succeeded", "charge.succeeded", "invoice.finalized")
