"""The objects of Stripe, a file each. To add one, write its file and name it here."""

from __future__ import annotations

from paydesk.emulator.kernel.kernel import Resource
from paydesk.emulator.resources import (
    account,
    card,
    customer,
    event,
    payment_method,
    price,
    product,
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
    event,
    webhook_endpoint,
)
