"""When an invoice is not paid in time: what is told around its due date, and what giving it up means.

What becomes of the invoice then, and of the subscription it is for, are choices of the business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import billing_settings, invoicing
from paydesk.emulator.rules import dunning

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

GIVEN_UP: Final = "subscription.given_up"


def give_up(world: World, invoice: Document, reason: str) -> None:
    """Nothing more is tried for an open invoice. `reason` is the one of `status_details` where it is written off."""
    if dunning.ending(billing_settings.of(world)).invoice == "uncollectible":
        invoicing.mark_uncollectible(world, invoice, reason)
    subscription = invoicing.subscription_of(invoice)
    if subscription is not None:
        world.perform(GIVEN_UP, subscription)


def _overdue(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] != "open":
        return
    world.emit("invoice.overdue", invoice)
    invoicing.note_standing(world, invoice, is_late=True)
    invoicing.tell_subscription(world, invoice)


def _overdue_ends(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] == "open" and invoicing.subscription_of(invoice) is not None:
        give_up(world, invoice, "payment_not_received")


def _will_be_due(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] == "open":
        world.emit("invoice.will_be_due", invoice)


TASKS: dict[str, Any] = {
    invoicing.OVERDUE: _overdue,
    invoicing.OVERDUE_ENDS: _overdue_ends,
    invoicing.WILL_BE_DUE: _will_be_due,
}
