"""Changing a subscription: other items, other quantities, another rhythm, another time.

What a change means is worked out in memory first: the items as they will be, what is given
back, what costs more, and whether that is billed at once. Only then is anything kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.resources import subscription_items, subscription_shape, subscription_usage
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.resources.subscription_prorations import Proration
from paydesk.emulator.resources.subscription_shape import is_metered
from paydesk.emulator.rules import cycles, proration
from paydesk.emulator.rules.price_amounts import Under
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_DAY: Final = 24 * 3600
TRIAL_SECONDS_MAX: Final = 2 * 366 * _DAY


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


def work_out(
    world: World,
    subscription: Document,
    given: dict[str, Any],
    *,
    at: int | None = None,
    is_one_item: bool = False,
) -> Change:
    """Make the changes of a request in memory, on the subscription and its items, and say what they come to.

    `is_one_item`: the parameters of the one entry of `items` stand at the top of the request.

    Raises:
        StripeError: 400 for items, times or combinations that cannot be.
    """
    items = subscription_shape.items_of(world, subscription)
    moment = at or _moment(world, items, given)
    was_trialing = subscription["status"] == "trialing"
    was_free = _is_free(world, subscription, items)
    sold = _changed(world, subscription, items, given, is_one_item=is_one_item)
    kept = [one.item for one in sold if not one.is_gone]
    subscription_items.check(subscription, kept)
    change = Change(kept, moment)
    starts_anew = _retime(world, subscription, sold, given, moment)
    prorates = given.get("proration_behavior", "create_prorations") != "none" and not was_trialing
    is_trial = subscription["status"] == "trialing"
    is_first_cost = was_free and subscription_items.cost(world, subscription, kept) > 0 and not is_trial
    is_first_cost = is_first_cost and not all(_is_over(one, moment) for one in sold)
    is_other_rhythm = any(_has_other_rhythm(one) and not _is_over(one, moment) for one in sold) and not is_trial
    if (is_other_rhythm or is_first_cost) and subscription["billing_mode"]["type"] == "classic":
        starts_anew = True
        subscription["billing_cycle_anchor"] = moment
    for one in sold:
        _count(world, subscription, one, change, prorates=prorates, starts_anew=starts_anew)
        _carry_over(world, subscription, one, change, prorates=prorates, starts_anew=starts_anew, is_trial=is_trial)
    change.is_billed_now = (
        (starts_anew and not is_trial)
        or is_other_rhythm
        or is_first_cost
        or (given.get("proration_behavior") == "always_invoice" and bool(change.prorations or change.usage))
    )
    return change


def _is_free(world: World, subscription: Document, items: Sequence[Document]) -> bool:
    return not subscription_items.cost(world, subscription, items) and not any(map(is_metered, items))


def credit_of(world: World, subscription: Document, item: Document, moment: int) -> Proration | None:
    """What is given back of an item from a moment on: of what was billed for it last, in the period that was for."""
    billed = item.private.get("billed")
    if billed is None or "quantity" not in item:
        return None
    period = Period(billed["start"], billed["end"])
    amount = billed["amount"]
    if subscription["billing_mode"]["type"] == "classic":
        # Classic subscriptions give back what the item costs now, whatever was billed.
        amount = subscription_items.cost_of(world, subscription, item) if amount else 0
        period = Period(item["current_period_start"], item["current_period_end"])
    given_back = proration.credit(amount, period, moment)
    if not given_back:
        return None
    price = world.ever("price", item["price"]["id"])
    rest = period.rest(moment)
    return Proration(item.id, price, item["quantity"], given_back, rest, tuple(item["tax_rates"]), billed)


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
            continue
        price = subscription_items.priced(world, entry, under, subscription["currency"])
        if price is not None:
            subscription_shape.set_price(one.item, price)
        if price is not None or entry.get("quantity") is not None:
            now_sold = world.ever("price", one.item["price"]["id"])
            told = (
                entry
                if entry.get("quantity") is not None or "quantity" not in one.item
                else (entry | {"quantity": one.item["quantity"]})
            )
            if now_sold["recurring"]["usage_type"] == "metered" and entry.get("quantity") is None:
                told = {}
            subscription_shape.set_quantity(one.item, subscription_items.quantity(told, under, now_sold))
        subscription_items.describe(world, subscription, one.item, entry, under)
    return sold


def _retime(world: World, subscription: Document, sold: Sequence[_Sold], given: dict[str, Any], moment: int) -> bool:
    """Move trial and anchor where the request wants them; whether every item begins a new period by that."""
    anchor = (given.get("billing_cycle_anchor") or {}).get("type", "unchanged")
    trial_end = given.get("trial_end")
    if given.get("trial_from_plan") and trial_end is None:
        days = max((one.item["plan"]["trial_period_days"] or 0 for one in sold if not one.is_gone), default=0)
        trial_end = world.now + days * _DAY if days else None
    if anchor == "now" and trial_end not in (None, "now"):
        raise exclusive("billing_cycle_anchor", "trial_end")
    if trial_end is not None and trial_end != "now":
        _check_trial_end(world, trial_end)
        if subscription["status"] != "trialing":
            subscription["trial_start"] = world.now
        subscription["trial_end"] = subscription["billing_cycle_anchor"] = trial_end
        subscription["status"] = "trialing"
        subscription.private.pop("is_trial_end_told", None)
        return True
    if trial_end == "now" and subscription["status"] == "trialing":
        subscription["trial_end"] = moment
        subscription["status"] = "active"
        subscription["billing_cycle_anchor"] = moment
        return True
    if anchor == "now":
        if subscription["status"] == "trialing":
            subscription["trial_end"] = moment
            subscription["status"] = "active"
        subscription["billing_cycle_anchor"] = moment
        subscription["billing_cycle_anchor_config"] = None
        return True
    return False


def _check_trial_end(world: World, end: int) -> None:
    if end <= world.now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", param="trial_end")
    if end > world.now + TRIAL_SECONDS_MAX:
        raise invalid("Invalid timestamp: can be no more than two years in the future", param="trial_end")


def _has_other_rhythm(one: _Sold) -> bool:
    return one.before is not None and not one.is_gone and _rhythm(one.before) != _rhythm(one.item)


def _is_over(one: _Sold, moment: int) -> bool:
    """Whether nothing is left of the period an item was in."""
    return one.before is not None and bool(one.before["current_period_end"] <= moment)


def _rhythm(item: Document) -> tuple[str, int]:
    return item["plan"]["interval"], item["plan"]["interval_count"]


def _count(
    world: World, subscription: Document, one: _Sold, change: Change, *, prorates: bool, starts_anew: bool
) -> None:
    """Settle from when on the usage of an item counts after the change, and what of it is billed with the change."""
    moment, item, before = change.moment, one.item, one.before
    is_trial = subscription["status"] == "trialing"
    is_same = before is not None and not one.is_gone and before["price"]["id"] == item["price"]["id"]
    if before is not None and not is_same:
        # Of a classic subscription, nobody is billed for the usage of what is sold no longer.
        if prorates and subscription["billing_mode"]["type"] == "flexible":
            goes_on = not one.is_gone and _meter(before) == _meter(item)
            used = subscription_usage.charge(world, subscription, before, moment, includes_now=not goes_on)
            change.usage += [] if used is None else [used]
    elif before is not None and starts_anew:
        used = subscription_usage.charge(world, subscription, item, moment)
        billed = change.usage if is_trial else change.charges
        billed += [] if used is None else [used]
    if starts_anew or not is_same:
        subscription_usage.begin(item, max(moment, subscription["trial_end"] or 0) if is_trial else moment)


def _meter(item: Document) -> str | None:
    meter: str | None = item["price"]["recurring"]["meter"]
    return meter


def _carry_over(
    world: World,
    subscription: Document,
    one: _Sold,
    change: Change,
    *,
    prorates: bool,
    starts_anew: bool,
    is_trial: bool,
) -> None:
    """Put an item into the period it is in after the change, and note what that gives back and costs."""
    moment, item, before = change.moment, one.item, one.before
    given_back = None if before is None else credit_of(world, subscription, before, moment)
    if one.is_gone:
        if prorates and given_back is not None:
            change.prorations.append(given_back)
        return
    if starts_anew:
        _start_anew(subscription, one, change, is_trial=is_trial)
        if prorates and given_back is not None:
            change.prorations.append(given_back)
        return
    if _is_over(one, moment):
        # The next period, which is about to begin, is billed as whatever the item is then.
        return
    if before is None or _has_other_rhythm(one):
        item["current_period_start"], item["current_period_end"] = _period(subscription, one, moment)
    period = Period(item["current_period_start"], item["current_period_end"])
    if is_trial:
        item.private["billed"] = {"amount": 0, "start": period.start, "end": period.end}
        return
    amount = subscription_items.cost_of(world, subscription, item)
    is_same = before is not None and not _has_other_rhythm(one) and _costs_same(world, subscription, before, amount)
    if not prorates or is_same:
        return
    if given_back is not None:
        change.prorations.append(given_back)
    if is_metered(item):
        return
    rest = period.rest(moment)
    costs = proration.debit(amount, period, moment)
    if costs:
        price = world.ever("price", item["price"]["id"])
        change.prorations.append(Proration(item.id, price, item["quantity"], costs, rest, tuple(item["tax_rates"])))
    item.private["billed"] = {"amount": amount, "start": period.start, "end": period.end}


def _costs_same(world: World, subscription: Document, before: Document, amount: int) -> bool:
    return amount == subscription_items.cost_of(world, subscription, before)


def _start_anew(subscription: Document, one: _Sold, change: Change, *, is_trial: bool) -> None:
    item = one.item
    if is_trial:
        period = Period(change.moment, subscription["trial_end"])
        item.private["billed"] = {"amount": 0, "start": period.start, "end": period.end}
    else:
        cycle = cycles.of_price(item["price"], subscription["billing_cycle_anchor"])
        period = Period(change.moment, cycle.after(change.moment))
        change.charges.append(Charge(item, period))
    item["current_period_start"], item["current_period_end"] = period.start, period.end


def _period(subscription: Document, one: _Sold, moment: int) -> tuple[int, int]:
    """The period of an item that joins, or gets another rhythm, while the anchor stays."""
    config = subscription["billing_cycle_anchor_config"]
    day = None if config is None else config["day_of_month"]
    cycle = cycles.of_price(one.item["price"], subscription["billing_cycle_anchor"], day=day)
    if one.before is not None:
        start = one.before["current_period_start"]
        end = cycles.of_price(one.item["price"], start, day=day).boundary(1)
        if end > moment:
            return start, end
    return cycle.holding(moment)
