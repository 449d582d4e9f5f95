"""The objects of Stripe, a file each. To add one, write its file and name it here."""

from __future__ import annotations

from paydesk.emulator.kernel.kernel import Resource
from paydesk.emulator.resources import customer, event

RESOURCES: tuple[Resource, ...] = (
    customer,
    event,
)
