"""The end of a subscription: asked for, planned, or because nobody pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.resources import (
    invoice_collection,
    invoicing,
    subscription_agenda,
    subscription_billing,
    subscription_prorations,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_change import credit_of
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
    period; `invoices_now` bills what was used, and what waits for the next invoice, which would never come. An end
    that was planned bills what was used without being asked.
    """
    invoice = None
    is_planned = subscription["cancel_at"] is not None and subscription["cancel_at"] <= world.now
    if invoices_now:
        invoice = draft_of_end(world, subscription, prorates=prorates)
    elif is_planned:
        invoice = draft_of_planned_end(world, subscription)
    elif prorates:
        _give_back(world, subscription)
    if not is_planned:
        subscription["cancel_at"], subscription["cancel_at_period_end"] = None, False
        subscription["canceled_at"] = world.now
    subscription["status"] = "canceled"
    subscription["ended_at"] = world.now
    if reason is not None:
        subscription["cancellation_details"]["reason"] = reason
    subscription["pause_collection"] = None
    subscription["pending_update"] = None
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


def draft_of_end(world: World, subscription: Document, *, prorates: bool) -> Document:
    """The draft over what is still to be billed, or given back, when a subscription ends now."""
    if prorates:
        _give_back(world, subscription)
    items = subscription_shape.items_of(world, subscription)
    used = subscription_usage.charges(world, subscription, items, world.now, includes_now=True)
    return subscription_billing.draft(world, subscription, used, reason="subscription_update")


def draft_of_planned_end(world: World, subscription: Document) -> Document | None:
    """The draft over what was used when a subscription ends as planned: it rests like a renewal's. None: nothing was.

    Neither items nor subscription are saved yet.
    """
    items = subscription_shape.items_of(world, subscription)
    used = subscription_usage.charges(world, subscription, items, subscription["cancel_at"])
    if not used:
        return None
    elapsed = Period(min(one.period.start for one in used), subscription["cancel_at"])
    is_left = subscription["status"] == "unpaid"
    return subscription_billing.draft(
        world, subscription, used, reason="subscription_cycle", period=elapsed, advances=not is_left
    )


def _give_back(world: World, subscription: Document) -> None:
    """Credit what is left of the period; a trial, or a period nobody was billed for, has nothing to give back."""
    for item in subscription_shape.items_of(world, subscription):
        given_back = credit_of(world, subscription, item, world.now)
        if given_back is not None:
            subscription_prorations.keep(world, subscription, given_back)


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
