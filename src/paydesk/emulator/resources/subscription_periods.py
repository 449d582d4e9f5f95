"""Which period an item of a subscription is in: where its cycle hangs, and what cuts a period short.

A period can be a part of the one its price is for: before the first anchor, or where the subscription ends in it.
That whole is remembered, so that a second of the part costs what a second of the whole does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.rules import cycles
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.rules.cycles import Cycle


def hang(subscription: Document, anchor: int) -> None:
    """Let all cycles hang on another moment, whatever day of the month was meant before."""
    subscription["billing_cycle_anchor"] = anchor
    subscription["billing_cycle_anchor_config"] = None


def cycle_of(subscription: Document, item: Document) -> Cycle:
    """The cycle of an item, on its subscription's anchor."""
    config = subscription["billing_cycle_anchor_config"]
    day = None if config is None else config["day_of_month"]
    return cycles.of_price(item["price"], subscription["billing_cycle_anchor"], day=day)


def of(item: Document) -> Period:
    """The period an item is in."""
    return Period(item["current_period_start"], item["current_period_end"])


def whole_of(item: Document) -> Period:
    """The period an item's price is for: the one it is in, or the longer one that is a part of."""
    known = item.private.get("whole")
    return of(item) if known is None else Period(*known)


def put(item: Document, period: Period, whole: Period | None = None) -> None:
    """Put an item into a period, which may be a part of a whole one; it is not saved yet."""
    item["current_period_start"], item["current_period_end"] = period.start, period.end
    if whole is None or whole == period:
        item.private.pop("whole", None)
    else:
        item.private["whole"] = [whole.start, whole.end]


def holding(subscription: Document, item: Document, moment: int) -> Period:
    """The period of an item's cycle that a moment lies in."""
    return Period(*cycle_of(subscription, item).holding(moment))


def following(subscription: Document, item: Document) -> Period:
    """The period after the one an item is in."""
    start = item["current_period_end"]
    whole = holding(subscription, item, start)
    if whole.start != start > subscription["billing_cycle_anchor"]:
        # It got another rhythm than the one the anchor was for: that counts from here.
        whole = Period(start, cycle_of(subscription, item).counted_from(start).boundary(1))
    return whole


def in_new_rhythm(subscription: Document, item: Document, before: Document, moment: int) -> Period:
    """The period of an item that gets another rhythm while the anchor stays: from where it was, if that is not over."""
    if whole_of(before) == of(before):
        start = before["current_period_start"]
        end = cycle_of(subscription, item).counted_from(start).boundary(1)
        if end > moment:
            return Period(start, end)
    return holding(subscription, item, moment)


def until_end(subscription: Document, period: Period) -> Period:
    """A period, cut short where its subscription ends in it at a time of its own."""
    end = subscription["cancel_at"]
    if end is None or subscription["cancel_at_period_end"] or not period.start < end < period.end:
        return period
    return Period(period.start, end)
