"""A subscription's life: what happens to it by itself, and what becomes of it when one of its invoices moves on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import (
    billing_settings,
    customer,
    invoice_collection,
    invoice_preview,
    invoicing,
    subscription_agenda,
    subscription_billing,
    subscription_ending,
    subscription_pending,
    subscription_renewal,
    subscription_shape,
    subscription_trials,
)
from paydesk.emulator.resources.invoice_ending import GIVEN_UP
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import dunning

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def _due(world: World, subject: str) -> None:
    subscription = world.get("subscription", subject)
    if subscription["schedule"] is not None:
        world.perform(subscription_agenda.SCHEDULE_DUE, subscription["schedule"])
        if subscription["status"] in ENDED:
            return
    cancel_at = subscription["cancel_at"]
    if cancel_at is not None and cancel_at <= world.now:
        subscription_ending.end(world, subscription)
        return
    items = subscription_shape.items_of(world, subscription)
    is_trial_over = subscription["status"] == "trialing" and subscription["trial_end"] <= world.now
    if is_trial_over and subscription_trials.ends_unpaid(world, subscription, items):
        return
    subscription_renewal.begin_period(world, subscription, items)


def _expire(world: World, subject: str) -> None:
    """Nobody paid the first invoice in time."""
    subscription = world.get("subscription", subject)
    if subscription["status"] != "incomplete":
        return
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        # What it means for the subscription that its invoice is void is said below.
        invoicing.void(world, invoice)
    _expired(world, subscription)


def _expired(world: World, subscription: Document) -> None:
    if subscription["status"] == "incomplete":
        subscription["status"] = "incomplete_expired"
        subscription["ended_at"] = world.now
        world.save(subscription, "customer.subscription.updated")
        subscription_agenda.plan(world, subscription)


def _trial_ends_soon(world: World, subject: str) -> None:
    subscription = world.get("subscription", subject)
    if subscription["status"] == "trialing":
        subscription.private["is_trial_end_told"] = True
        world.save(subscription)
        world.emit("customer.subscription.trial_will_end", subscription)


def _upcoming(world: World, subject: str) -> None:
    subscription = world.get("subscription", subject)
    if subscription["status"] in (*ENDED, "paused", "incomplete"):
        return
    world.emit("invoice.upcoming", invoice_preview.of_next(world, subject))


def _resume_collection(world: World, subject: str) -> None:
    subscription = world.get("subscription", subject)
    subscription["pause_collection"] = None
    world.save(subscription, "customer.subscription.updated")
    subscription_agenda.plan(world, subscription)


def _set_up(world: World, subject: str) -> None:
    """The card that a subscription was missing has been saved."""
    intent = world.get("setup_intent", subject)
    subscription = world.find("subscription", intent.private["subscription"])
    if subscription is not None and subscription["pending_setup_intent"] == intent.id:
        subscription["pending_setup_intent"] = None
        subscription["default_payment_method"] = intent["payment_method"]
        world.save(subscription, "customer.subscription.updated")


def _invoice_moved(world: World, subject: str) -> None:
    """One of its invoices has come a step further."""
    invoice = world.get("invoice", subject)
    subscription = world.find("subscription", invoicing.subscription_of(invoice) or "")
    if subscription is None or subscription["status"] in ENDED or subscription.private.get("is_untold"):
        return
    if invoice.private.get("is_pending_update"):
        _awaited_moved(world, subscription, invoice)
        return
    is_latest = subscription["latest_invoice"] == invoice.id
    is_first = invoice["billing_reason"] == "subscription_create"
    match invoice["status"]:
        case "paid" if subscription["status"] == "incomplete" and is_first:
            _stand(world, subscription, "active", paid_with=invoice)
        case "paid" | "void" | "uncollectible" if subscription["status"] in ("past_due", "unpaid") and is_latest:
            _stand(world, subscription, "active")
        case "void" if subscription["status"] == "incomplete" and is_first:
            _expired(world, subscription)
        case "open" if subscription["status"] == "active" and is_first and _was_declined_late(world, invoice):
            invoicing.void(world, invoice)
        case "open" if subscription["status"] in ("active", "trialing") and _has_failed(world, invoice):
            _stand(world, subscription, "past_due")


def _awaited_moved(world: World, subscription: Document, invoice: Document) -> None:
    """The invoice that a change waits for, or the end of a pause, has come a step further."""
    if not subscription_pending.waits_for(subscription, invoice):
        return
    is_paused = subscription["status"] == "paused"
    match invoice["status"]:
        case "paid":
            subscription_pending.apply(world, subscription)
        case "uncollectible" if is_paused:
            subscription_pending.apply(world, subscription)
        case "void" | "uncollectible":
            subscription_pending.expire(world, subscription)
        case "open" if invoice.private.get("resumes_when_tried") and _has_failed(world, invoice):
            # It goes on all the same: from now on this is an invoice like any other.
            invoice.private.pop("is_pending_update")
            world.save(invoice)
            subscription_pending.apply(world, subscription, status="past_due")


def _pending_expires(world: World, subject: str) -> None:
    subscription = world.get("subscription", subject)
    subscription_pending.expire(world, subscription)


def _was_declined_late(world: World, invoice: Document) -> bool:
    """Whether a slow bank has refused what it was asked for when the subscription began."""
    return invoice["collection_method"] == "charge_automatically" and _has_failed(world, invoice)


def _has_failed(world: World, invoice: Document) -> bool:
    if invoice["collection_method"] == "send_invoice":
        return invoice["due_date"] is not None and invoice["due_date"] <= world.now
    return bool(invoice["attempted"]) and not subscription_billing.is_on_its_way(world, invoice)


def _stand(world: World, subscription: Document, status: str, *, paid_with: Document | None = None) -> None:
    subscription["status"] = status
    wants_saved = subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
    if paid_with is not None and wants_saved and paid_with["amount_due"]:
        intent = invoice_collection.intent_of(world, paid_with)
        subscription["default_payment_method"] = intent["payment_method"]
    world.save(subscription, "customer.subscription.updated")
    subscription_agenda.plan(world, subscription)


def _given_up(world: World, subject: str) -> None:
    """Every attempt to collect an invoice has failed."""
    subscription = world.find("subscription", subject)
    if subscription is None or subscription["status"] in (*ENDED, "incomplete", "paused"):
        return
    match dunning.ending(billing_settings.of(world)).subscription:
        case "cancel":
            subscription_ending.end(world, subscription, reason="payment_failed")
        case "unpaid":
            _stand(world, subscription, "unpaid")


def _customer_leaves(world: World, subject: str) -> None:
    for subscription in world.having("subscription", "customer", subject):
        if subscription["status"] not in ENDED:
            subscription_ending.end(world, subscription, reason="cancellation_requested")


TASKS: dict[str, Any] = {
    subscription_agenda.DUE: _due,
    subscription_agenda.EXPIRE: _expire,
    GIVEN_UP: _given_up,
    subscription_agenda.PENDING_EXPIRES: _pending_expires,
    subscription_agenda.RESUME_COLLECTION: _resume_collection,
    subscription_agenda.SET_UP: _set_up,
    subscription_agenda.TRIAL_ENDS_SOON: _trial_ends_soon,
    subscription_agenda.UPCOMING: _upcoming,
    customer.LEAVES: _customer_leaves,
    invoicing.MOVED: _invoice_moved,
}
