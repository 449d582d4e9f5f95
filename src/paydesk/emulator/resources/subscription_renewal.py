"""Renewal: a subscription's next period, and the draft that bills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.resources import (
    subscription_agenda,
    subscription_billing,
    subscription_periods,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def renew(world: World, subscription: Document, items: Sequence[Document]) -> Document:
    """Put the items whose period is over into their next one: the draft that bills it, told as `invoice.created`.

    Neither items nor subscription are saved yet.
    """
    due = [item for item in items if item["current_period_end"] <= world.now]
    elapsed = Period(min(item["current_period_start"] for item in due), max(item["current_period_end"] for item in due))
    charges = [_charge(world, subscription, item) for item in due]
    return subscription_billing.draft(world, subscription, charges, reason="subscription_cycle", period=elapsed)


def begin_period(world: World, subscription: Document, items: Sequence[Document]) -> None:
    """The next period has begun: bill it, and tell of both."""
    invoice = renew(world, subscription, items)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    subscription_shape.keep_items(world, subscription, items)
    world.save(subscription, "customer.subscription.updated")
    subscription_agenda.plan(world, subscription)
    subscription_billing.hold(world, subscription, invoice)


def _charge(world: World, subscription: Document, item: Document) -> Charge:
    """What is billed of an item when its period is over: what was used in it, or else the next one."""
    used = subscription_usage.charge(world, subscription, item, item["current_period_end"])
    following = _next_charge(subscription, item)
    return following if used is None else used


def _next_charge(subscription: Document, item: Document) -> Charge:
    """An item's next period, cut short where the subscription ends in it, or its cycles hang on a later moment."""
    start = item["current_period_end"]
    whole = subscription_periods.following(subscription, item)
    period = subscription_periods.until_end(subscription, Period(start, whole.end))
    subscription_periods.put(item, period, whole)
    is_before_anchor = start < subscription["billing_cycle_anchor"]
    is_free = is_before_anchor and bool(subscription.private.get("is_first_part_free"))
    return Charge(item, period, None if period == whole else whole, is_free=is_free)
