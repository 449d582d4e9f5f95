"""Pausing a subscription, so that nothing is billed, and resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.resources import (
    invoiceitem,
    invoicing,
    subscription_agenda,
    subscription_billing,
    subscription_items,
    subscription_ledger,
    subscription_pending,
    subscription_periods,
    subscription_prorations,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.resources.subscription_shape import is_metered
from paydesk.emulator.rules import billing_news
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_HOUR: Final = 3600
# How long a pause waits for its end to be paid: until somebody tries, or until the money has come.
ATTEMPT_SECONDS: Final = 23 * _HOUR
SUCCESS_SECONDS: Final = 365 * 24 * _HOUR


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
    _check_may_pause(subscription)
    unused = ((given.get("bill_for") or {}).get("unused_time_from") or {}).get("type", "now")
    through = ((given.get("bill_for") or {}).get("outstanding_usage_through") or {}).get("type", "now")
    with world.telling(billing_news.BILLED):
        subscription_pending.expire(world, subscription)
        items = subscription_shape.items_of(world, subscription)
        for item in items:
            if unused != "none":
                _give_back(world, subscription, item, world.now if unused == "now" else item["current_period_start"])
        if through != "none":
            for used in subscription_usage.charges(world, subscription, items, world.now, includes_now=True):
                subscription_usage.keep(world, subscription, used)
        if given.get("invoicing_behavior") == "invoice" and invoiceitem.awaiting(world, subscription):
            invoice = subscription_billing.draft(world, subscription, (), reason="subscription_update")
            subscription_billing.collect(world, subscription, invoice, is_first=False)
        for item in items:
            subscription_periods.put(item, Period(item["current_period_start"], world.now))
        subscription_shape.keep_items(world, subscription, items)
        stop(world, subscription, "pause_requested")
        tell(world, subscription)


def resume(world: World, subscription: Document, given: dict[str, Any]) -> None:
    """Go on with a paused subscription: from now, or in the rhythm it had.

    Where that is billed, it stays paused until the invoice is paid: which waits for somebody to pay it, or is charged
    now and tried again (`resume_on_payment_success`).

    Raises:
        StripeError: 400 where it is not paused, or there is nothing to charge.
    """
    charges_now = given.get("payment_behavior") == "resume_on_payment_success"
    _check_may_resume(subscription, charges_now=charges_now)
    keeps_anchor = (given.get("billing_cycle_anchor") or {}).get("type") == "unchanged"
    behavior = given.get("proration_behavior", "create_prorations")
    with world.telling(billing_news.BILLED):
        subscription_pending.expire(world, subscription)
        items = subscription_shape.items_of(world, subscription)
        before = subscription_pending.Before.of([subscription, *items])
        charges: list[Charge] = []
        if keeps_anchor:
            _rejoin(world, subscription, items, prorates=behavior != "none")
        else:
            charges = _begin(world, subscription, items)
        subscription["status"] = "active"
        is_billed = not keeps_anchor or behavior == "always_invoice"
        if charges or (is_billed and invoiceitem.awaiting(world, subscription)):
            invoice = subscription_billing.draft(world, subscription, charges, reason="subscription_update")
            _collect(world, subscription, invoice, charges_now=charges_now)
            if invoice["status"] == "open":
                expires_at = world.now + (SUCCESS_SECONDS if charges_now else ATTEMPT_SECONDS)
                subscription_pending.put_off(world, subscription, items, invoice, before, expires_at=expires_at)
                world.save(subscription, "customer.subscription.updated")
                subscription_agenda.plan(world, subscription)
                return
        subscription.pop("status_details", None)
        subscription_shape.keep_items(world, subscription, items)
        world.save(subscription, "customer.subscription.updated")
        world.emit("customer.subscription.resumed", subscription)
        subscription_agenda.plan(world, subscription)


def _check_may_pause(subscription: Document) -> None:
    if subscription["status"] not in ("active", "past_due", "unpaid"):
        raise invalid(f"You cannot pause a subscription whose status is `{subscription['status']}`.")
    if subscription["billing_mode"]["type"] == "classic":
        raise invalid("You can only pause a subscription with `billing_mode[type]=flexible`.")
    _check_charged(subscription, "pause")
    if subscription["schedule"] is not None:
        raise invalid(f"You cannot pause a subscription with a schedule: `{subscription['schedule']}`.")


def _check_may_resume(subscription: Document, *, charges_now: bool) -> None:
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription if it is `paused`.")
    if charges_now and subscription["billing_mode"]["type"] == "classic":
        raise invalid(
            "`resume_on_payment_success` needs a subscription with `billing_mode[type]=flexible`.",
            param="payment_behavior",
        )
    _check_charged(subscription, "resume")


def _check_charged(subscription: Document, verb: str) -> None:
    if subscription["collection_method"] == "send_invoice":
        raise invalid(f"You can only {verb} a subscription with `collection_method=charge_automatically`.")


def _give_back(world: World, subscription: Document, item: Document, since: int) -> None:
    for credit in subscription_ledger.given_back(world, subscription, item, since):
        subscription_prorations.keep(world, subscription, credit)
    subscription_ledger.cut(item, since)


def _begin(world: World, subscription: Document, items: Sequence[Document]) -> list[Charge]:
    """Let every item begin a period now."""
    subscription_periods.hang(subscription, world.now)
    charges = []
    for item in items:
        subscription_periods.put(item, subscription_periods.holding(subscription, item, world.now))
        subscription_usage.begin(item, world.now)
        if not is_metered(item):
            charges.append(Charge(item, subscription_periods.of(item)))
    return charges


def _rejoin(world: World, subscription: Document, items: Sequence[Document], *, prorates: bool) -> None:
    """Put every item into the period it would be in without the pause; the rest of that waits for the next invoice."""
    costs = subscription_items.net_costs(world, subscription, [one for one in items if not is_metered(one)])
    for item in items:
        subscription_periods.put(item, subscription_periods.holding(subscription, item, world.now))
        subscription_usage.begin(item, world.now)
        if prorates and item.id in costs and not subscription_ledger.covers(item, world.now):
            for debit in subscription_ledger.owed(world, item, costs[item.id], world.now):
                kept = subscription_prorations.keep(world, subscription, debit)
                subscription_ledger.note_source(item, kept.id)


def _collect(world: World, subscription: Document, invoice: Document, *, charges_now: bool) -> None:
    """Ask for what resuming costs. It is the pause's own matter what becomes of it: see `subscription_life`."""
    invoice.private["is_pending_update"] = True
    invoice.private["resumes_when_tried"] = not charges_now
    if charges_now:
        subscription_billing.collect(world, subscription, invoice, is_first=False)
        return
    invoicing.finalize(world, invoice, advances=True)
    if invoice["status"] == "open":
        subscription_billing.let_rest(world, invoice)
