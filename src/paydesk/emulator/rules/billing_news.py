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

# A subscription that begins, or changes in a way that is billed at once; in Checkout, of a new customer.
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

# A subscription that begins in Checkout, of a customer who was known before.
BOUGHT_AGAIN: Final = (
    "charge.succeeded",
    "charge.failed",
    "checkout.session.completed",
    "payment_method.attached",
    "customer.updated",
    "customer.discount.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "payment_intent.succeeded",
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "invoiceitem.created",
    *_INVOICE,
)

# A subscription that begins in Checkout with nothing to pay: a trial, or a discount of all of it.
BEGUN_FREE: Final = (
    "customer.created",
    "customer.updated",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "payment_method.attached",
    "customer.discount.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "invoiceitem.created",
    *_INVOICE,
    "checkout.session.completed",
)
