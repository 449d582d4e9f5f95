"""Renewal: a subscription's next period, and the draft that bills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.resources import (
    invoicing,
    subscription_agenda,
    subscription_billing,
    subscription_shape,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.rules import cycles
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
    pausing = subscription["pause_collection"]
    is_left = subscription["status"] == "unpaid" or (pausing or {}).get("behavior") == "keep_as_draft"
    return subscription_billing.draft(
        world, subscription, charges, reason="subscription_cycle", period=elapsed, advances=not is_left
    )


def begin_period(world: World, subscription: Document, items: Sequence[Document]) -> None:
    """The next period has begun: bill it, and tell of both."""
    invoice = renew(world, subscription, items)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    subscription_shape.keep_items(world, subscription, items)
    world.save(subscription, "customer.subscription.updated")
    subscription_agenda.plan(world, subscription)
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "void":
        invoicing.finalize(world, invoice, advances=False)
        if invoice["status"] == "open":
            invoicing.void(world, invoice)
    elif behavior == "mark_uncollectible":
        invoicing.finalize(world, invoice, advances=False)
        if invoice["status"] == "open":
            invoicing.mark_uncollectible(world, invoice, "subscription_paused")


def _charge(world: World, subscription: Document, item: Document) -> Charge:
    """What is billed of an item when its period is over: what was used in it, or else the next one."""
    used = subscription_usage.charge(world, subscription, item, item["current_period_end"])
    following = _next_charge(subscription, item)
    return following if used is None else used


def _next_charge(subscription: Document, item: Document) -> Charge:
    """An item's next period, cut short where the subscription ends in it."""
    config = subscription["billing_cycle_anchor_config"]
    day = None if config is None else config["day_of_month"]
    cycle = cycles.of_price(item["price"], subscription["billing_cycle_anchor"], day=day)
    start = item["current_period_end"]
    whole = Period(*cycle.holding(start))
    if whole.start != start > subscription["billing_cycle_anchor"]:
        # Another rhythm than the one the anchor was for: it counts from here.
        whole = Period(start, cycles.of_price(item["price"], start, day=day).boundary(1))
    period = Period(start, whole.end)
    cancel_at = subscription["cancel_at"]
    if cancel_at is not None and start < cancel_at < period.end:
        period = Period(start, cancel_at)
    item["current_period_start"], item["current_period_end"] = period.start, period.end
    return Charge(item, period, None if period == whole else whole)
