"""Advancing: a draft that is finalised by itself, when its hour of rest is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.resources import invoicing
from paydesk.emulator.rules import billing_news

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# In live mode a draft waits until every endpoint has heard of it, so that an app can still add to it; not for ever.
_WAITS_SECONDS: Final = 72 * 3600
_LOOKS_AGAIN_SECONDS: Final = 3600


def _finalize_due(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if world.livemode and world.now < invoice["created"] + _WAITS_SECONDS and not _was_heard_of(world, invoice):
        invoice["automatically_finalizes_at"] = world.now + _LOOKS_AGAIN_SECONDS
        world.save(invoice)
        invoicing.plan(world, invoice)
        return
    with world.telling(billing_news.COLLECTED):
        _finalize(world, invoice)


def _finalize(world: World, invoice: Document) -> None:
    """Finalise a draft, and collect it where it has rested long enough."""
    try:
        invoicing.finalize(world, invoice)
    except StripeError as refusal:
        error = {"code": refusal.code, "message": refusal.message, "param": refusal.param, "type": refusal.type}
        invoice["last_finalization_error"] = {name: value for name, value in error.items() if value is not None}
        invoice["automatically_finalizes_at"] = invoice["next_payment_attempt"] = None
        world.save(invoice, "invoice.updated")
        world.emit("invoice.finalization_failed", invoice)
        return
    if invoice["status"] == "open" and invoice["collection_method"] == "send_invoice":
        world.emit("invoice.sent", invoice)
    elif invoice["next_payment_attempt"] is not None and invoice["next_payment_attempt"] <= world.now:
        world.unschedule(invoicing.COLLECT, invoice.id)
        world.perform(invoicing.COLLECT, invoice.id)


def _was_heard_of(world: World, invoice: Document) -> bool:
    """Whether everybody who listens has answered `invoice.created` with a 2xx."""
    for event in world.having("event", "type", "invoice.created"):
        if event["data"]["object"]["id"] == invoice.id:
            return not event["pending_webhooks"]
    return True


TASKS: dict[str, Any] = {invoicing.FINALIZE: _finalize_due}
