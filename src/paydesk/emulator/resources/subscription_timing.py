"""When a subscription's trial ends, and on which moment its cycles hang: as a request wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid
from paydesk.emulator.resources import subscription_periods
from paydesk.emulator.rules import cycles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_DAY: Final = 24 * 3600
TRIAL_SECONDS_MAX: Final = 2 * 366 * _DAY


def begin(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> None:
    """Settle both for a new subscription; it is not saved yet.

    Raises:
        StripeError: 400 for a trial that is over or too long, and for anchors that are over or too far ahead.
    """
    since = given.get("backdate_start_date")
    if since is not None and since > world.now:
        raise invalid("The backdate_start_date must be in the past.", param="backdate_start_date")
    trial_end = _trial_end(world, items, given)
    if trial_end is not None:
        subscription["trial_start"], subscription["trial_end"] = world.now, trial_end
        subscription["status"] = "trialing"
        # The part of a period between the trial's end and the anchor costs nothing where nobody prorates.
        subscription.private["is_first_part_free"] = given.get("proration_behavior") == "none"
    _take_anchor(subscription, items, given, world.now if trial_end is None else trial_end)
    if since is not None and trial_end is None and not _is_anchored(given):
        # Classic subscriptions bill what has gone by, and then begin a period now.
        is_classic = subscription["billing_mode"]["type"] == "classic"
        subscription_periods.hang(subscription, world.now if is_classic else since)


def change(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> bool:
    """Move both where an update wants them; whether every item begins a period by that. It is not saved yet.

    Raises:
        StripeError: 400 for times or combinations that cannot be.
    """
    begins = (given.get("billing_cycle_anchor") or {}).get("type") == "now"
    trial_end = given.get("trial_end")
    if trial_end is None and given.get("trial_from_plan"):
        trial_end = _end_by_plan(world, items)
    if subscription["status"] == "paused" and (begins or trial_end is not None):
        name = "billing_cycle_anchor" if begins else "trial_end"
        raise invalid(f"You cannot change `{name}` of a subscription that is `paused`: resume it first.", param=name)
    is_trial = subscription["status"] == "trialing"
    if trial_end not in (None, "now"):
        if begins:
            raise exclusive("billing_cycle_anchor", "trial_end")
        _check_trial_end(world, trial_end)
        # A classic subscription tells when its first trial began, a flexible one when its latest did.
        is_flexible = subscription["billing_mode"]["type"] == "flexible"
        if not is_trial and (is_flexible or subscription["trial_start"] is None):
            subscription["trial_start"] = world.now
        subscription["trial_end"], subscription["status"] = trial_end, "trialing"
        subscription_periods.hang(subscription, trial_end)
        subscription.private.pop("is_trial_end_told", None)
        return not is_trial
    if is_trial and (begins or trial_end == "now"):
        subscription["trial_end"], subscription["status"] = world.now, "active"
        begins = True
    if begins:
        subscription_periods.hang(subscription, world.now)
    return begins


def _is_anchored(given: dict[str, Any]) -> bool:
    return given.get("billing_cycle_anchor") is not None or given.get("billing_cycle_anchor_config") is not None


def _trial_end(world: World, items: Sequence[Document], given: dict[str, Any]) -> int | None:
    days, end = given.get("trial_period_days"), given.get("trial_end")
    if days is not None and end is not None:
        raise exclusive("trial_end", "trial_period_days")
    if days is not None:
        if days < 1:
            raise StripeError(
                "This value must be greater than or equal to 1.",
                code="parameter_invalid_integer",
                param="trial_period_days",
            )
        end = world.now + days * _DAY
    elif end is None and given.get("trial_from_plan"):
        end = _end_by_plan(world, items)
    if end is None or end == "now":
        return None
    _check_trial_end(world, end)
    return int(end)


def _end_by_plan(world: World, items: Sequence[Document]) -> int | None:
    """When the longest trial ends that the prices themselves offer."""
    days = max((item["plan"]["trial_period_days"] or 0 for item in items), default=0)
    return world.now + days * _DAY if days else None


def _check_trial_end(world: World, end: int) -> None:
    if end <= world.now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", param="trial_end")
    if end > world.now + TRIAL_SECONDS_MAX:
        raise invalid("Invalid timestamp: can be no more than two years in the future", param="trial_end")


def _take_anchor(subscription: Document, items: Sequence[Document], given: dict[str, Any], start: int) -> None:
    """Where the cycles hang that begin at `start`: there, or at the moment the request names."""
    named, config = given.get("billing_cycle_anchor"), given.get("billing_cycle_anchor_config")
    if named is not None and config is not None:
        raise exclusive("billing_cycle_anchor", "billing_cycle_anchor_config")
    if config is not None:
        by_year = all(item["plan"]["interval"] == "year" for item in items)
        subscription["billing_cycle_anchor"] = cycles.first_anchor(start, config, by_year=by_year)
        subscription["billing_cycle_anchor_config"] = {
            name: config.get(name) for name in ("day_of_month", "hour", "minute", "month", "second")
        }
        return
    if named is not None:
        _check_anchor(subscription, items, named, start)
    subscription_periods.hang(subscription, start if named is None else named)


def _check_anchor(subscription: Document, items: Sequence[Document], named: int, start: int) -> None:
    if named < start:
        is_trial = subscription["status"] == "trialing"
        raise invalid(
            "The billing_cycle_anchor must not be before the end of the trial."
            if is_trial
            else "billing_cycle_anchor must be a timestamp in the future.",
            code="subscription_update_trial_after_billing_cycle_anchor" if is_trial else None,
            param="billing_cycle_anchor",
        )
    if any(named > cycles.of_price(item["price"], start).boundary(1) for item in items):
        raise invalid(
            "billing_cycle_anchor cannot be later than next natural billing date of the plan.",
            param="billing_cycle_anchor",
        )
