"""Changing a subscription: other items, other quantities, another rhythm, another time.

What a change means is worked out in memory first: the items as they will be, what is given
back, what costs more, and whether that is billed at once. Only then is anything kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.resources import (
    subscription_items,
    subscription_ledger,
    subscription_periods,
    subscription_shape,
    subscription_terms,
    subscription_timing,
    subscription_usage,
)
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.resources.subscription_shape import is_metered
from paydesk.emulator.rules.price_amounts import Under
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.subscription_prorations import Proration


@dataclass
class Change:
    """What a request makes of a subscription: `items` as they will be, and what is to be billed for it.

    `prorations` are for the rest of periods that go on, `charges` for whole periods that begin now, `usage` for what
    was used of what is sold no longer. `is_billed_now` tells whether all that is collected with the change, or waits
    for the next invoice.
    """

    items: list[Document]
    moment: int
    prorations: list[Proration] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    usage: list[Charge] = field(default_factory=list)
    is_billed_now: bool = False


@dataclass
class _Sold:
    """An item with what it was before the change."""

    item: Document
    before: Document | None
    is_gone: bool = False

    @property
    def has_other_rhythm(self) -> bool:
        return self.before is not None and not self.is_gone and _rhythm(self.before) != _rhythm(self.item)

    def is_over(self, moment: int) -> bool:
        """Whether nothing is left of the period it was in."""
        return self.before is not None and bool(self.before["current_period_end"] <= moment)


@dataclass(frozen=True)
class _How:
    """How the items are carried over: `begins` a new period now, stays (or comes) into a trial, or rests in a pause.

    `prorates` tells whether what is left of a period counts.
    """

    begins: bool
    is_trial: bool
    is_paused: bool
    prorates: bool


def work_out(world: World, subscription: Document, given: dict[str, Any], *, is_one_item: bool = False) -> Change:
    """Make the changes of a request in memory, on the subscription and its items, and say what they come to.

    `is_one_item`: the parameters of the one entry of `items` stand at the top of the request.

    Raises:
        StripeError: 400 for items, times or combinations that cannot be.
    """
    items = subscription_shape.items_of(world, subscription)
    moment = _moment(world, items, given)
    was_trialing = subscription["status"] == "trialing"
    was_free = _is_free(world, subscription, items)
    sold = _changed(world, subscription, items, given, is_one_item=is_one_item)
    kept = [one.item for one in sold if not one.is_gone]
    subscription_items.check(subscription, kept)
    cost = subscription_items.cost(world, subscription, kept)
    subscription_terms.take_discounts(world, subscription, given, cost)
    begins = subscription_timing.change(world, subscription, kept, given)
    is_trial, is_paused = subscription["status"] == "trialing", subscription["status"] == "paused"
    is_rated = not is_trial and not is_paused and not all(one.is_over(moment) for one in sold)
    is_first_cost = is_rated and was_free and cost > 0
    is_other_rhythm = is_rated and any(one.has_other_rhythm and not one.is_over(moment) for one in sold)
    is_classic = subscription["billing_mode"]["type"] == "classic"
    if is_classic and (is_other_rhythm or is_first_cost):
        begins = True
        subscription_periods.hang(subscription, world.now)
    wanted = given.get("proration_behavior", "create_prorations")
    how = _How(begins, is_trial, is_paused, wanted != "none" and not was_trialing and not is_paused)
    change = Change(kept, moment)
    for one in sold:
        _count(world, subscription, one, change, how)
        _place(world, subscription, one, change, how)
    ended_at = subscription["cancel_at"]
    subscription_terms.take_end(world, subscription, kept, given)
    _rate(world, subscription, sold, change, how, moves_end=subscription["cancel_at"] != ended_at)
    makes_invoice = change.prorations or change.usage or (is_classic and given.get("add_invoice_items"))
    change.is_billed_now = (
        (begins and not is_trial)
        or is_other_rhythm
        or is_first_cost
        or (wanted == "always_invoice" and bool(makes_invoice))
    )
    return change


def _is_free(world: World, subscription: Document, items: Sequence[Document]) -> bool:
    return not subscription_items.cost(world, subscription, items) and not any(map(is_metered, items))


def _moment(world: World, items: Sequence[Document], given: dict[str, Any]) -> int:
    named = given.get("proration_date")
    if named is None:
        return world.now
    start, end = subscription_shape.period_of(items)
    if not start <= named <= end:
        raise invalid(
            "Invalid proration_date: it must lie within the subscription's current period.", param="proration_date"
        )
    return int(named)


def _changed(
    world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any], *, is_one_item: bool
) -> list[_Sold]:
    """Every item as it will be, next to what it was."""
    sold = [_Sold(item, subscription_shape.copy_of(item)) for item in items]
    by_id = {one.item.id: one for one in sold}
    for place, entry in enumerate(given.get("items") or ()):
        under = Under("" if is_one_item else f"items[{place}]")
        if entry.get("id") is None:
            sold.append(_Sold(subscription_items.new(world, subscription, entry, under), None))
            continue
        one = by_id.get(entry["id"])
        if one is None:
            raise invalid(f"Invalid subscription_item id: {entry['id']}", param=under("id"))
        if entry.get("deleted"):
            one.is_gone = True
        else:
            subscription_items.change(world, subscription, one.item, entry, under)
    return sold


def _rhythm(item: Document) -> tuple[str, int]:
    return item["plan"]["interval"], item["plan"]["interval_count"]


def _count(world: World, subscription: Document, one: _Sold, change: Change, how: _How) -> None:
    """Settle from when on the usage of an item counts after the change, and what of it is billed with the change."""
    moment, item, before = change.moment, one.item, one.before
    if how.is_paused:
        return
    is_same = before is not None and not one.is_gone and before["price"]["id"] == item["price"]["id"]
    if before is not None and not is_same:
        # Of a classic subscription, nobody is billed for the usage of what is sold no longer.
        if how.prorates and subscription["billing_mode"]["type"] == "flexible":
            goes_on = not one.is_gone and _meter(before) == _meter(item)
            used = subscription_usage.charge(world, subscription, before, moment, includes_now=not goes_on)
            change.usage += [] if used is None else [used]
    elif before is not None and how.begins:
        used = subscription_usage.charge(world, subscription, item, moment)
        billed = change.usage if how.is_trial else change.charges
        billed += [] if used is None else [used]
    if how.begins or how.is_trial or not is_same:
        subscription_usage.begin(item, max(moment, subscription["trial_end"]) if how.is_trial else moment)


def _meter(item: Document) -> str | None:
    meter: str | None = item["price"]["recurring"]["meter"]
    return meter


def _place(world: World, subscription: Document, one: _Sold, change: Change, how: _How) -> None:
    """Put an item into the period it is in after the change, but for what may cut it short."""
    item, before, moment = one.item, one.before, change.moment
    if one.is_gone or how.is_paused:
        return
    if how.is_trial:
        start = world.now if before is None or how.begins else before["current_period_start"]
        subscription_periods.put(item, Period(start, subscription["trial_end"]))
        subscription_ledger.forget(item)
    elif how.begins or before is None:
        since = world.now if how.begins else moment
        subscription_periods.put(item, subscription_periods.holding(subscription, item, since))
    elif one.is_over(moment):
        # The next period, which is about to begin, is billed as whatever the item is then.
        return
    elif one.has_other_rhythm:
        whole = subscription_periods.in_new_rhythm(subscription, item, before, moment)
        start = max(whole.start, before["current_period_start"])
        subscription_periods.put(item, Period(start, whole.end), whole)
    else:
        whole = subscription_periods.whole_of(before)
        subscription_periods.put(item, Period(before["current_period_start"], whole.end), whole)


def _rate(
    world: World, subscription: Document, sold: Sequence[_Sold], change: Change, how: _How, *, moves_end: bool
) -> None:
    """Note what each item gives back, and what it costs from now on."""
    counted = [one.item for one in sold if not one.is_gone and not is_metered(one.item)]
    costs = subscription_items.net_costs(world, subscription, counted)
    for one in sold:
        item, before = one.item, one.before
        is_same = before is not None and not how.begins and _costs_same(world, subscription, one, before)
        if not one.is_gone:
            _cut_short(subscription, one, how, is_left=not moves_end and (is_same or not how.prorates))
        if how.prorates and before is not None:
            ends = min(before["current_period_end"], item["current_period_end"])
            since = ends if is_same else change.moment
            change.prorations += subscription_ledger.given_back(world, subscription, before, since)
            subscription_ledger.cut(item, since)
        if one.is_gone or how.is_trial or how.is_paused:
            continue
        if how.begins:
            change.charges.append(Charge(item, subscription_periods.of(item), _whole(item)))
        elif how.prorates and item.id in costs and not one.is_over(change.moment):
            since = change.moment if before is None or not is_same else before["current_period_end"]
            change.prorations += subscription_ledger.owed(world, item, costs[item.id], since)


def _cut_short(subscription: Document, one: _Sold, how: _How, *, is_left: bool) -> None:
    """End an item's period where the subscription ends in it; `is_left`: it ends where it did."""
    item, before = one.item, one.before
    if how.is_trial or how.is_paused:
        return
    period, whole = subscription_periods.of(item), subscription_periods.whole_of(item)
    if is_left and before is not None and not how.begins and not one.has_other_rhythm:
        subscription_periods.put(item, subscription_periods.of(before), subscription_periods.whole_of(before))
    elif how.prorates or how.begins:
        subscription_periods.put(item, subscription_periods.until_end(subscription, period), whole)


def _costs_same(world: World, subscription: Document, one: _Sold, before: Document) -> bool:
    """Whether an item goes on as it was, as far as money is concerned."""
    if one.is_gone or one.has_other_rhythm:
        return False
    costs = (subscription_items.cost_of(world, subscription, item) for item in (before, one.item))
    return len(set(costs)) == 1


def _whole(item: Document) -> Period | None:
    whole = subscription_periods.whole_of(item)
    return None if whole == subscription_periods.of(item) else whole
