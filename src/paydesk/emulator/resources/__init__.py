"""The objects of Stripe, a file each. To add one, write its file and name it here."""

from __future__ import annotations

from paydesk.emulator.kernel.kernel import Resource
from paydesk.emulator.resources import (
    account,
    balance,
    balance_transaction,
    card,
    charge,
    checkout_session,
    customer,
    direct_charge,
    dispute,
    early_fraud_warning,
    event,
    payment_intent,
    payment_method,
    payment_page,
    price,
    product,
    refund,
    setup_attempt,
    setup_intent,
    token,
    webhook_endpoint,
)

RESOURCES: tuple[Resource, ...] = (
    account,
    card,
    token,
    customer,
    product,
    price,
    payment_method,
    balance_transaction,
    balance,
    charge,
    direct_charge,
    dispute,
    early_fraud_warning,
    refund,
    payment_intent,
    setup_attempt,
    setup_intent,
    checkout_session,
    payment_page,
    event,
    webhook_endpoint,
)
