"""Scheduling: a subscription led through the phases of its schedule, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import (
    invoice_collection,
    schedule_shape,
    subscribing,
    subscription_ending,
    subscription_shape,
    subscription_update,
)
from paydesk.emulator.resources.subscription_agenda import SCHEDULE_DUE
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import phases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

EXPIRING: Final = "subscription_schedule.expiring"
_DAY: Final = 24 * 3600
NOTICE_SECONDS: Final = 7 * _DAY
OVER: Final = ("canceled", "completed", "released")


def plan(world: World, schedule: Document) -> None:
    """Put on the agenda when a schedule's next phase begins, or its last one ends, in place of what was there."""
    world.unschedule((SCHEDULE_DUE, EXPIRING), schedule.id)
    if schedule["status"] in OVER:
        return
    last = schedule["phases"][-1]["end_date"]
    moments = [phase["start_date"] for phase in schedule["phases"]] + [last]
    ahead = [moment for moment in moments if moment > world.now]
    if schedule["status"] == "not_started":
        ahead = [schedule["phases"][0]["start_date"]]
    if ahead:
        world.schedule(min(ahead), SCHEDULE_DUE, schedule.id)
    if last - NOTICE_SECONDS > world.now:
        world.schedule(last - NOTICE_SECONDS, EXPIRING, schedule.id)


def start_if_due(world: World, schedule: Document) -> None:
    """Begin the subscription of a schedule whose first phase has come."""
    place = phases.current(schedule_shape.times(schedule), world.now)
    if schedule["status"] != "not_started" or place is None:
        return
    phase = schedule["phases"][place]
    customer = world.get("customer", schedule["customer"])
    given = _first(schedule, phase)
    chosen = {"customer": customer.id, "default_source": None}
    chosen["default_payment_method"] = given.get("default_payment_method")
    subscription = subscribing.start(world, customer, given | _unless_payable(world, chosen))
    subscription["schedule"] = schedule.id
    world.save(subscription)
    schedule["subscription"] = subscription.id
    schedule["status"] = "active"
    _enter(schedule, phase)


def adopt(world: World, schedule: Document, subscription: Document) -> None:
    """Let a schedule lead a subscription that is there already: its first phase is the period it is in."""
    start, end = subscription_shape.period_of(subscription["items"]["data"])
    given: dict[str, Any] = {
        "end_date": end,
        "items": [
            {"price": item["price"]["id"], "quantity": item.get("quantity"), "metadata": item["metadata"]}
            for item in subscription["items"]["data"]
        ],
        "metadata": subscription["metadata"],
        "start_date": start,
    }
    if subscription["status"] == "trialing":
        given["trial_end"] = subscription["trial_end"]
    schedule_shape.set_phases(world, schedule, [given], start)
    schedule["status"] = "active"
    schedule["subscription"] = subscription.id
    _enter(schedule, schedule["phases"][0])
    subscription["schedule"] = schedule.id


def follow(world: World, schedule: Document, phase: dict[str, Any], *, proration_behavior: str | None = None) -> None:
    """Make of the subscription what a phase wants it to be."""
    subscription = world.get("subscription", schedule["subscription"])
    if subscription["status"] in ENDED:
        return
    given = _next(world, schedule, phase, subscription, proration_behavior or phase["proration_behavior"])
    subscription_update.update(world, subscription, given | _unless_payable(world, subscription), is_scheduled=True)


def release(world: World, schedule: Document, status: str, *, preserves_end: bool = True) -> None:
    """Let the subscription go on by itself."""
    subscription = None if schedule["subscription"] is None else world.find("subscription", schedule["subscription"])
    if subscription is not None:
        subscription["schedule"] = None
        if not preserves_end and subscription["cancel_at"] is not None:
            subscription["cancel_at"], subscription["cancel_at_period_end"] = None, False
        world.save(subscription, "customer.subscription.updated")
        schedule["released_subscription"] = subscription.id
    schedule["subscription"] = None
    schedule["released_at"] = world.now
    end(world, schedule, status)


def end(world: World, schedule: Document, status: str) -> None:
    """Nothing follows any more; told as what it is called."""
    schedule["status"] = status
    schedule["current_phase"] = None
    if status != "released":
        schedule["completed_at" if status == "completed" else "canceled_at"] = world.now
    world.save(schedule)
    world.emit(f"subscription_schedule.{status}", schedule)
    plan(world, schedule)


def _unless_payable(world: World, subscription: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody is there to be told that there is nothing to charge: what is due stays open then."""
    is_payable = invoice_collection.method_of_subscription(world, subscription) is not None
    return {} if is_payable else {"payment_behavior": "default_incomplete"}


def _enter(schedule: Document, phase: dict[str, Any]) -> None:
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}


def _first(schedule: Document, phase: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the subscription that a phase begins."""
    given: dict[str, Any] = {
        "billing_mode": schedule["billing_mode"],
        "currency": phase["currency"],
        "items": [_entry(item) for item in phase["items"]],
        "metadata": phase["metadata"],
        "add_invoice_items": _extra(phase),
        **_passed(schedule, phase),
    }
    if phase["discounts"]:
        given["discounts"] = _discounts(phase["discounts"])
    if phase["trial_end"] is not None:
        given["trial_end"] = phase["trial_end"]
    return given


def _next(
    world: World, schedule: Document, phase: dict[str, Any], subscription: Document, proration_behavior: str
) -> dict[str, Any]:
    """The parameters of the update that a phase's beginning is."""
    held = {item["price"]["id"]: item for item in subscription_shape.items_of(world, subscription)}
    unused = [item for price, item in held.items() if price not in {one["price"] for one in phase["items"]}]
    entries = []
    for wanted in phase["items"]:
        # What is sold at another price from now on stays the item it was.
        known = held.get(wanted["price"]) or (unused.pop(0) if unused else None)
        entries.append(_entry(wanted) | ({} if known is None else {"id": known.id}))
    entries += [{"id": item.id, "deleted": True} for item in unused]
    given: dict[str, Any] = {
        "add_invoice_items": _extra(phase),
        "items": entries,
        "metadata": phase["metadata"],
        "proration_behavior": proration_behavior,
        **_passed(schedule, phase),
    }
    if phase["billing_cycle_anchor"] == "phase_start":
        given["billing_cycle_anchor"] = {"type": "now"}
    if phase["trial_end"] is not None and phase["trial_end"] > world.now:
        given["trial_end"] = phase["trial_end"]
    if phase["discounts"]:
        given["discounts"] = _discounts(phase["discounts"])
    return given


def _passed(schedule: Document, phase: dict[str, Any]) -> dict[str, Any]:
    settings = schedule["default_settings"]
    passed = {name: phase[name] or settings[name] for name in schedule_shape.PASSED}
    given = {name: value for name, value in passed.items() if value is not None}
    days = (phase["invoice_settings"] or settings["invoice_settings"])["days_until_due"]
    if given.get("collection_method") == "send_invoice" and days is not None:
        given["days_until_due"] = days
    if phase["default_tax_rates"]:
        given["default_tax_rates"] = [rate["id"] for rate in phase["default_tax_rates"]]
    return given


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {name: item[name] for name in ("metadata", "price", "quantity") if name in item}
    if item["tax_rates"]:
        entry["tax_rates"] = [rate["id"] for rate in item["tax_rates"]]
    if item["discounts"]:
        entry["discounts"] = _discounts(item["discounts"])
    return entry


def _extra(phase: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"price": one["price"], "quantity": one["quantity"]} for one in phase["add_invoice_items"]]


def _discounts(named: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if value is not None} for one in named]


def _due(world: World, subject: str) -> None:
    schedule = world.get("subscription_schedule", subject)
    if schedule["status"] in OVER:
        return
    if schedule["status"] == "not_started":
        start_if_due(world, schedule)
        world.save(schedule, "subscription_schedule.updated")
        plan(world, schedule)
        return
    place = phases.current(schedule_shape.times(schedule), world.now)
    if place is None:
        _finish(world, schedule)
        return
    phase = schedule["phases"][place]
    if schedule["current_phase"] is None or schedule["current_phase"]["start_date"] != phase["start_date"]:
        _enter(schedule, phase)
        follow(world, schedule, phase)
        world.save(schedule, "subscription_schedule.updated")
    plan(world, schedule)


def _finish(world: World, schedule: Document) -> None:
    """The last phase is over."""
    if schedule["end_behavior"] != "cancel":
        release(world, schedule, "completed")
        return
    subscription = world.find("subscription", schedule["subscription"])
    end(world, schedule, "completed")
    if subscription is not None and subscription["status"] not in ENDED:
        subscription_ending.end(world, subscription, reason="cancellation_requested")


def _expiring(world: World, subject: str) -> None:
    schedule = world.get("subscription_schedule", subject)
    if schedule["status"] not in OVER:
        world.emit("subscription_schedule.expiring", schedule)


def _subscription_ended(world: World, subject: str) -> None:
    """A subscription that was led has ended: so has its schedule."""
    schedule = world.find("subscription_schedule", subject)
    if schedule is not None and schedule["status"] not in OVER:
        end(world, schedule, "canceled")


TASKS: dict[str, Any] = {
    EXPIRING: _expiring,
    SCHEDULE_DUE: _due,
    subscription_ending.SCHEDULE_ENDS: _subscription_ended,
}
