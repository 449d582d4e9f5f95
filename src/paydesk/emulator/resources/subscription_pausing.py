"""Pausing a subscription, so that nothing is billed, and resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.resources import (
    subscription_agenda,
    subscription_billing,
    subscription_change,
    subscription_prorations,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.rules import billing_news, cycles
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def stop(world: World, subscription: Document, why: str) -> None:
    """Pause: no period begins any more. `why` is the type that `status_details` gives; it is not saved yet."""
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {"subscription": {"type": why}, "transitioned_at": world.now, "type": "subscription"}
    }


def tell(world: World, subscription: Document) -> None:
    """Save a subscription that has just been paused, and tell of it."""
    world.save(subscription, "customer.subscription.updated")
    world.emit("customer.subscription.paused", subscription)
    subscription_agenda.plan(world, subscription)


def pause(world: World, subscription: Document, given: dict[str, Any]) -> None:
    """Pause as a request wants it, giving back what is left of the period where it says so.

    Raises:
        StripeError: 400 where it cannot be paused.
    """
    if subscription["status"] not in ("active", "trialing", "past_due"):
        raise invalid(f"You cannot pause a subscription whose status is `{subscription['status']}`.")
    unused = ((given.get("bill_for") or {}).get("unused_time_from") or {}).get("type", "now")
    through = ((given.get("bill_for") or {}).get("outstanding_usage_through") or {}).get("type", "now")
    with world.telling(billing_news.BILLED):
        if unused != "none" and subscription["status"] != "trialing":
            for item in subscription_shape.items_of(world, subscription):
                since = world.now if unused == "now" else item["current_period_start"]
                given_back = subscription_change.credit_of(world, subscription, item, since)
                if given_back is not None:
                    subscription_prorations.keep(world, subscription, given_back)
                    item.private.pop("billed")
                    world.save(item)
        if through != "none":
            items = subscription_shape.items_of(world, subscription)
            for used in subscription_usage.charges(world, subscription, items, world.now, includes_now=True):
                subscription_usage.keep(world, subscription, used)
        if given.get("invoicing_behavior") == "invoice":
            invoice = subscription_billing.draft(world, subscription, (), reason="subscription_update")
            if invoice["collection_method"] == "charge_automatically":
                subscription_billing.collect(world, subscription, invoice, is_first=False)
        stop(world, subscription, "pause_requested")
        tell(world, subscription)


def resume(world: World, subscription: Document, given: dict[str, Any]) -> None:
    """Go on with a paused subscription: from now, or in the rhythm it had; what is due is collected at once.

    Raises:
        StripeError: 400 where it is not paused, or there is nothing to charge.
    """
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription if it is `paused`.")
    waits = given.get("payment_behavior") == "resume_on_payment_success"
    keeps_anchor = (given.get("billing_cycle_anchor") or {}).get("type") == "unchanged"
    with world.telling(billing_news.BILLED):
        items = subscription_shape.items_of(world, subscription)
        if not keeps_anchor:
            subscription["billing_cycle_anchor"] = world.now
        charges = []
        for item in items:
            cycle = cycles.of_price(item["price"], subscription["billing_cycle_anchor"])
            whole = Period(*cycle.holding(world.now))
            is_paid_for = (item.private.get("billed") or {}).get("end", 0) > world.now and keeps_anchor
            if not is_paid_for:
                period = whole.rest(world.now)
                charges.append(Charge(item, period, None if period == whole else whole))
            item["current_period_start"], item["current_period_end"] = whole.start, whole.end
            subscription_usage.begin(item, world.now)
        invoice = subscription_billing.draft(world, subscription, charges, reason="subscription_update")
        subscription["status"] = "active"
        subscription.pop("status_details", None)
        if invoice["collection_method"] == "charge_automatically":
            refusal = subscription_billing.collect(world, subscription, invoice, is_first=waits)
            if refusal is not None and waits:
                stop(world, subscription, "pause_requested")
                subscription.private["resumes_with"] = invoice.id
        subscription_shape.keep_items(world, subscription, items)
        world.save(subscription, "customer.subscription.updated")
        if subscription["status"] != "paused":
            world.emit("customer.subscription.resumed", subscription)
        subscription_agenda.plan(world, subscription)


def resume_paid(world: World, subscription: Document, invoice: Document) -> None:
    """The invoice that a subscription was to be resumed with is paid."""
    if subscription.private.get("resumes_with") != invoice.id:
        return
    subscription.private.pop("resumes_with")
    subscription["status"] = "active"
    subscription.pop("status_details", None)
    world.save(subscription, "customer.subscription.updated")
    world.emit("customer.subscription.resumed", subscription)
    subscription_agenda.plan(world, subscription)
