"""Subscription schedules: what a subscription will be, phase by phase, decided in advance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources import schedule_shape, scheduling, subscription_ending, subscription_terms
from paydesk.emulator.resources.schedule_shape import SCHEDULE
from paydesk.emulator.resources.scheduling import OVER
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import phases

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_FLEXIBLE: Final = {"flexible": {"proration_discounts": "included"}, "type": "flexible"}


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if given.get("from_subscription") is not None:
        return _from_subscription(call)
    if given.get("customer") is None:
        raise missing_param("customer")
    customer = world.get("customer", given["customer"], param="customer")
    mode = given.get("billing_mode") or {"type": "flexible"}
    schedule = schedule_shape.new(
        world,
        customer,
        given,
        billing_mode={"flexible": None, "type": "classic"} if mode["type"] == "classic" else dict(_FLEXIBLE),
    )
    schedule_shape.take_defaults(schedule, given)
    start = given.get("start_date")
    if start is None:
        raise missing_param("start_date")
    schedule_shape.set_phases(world, schedule, given.get("phases") or (), world.now if start == "now" else start)
    world.add(schedule)
    scheduling.start_if_due(world, schedule)
    world.save(schedule)
    world.emit("subscription_schedule.created", schedule)
    scheduling.plan(world, schedule)
    return schedule


def _from_subscription(call: Call) -> Document:
    world, given = call.world, call.params
    for name in ("customer", "default_settings", "end_behavior", "phases", "start_date"):
        if given.get(name) is not None:
            raise invalid(f"You cannot set `{name}` if `from_subscription` is set.", param=name)
    subscription = world.get("subscription", given["from_subscription"], param="from_subscription")
    return of_subscription(world, subscription, given)


def of_subscription(world: World, subscription: Document, given: dict[str, Any]) -> Document:
    """A schedule that leads a subscription which is there already, from the period it is in.

    Raises:
        StripeError: 400 where it has ended, was never paid, or is led already.
    """
    if subscription["status"] in (*ENDED, "incomplete"):
        raise invalid(
            f"You cannot migrate a subscription that is `{subscription['status']}` to a schedule.",
            param="from_subscription",
        )
    if subscription["schedule"] is not None:
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: {subscription['schedule']}.",
            param="from_subscription",
        )
    customer = world.get("customer", subscription["customer"])
    mode = {name: value for name, value in subscription["billing_mode"].items() if name != "updated_at"}
    schedule = schedule_shape.new(world, customer, given, billing_mode=mode)
    settings = schedule["default_settings"]
    for name in schedule_shape.PASSED:
        settings[name] = subscription[name]
    settings["invoice_settings"]["days_until_due"] = subscription["days_until_due"]
    scheduling.adopt(world, schedule, subscription)
    world.add(schedule, "subscription_schedule.created")
    world.save(subscription, "customer.subscription.updated")
    scheduling.plan(world, schedule)
    return schedule


def _update(call: Call) -> Document:
    schedule = _led(call, "update")
    change(call.world, schedule, call.params)
    return schedule


def change(world: World, schedule: Document, given: dict[str, Any]) -> None:
    """Change what a request asks to be changed of a schedule that is not over.

    Raises:
        StripeError: 400 where its phases cannot be.
    """
    if given.get("end_behavior") is not None:
        schedule["end_behavior"] = given["end_behavior"]
    if "metadata" in given:
        schedule["metadata"] = metadata(schedule["metadata"], given["metadata"])
    schedule_shape.take_defaults(schedule, given)
    if given.get("phases") is not None:
        _set_phases(world, schedule, given)
    world.save(schedule, "subscription_schedule.updated")
    scheduling.plan(world, schedule)


def _set_phases(world: World, schedule: Document, given: dict[str, Any]) -> None:
    first = given["phases"][0].get("start_date") if given["phases"] else None
    start = world.now if first == "now" else first or schedule["phases"][0]["start_date"]
    before = [dict(phase) for phase in schedule["phases"]]
    schedule_shape.set_phases(world, schedule, given["phases"], start)
    if schedule["status"] == "not_started":
        scheduling.start_if_due(world, schedule)
        return
    place = phases.current(schedule_shape.times(schedule), world.now)
    if place is None:
        raise invalid("The phases must hold the current time: one of them is the current phase.", param="phases")
    phase = schedule["phases"][place]
    was = next((one for one in before if one["start_date"] <= world.now < one["end_date"]), None)
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    if was is None or {**was, "end_date": None} != {**phase, "end_date": None}:
        scheduling.follow(world, schedule, phase, proration_behavior=given.get("proration_behavior"))


def _cancel(call: Call) -> Document:
    world, given = call.world, call.params
    schedule = _led(call, "cancel")
    subscription = None if schedule["subscription"] is None else world.find("subscription", schedule["subscription"])
    scheduling.end(world, schedule, "canceled")
    if subscription is not None and subscription["status"] not in ENDED:
        subscription_ending.end(
            world,
            subscription,
            reason="cancellation_requested",
            prorates=given.get("prorate", True),
            invoices_now=given.get("invoice_now", True),
        )
    return schedule


def _release(call: Call) -> Document:
    schedule = _led(call, "release")
    preserves = bool(call.params.get("preserve_cancel_date", True))
    scheduling.release(call.world, schedule, "released", preserves_end=preserves)
    return schedule


def _led(call: Call, verb: str) -> Document:
    """The schedule in the path, unless it is over."""
    schedule = call.world.get("subscription_schedule", call.path["schedule"])
    status = schedule["status"]
    if status in OVER:
        raise StripeError(
            f"You cannot {verb} a subscription schedule that is currently in the `{status}` status. You can only "
            f"{verb} a subscription schedule that is in `not_started` or `active` status."
        )
    return schedule


def _list(call: Call) -> lists.Page:
    params = dict(call.params)
    if params.pop("scheduled", False):
        params["status"] = "not_started"
    return lists.page(
        call.world,
        SCHEDULE,
        call.url,
        params,
        narrowed_by=("customer", "customer_account", "status"),
        hides_clocks="customer" not in params,
    )


_PHASE: Final = (
    "add_invoice_items.discountable add_invoice_items.metadata add_invoice_items.price add_invoice_items.quantity "
    "billing_cycle_anchor collection_method currency default_payment_method default_tax_rates description discounts "
    "duration end_date invoice_settings.days_until_due items.discounts items.metadata items.plan items.price "
    "items.price_data items.quantity items.tax_rates metadata proration_behavior start_date trial trial_end"
)
_USES: Final = frozenset(f"phases.{name}" for name in _PHASE.split()) | words(
    "default_settings.billing_cycle_anchor default_settings.collection_method default_settings.default_payment_method "
    "default_settings.description default_settings.invoice_settings.days_until_due end_behavior metadata"
)
_REFUSED: Final = {
    "customer_account": subscription_terms.REFUSED["customer_account"],
    "default_settings.application_fee_percent": subscription_terms.REFUSED["application_fee_percent"],
    "default_settings.automatic_tax.enabled": subscription_terms.REFUSED["automatic_tax.enabled"],
    "default_settings.billing_thresholds": subscription_terms.REFUSED["billing_thresholds"],
    "default_settings.on_behalf_of": subscription_terms.REFUSED["on_behalf_of"],
    "default_settings.transfer_data": subscription_terms.REFUSED["transfer_data"],
    "pause_schedules": "pauses that are planned are not modelled, so it would be billed all the time.",
    "phases.add_invoice_items.discounts": "discounts of single items are not modelled here.",
    "phases.add_invoice_items.price_data": "prices of their own are not modelled here; make one.",
    "phases.add_invoice_items.tax_rates": "taxes of single items are not modelled here.",
    "phases.application_fee_percent": subscription_terms.REFUSED["application_fee_percent"],
    "phases.automatic_tax.enabled": subscription_terms.REFUSED["automatic_tax.enabled"],
    "phases.billing_thresholds": subscription_terms.REFUSED["billing_thresholds"],
    "phases.items.billing_thresholds": subscription_terms.REFUSED["items.billing_thresholds"],
    "phases.on_behalf_of": subscription_terms.REFUSED["on_behalf_of"],
    "phases.transfer_data": subscription_terms.REFUSED["transfer_data"],
}
_PATH: Final = "/v1/subscription_schedules/{schedule}"
_AREA: Final = "subscription"

KINDS = (SCHEDULE,)
ROUTES = (
    Route(
        "POST",
        "/v1/subscription_schedules",
        _create,
        uses=_USES | words("billing_mode.type customer from_subscription start_date"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    retrieve(_PATH, SCHEDULE),
    Route("POST", _PATH, _update, uses=_USES | words("proration_behavior"), refuses=_REFUSED, area=_AREA),
    Route("POST", _PATH + "/cancel", _cancel, uses=words("invoice_now prorate"), area=_AREA),
    Route("POST", _PATH + "/release", _release, uses=words("preserve_cancel_date"), area=_AREA),
    Route(
        "GET",
        "/v1/subscription_schedules",
        _list,
        uses=words("limit starting_after ending_before created customer customer_account scheduled"),
        refuses=dict.fromkeys(("canceled_at", "completed_at", "released_at"), "the list would hold other schedules."),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = scheduling.TASKS
