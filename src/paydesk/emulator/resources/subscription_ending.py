"""The end of a subscription: asked for, planned, or because nobody pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.resources import (
    invoice_collection,
    invoiceitem,
    invoicing,
    subscription_agenda,
    subscription_billing,
    subscription_ledger,
    subscription_pending,
    subscription_prorations,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


# Done with the id of the schedule whose subscription has ended.
SCHEDULE_ENDS: Final = "subscription_schedule.subscription_ended"


def end(
    world: World,
    subscription: Document,
    *,
    reason: str | None = None,
    prorates: bool = False,
    invoices_now: bool = False,
) -> None:
    """End a subscription now, told as `customer.subscription.deleted`.

    `reason` is the one of `cancellation_details`, where it has none yet. `prorates` gives back what is left of the
    period; `invoices_now` bills what was used, and what waits for the next invoice, which would never come. Without
    either, what changes had given back or still cost is forgotten. An end that was planned bills all that without being
    asked.
    """
    subscription_pending.expire(world, subscription)
    invoice = None
    is_planned = subscription["cancel_at"] is not None and subscription["cancel_at"] <= world.now
    if invoices_now:
        invoice = draft_of_end(world, subscription, prorates=prorates)
    elif is_planned:
        invoice = draft_of_planned_end(world, subscription)
    elif prorates:
        _give_back(world, subscription)
    else:
        for item in invoiceitem.awaiting(world, subscription):
            if item["proration"]:
                world.delete(item, "invoiceitem.deleted")
    if not is_planned:
        subscription["cancel_at"], subscription["cancel_at_period_end"] = None, False
        subscription["canceled_at"] = world.now
    subscription["status"] = "canceled"
    subscription["ended_at"] = world.now
    if reason is not None:
        subscription["cancellation_details"]["reason"] = reason
    subscription["pause_collection"] = None
    subscription.pop("status_details", None)
    world.save(subscription)
    subscription_agenda.plan(world, subscription)
    world.emit("customer.subscription.deleted", subscription)
    if subscription["schedule"] is not None:
        world.perform(SCHEDULE_ENDS, subscription["schedule"])
    if invoices_now and invoice is not None and invoice["collection_method"] == "charge_automatically":
        if invoice_collection.method_of(world, invoice) is None:
            invoicing.finalize(world, invoice, advances=True)
        else:
            subscription_billing.collect(world, subscription, invoice, is_first=False)
    _stop_collecting(world, subscription, but=invoice)


def draft_of_end(world: World, subscription: Document, *, prorates: bool) -> Document | None:
    """The draft over what is still to be billed, or given back, when a subscription ends now. None: nothing is."""
    if prorates:
        _give_back(world, subscription)
    items = subscription_shape.items_of(world, subscription)
    used = subscription_usage.charges(world, subscription, items, world.now, includes_now=True)
    if not used and not invoiceitem.awaiting(world, subscription):
        return None
    return subscription_billing.draft(world, subscription, used, reason="subscription_update")


def draft_of_planned_end(world: World, subscription: Document) -> Document | None:
    """The draft over what was used, and what waits for its next invoice, when a subscription ends as planned.

    It rests like a renewal's. None: there is nothing of the kind. Neither items nor subscription are saved yet.
    """
    items = subscription_shape.items_of(world, subscription)
    used = subscription_usage.charges(world, subscription, items, subscription["cancel_at"])
    waiting = invoiceitem.awaiting(world, subscription)
    if not used and not any(invoiceitem.subscription_of(item) for item in waiting):
        return None
    starts = [one.period.start for one in used] or [subscription_shape.period_of(items)[0]]
    elapsed = Period(min(starts), subscription["cancel_at"])
    return subscription_billing.draft(world, subscription, used, reason="subscription_cycle", period=elapsed)


def _give_back(world: World, subscription: Document) -> None:
    """Credit what is left of the period; a trial, or a period nobody was billed for, has nothing to give back."""
    for item in subscription_shape.items_of(world, subscription):
        for credit in subscription_ledger.given_back(world, subscription, item, world.now):
            subscription_prorations.keep(world, subscription, credit)


def _stop_collecting(world: World, subscription: Document, *, but: Document | None) -> None:
    """Nothing is collected by itself any more for what has ended; the invoices stay what they are."""
    for invoice in world.having("invoice", "parent.subscription_details.subscription", subscription.id):
        if invoice["status"] not in ("draft", "open") or not invoice["auto_advance"]:
            continue
        if but is not None and invoice.id == but.id:
            continue
        invoice["auto_advance"] = False
        invoice["automatically_finalizes_at"] = invoice["next_payment_attempt"] = None
        world.save(invoice, "invoice.updated")
        invoicing.plan(world, invoice)
