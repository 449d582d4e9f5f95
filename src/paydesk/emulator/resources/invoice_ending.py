"""Giving up: what becomes of an invoice that nobody paid, and of the subscription it is for.

Both are choices of the business, kept in its billing settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import billing_settings, invoicing
from paydesk.emulator.rules import dunning

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

GIVEN_UP: Final = "subscription.given_up"
_DAY: Final = 24 * 3600


def give_up(world: World, invoice: Document, reason: str) -> None:
    """Nothing more is tried for an open invoice. `reason` is the one of `status_details` where it is written off."""
    if dunning.ending(billing_settings.of(world)).invoice == "uncollectible":
        invoicing.mark_uncollectible(world, invoice, reason)
    subscription = invoicing.subscription_of(invoice)
    if subscription is not None:
        # The subscription comes last: what becomes of it holds, whatever its invoice's end meant for it.
        world.perform(GIVEN_UP, subscription)


def _overdue(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] != "open":
        return
    world.emit("invoice.overdue", invoice)
    invoicing.note_standing(world, invoice, is_late=True)
    invoicing.tell_subscription(world, invoice)
    days = billing_settings.of(world).overdue_days
    if days and invoicing.subscription_of(invoice) is not None:
        world.schedule(world.now + days * _DAY, invoicing.OVERDUE_ENDS, invoice.id)


def _overdue_ends(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] == "open":
        give_up(world, invoice, "payment_not_received")


TASKS: dict[str, Any] = {invoicing.OVERDUE: _overdue, invoicing.OVERDUE_ENDS: _overdue_ends}
