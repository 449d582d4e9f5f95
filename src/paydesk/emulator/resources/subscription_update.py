"""Updating a subscription: a change carried out, billed where it is billed at once, or put off until it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import (
    invoicing,
    subscribing,
    subscription_agenda,
    subscription_billing,
    subscription_change,
    subscription_ledger,
    subscription_pending,
    subscription_prorations,
    subscription_shape,
    subscription_terms,
    subscription_trials,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import billing_news
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.subscription_change import Change

PENDING_SECONDS: Final = 23 * 3600

_WHEN_ENDED: Final = frozenset({"cancellation_details", "expand", "metadata"})
_WHEN_INCOMPLETE: Final = frozenset(
    {"cancellation_details", "default_payment_method", "default_source", "description", "expand", "metadata"}
)
# What can be put off until an invoice is paid.
_PENDABLE: Final = frozenset(
    {"add_invoice_items", "billing_cycle_anchor", "cancel_at_period_end", "items", "trial_end", "trial_from_plan"}
)
# Whoever asks for one of these does not want any more what waits.
_INSTEAD: Final = frozenset({"billing_cycle_anchor", "items", "trial_end", "trial_from_plan"})
_HOW: Final = frozenset({"expand", "off_session", "payment_behavior", "proration_behavior", "proration_date"})


def update(
    world: World,
    subscription: Document,
    given: dict[str, Any],
    *,
    is_one_item: bool = False,
    is_scheduled: bool = False,
) -> None:
    """Change what a request asks to be changed, told as `customer.subscription.updated` where that is anything.

    `is_one_item`: the parameters of the one entry of `items` stand at the top of the request. `is_scheduled`: it is the
    subscription's own schedule that asks.

    Raises:
        StripeError: 400 where the request cannot be; 402 where it must be paid at once and is not: nothing is written.
    """
    _check_may(subscription, given)
    if not is_scheduled:
        _check_free(subscription, given)
    behavior = given.get("payment_behavior") or "allow_incomplete"
    if behavior == "pending_if_incomplete":
        _check_pendable(subscription, given)
    with world.telling(billing_news.BILLED):
        if _is_instead(subscription, given):
            subscription_pending.expire(world, subscription)
        items = subscription_shape.items_of(world, subscription)
        before = subscription_pending.Before.of([subscription, *items])
        # A change waits for 23 hours, but not beyond the period (a trial is one) that it was worked out in.
        expires_at = min(world.now + PENDING_SECONDS, subscription_shape.period_of(items)[1])
        was_trialing = subscription["status"] == "trialing"
        change = propose(world, subscription, given, is_one_item=is_one_item)
        if change is None:
            world.save(subscription, "customer.subscription.updated")
            subscription_agenda.plan(world, subscription)
            return
        is_trial_over = was_trialing and subscription["status"] == "active"
        if is_trial_over and subscription_trials.ends_unpaid(world, subscription, change.items):
            return
        invoice = bill(world, subscription, change, given) if change.is_billed_now else None
        if invoice is not None and not _settle(world, subscription, invoice, behavior):
            subscription_pending.put_off(
                world,
                subscription,
                change.items,
                invoice,
                before,
                expires_at=expires_at,
                trial_from_plan=given.get("trial_from_plan"),
            )
        else:
            subscription_shape.keep_items(world, subscription, change.items)
        world.save(subscription, "customer.subscription.updated")
        subscription_agenda.plan(world, subscription)


def propose(world: World, subscription: Document, given: dict[str, Any], *, is_one_item: bool = False) -> Change | None:
    """Make a request's changes in memory, and keep what they give back and cost as items of the next invoice.

    None where it only ever touches what is written on the subscription.
    """
    customer = world.get("customer", subscription["customer"])
    subscription_terms.take(world, subscription, customer, given)
    _take_pause(world, subscription, given)
    if subscription["status"] in (*ENDED, "incomplete"):
        return None
    subscribing.add_invoice_items(world, customer, given)
    change = subscription_change.work_out(world, subscription, given, is_one_item=is_one_item)
    by_id = {item.id: item for item in change.items}
    for proration in change.prorations:
        kept = subscription_prorations.keep(world, subscription, proration)
        if proration.amount > 0:
            subscription_ledger.note_source(by_id[proration.item], kept.id)
    for used in change.usage:
        subscription_usage.keep(world, subscription, used)
    subscription_shape.show(subscription, change.items)
    return change


def bill(world: World, subscription: Document, change: Change, given: dict[str, Any]) -> Document | None:
    """The draft over what a change costs at once; None where it costs and gives back nothing."""
    if not (change.charges or change.prorations or change.usage or given.get("add_invoice_items")):
        return None
    starts = [item["current_period_start"] for item in change.items]
    return subscription_billing.draft(
        world,
        subscription,
        change.charges,
        reason="subscription_update",
        period=Period(min(*starts, change.moment) if starts else change.moment, world.now),
        prorated_at=given.get("proration_date"),
    )


def _settle(world: World, subscription: Document, invoice: Document, behavior: str) -> bool:
    """Collect what a change costs at once. False: it is not paid, and the change is to wait until it is."""
    if subscription["collection_method"] == "send_invoice" or subscription_billing.hold(world, subscription, invoice):
        return True
    if behavior == "default_incomplete":
        invoicing.finalize(world, invoice, advances=True)
        if invoice["status"] == "open":
            subscription_billing.let_rest(world, invoice)
            subscription["status"] = "past_due"
        return True
    is_pending = behavior == "pending_if_incomplete"
    if is_pending:
        invoice.private["is_pending_update"] = True
    refusal = subscription_billing.collect(world, subscription, invoice, is_first=is_pending)
    if refusal is not None and behavior == "error_if_incomplete":
        refusal.keeps_work = False
        raise refusal
    return refusal is None or not is_pending


def _is_instead(subscription: Document, given: dict[str, Any]) -> bool:
    """Whether a request takes the place of a change that waits for its payment."""
    pending = subscription["pending_update"]
    if pending is None:
        return False
    ends_otherwise = bool(given.keys() & {"cancel_at", "cancel_at_period_end"})
    return any(given.get(name) for name in _INSTEAD) or (ends_otherwise and pending["cancel_at_period_end"] is not None)


def _check_may(subscription: Document, given: dict[str, Any]) -> None:
    status = subscription["status"]
    if status == "canceled" and given.keys() - _WHEN_ENDED:
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    if status == "incomplete_expired" and given.keys() - _WHEN_ENDED:
        raise invalid("This subscription has expired: nothing but its metadata can be changed.")
    if status == "incomplete" and given.keys() - _WHEN_INCOMPLETE:
        name = sorted(given.keys() - _WHEN_INCOMPLETE)[0]
        raise invalid(
            f"You cannot update `{name}` of a subscription whose status is `incomplete`: its first invoice must be "
            "paid first.",
            param=name,
        )


def _check_free(subscription: Document, given: dict[str, Any]) -> None:
    """Leave the end of a subscription that has a schedule to that."""
    for name in ("cancel_at", "cancel_at_period_end"):
        if subscription["schedule"] is not None and given.get(name):
            raise invalid(
                f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating "
                "any cancelation behavior directly is not allowed. Please update the schedule instead.",
                param=name,
            )


def _check_pendable(subscription: Document, given: dict[str, Any]) -> None:
    if subscription["collection_method"] == "send_invoice":
        raise invalid(
            "`payment_behavior` can only be `pending_if_incomplete` where `collection_method` is "
            "`charge_automatically`.",
            param="payment_behavior",
        )
    for name in sorted(given.keys() - _PENDABLE - _HOW):
        raise invalid(
            f"You cannot change `{name}` when `payment_behavior` is set to `pending_if_incomplete`.", param=name
        )
    for place, entry in enumerate(given.get("items") or ()):
        # A discount is redeemed when it is asked for: it cannot wait for a payment, and be had no sooner.
        if "discounts" in entry:
            raise invalid(
                "You cannot change `discounts` when `payment_behavior` is set to `pending_if_incomplete`.",
                param=f"items[{place}][discounts]",
            )


def _take_pause(world: World, subscription: Document, given: dict[str, Any]) -> None:
    """Stop collecting for a while, or go on with it."""
    if "pause_collection" not in given:
        return
    asked = given["pause_collection"]
    if asked is None:
        subscription["pause_collection"] = None
        return
    resumes_at = asked.get("resumes_at")
    if resumes_at is not None and resumes_at <= world.now:
        raise invalid("`resumes_at` must be in the future.", param="pause_collection[resumes_at]")
    subscription["pause_collection"] = {"behavior": asked["behavior"], "resumes_at": resumes_at}
