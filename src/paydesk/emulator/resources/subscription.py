"""Subscriptions: what a customer pays for again and again, until one of the two ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.errors import missing_param
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import (
    subscribing,
    subscription_ending,
    subscription_items,
    subscription_life,
    subscription_pausing,
    subscription_terms,
    subscription_update,
    subscription_usage,
    test_clock,
)
from paydesk.emulator.resources.subscription_shape import ENDED, SUBSCRIPTION

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

_STATUSES: Final = ("active", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if given.get("customer") is None:
        raise missing_param("customer")
    customer = world.get("customer", given["customer"], param="customer")
    test_clock.check_room(world, customer)
    return subscribing.start(world, customer, given)


def _update(call: Call) -> Document:
    subscription = call.world.get("subscription", call.path["subscription_exposed_id"])
    subscription_update.update(call.world, subscription, call.params)
    return subscription


def _cancel(call: Call) -> Document:
    world, given = call.world, call.params
    subscription = world.find("subscription", call.path["subscription_exposed_id"])
    if subscription is None or subscription["status"] in ENDED:
        raise world.no_such("subscription", call.path["subscription_exposed_id"])
    subscription_terms.take_feedback(subscription, given)
    subscription_ending.end(
        world,
        subscription,
        reason="cancellation_requested",
        prorates=bool(given.get("prorate")),
        invoices_now=bool(given.get("invoice_now")),
    )
    return subscription


def _resume(call: Call) -> Document:
    subscription = call.world.get("subscription", call.path["subscription"])
    subscription_pausing.resume(call.world, subscription, call.params)
    return subscription


def _pause(call: Call) -> Document:
    subscription = call.world.get("subscription", call.path["subscription"])
    subscription_pausing.pause(call.world, subscription, call.params)
    return subscription


def _migrate(call: Call) -> Document:
    world = call.world
    subscription = world.get("subscription", call.path["subscription"])
    if subscription["billing_mode"]["type"] == "classic":
        flexible = (call.params["billing_mode"].get("flexible") or {}).get("proration_discounts", "included")
        subscription["billing_mode"] = {
            "flexible": {"proration_discounts": flexible},
            "type": "flexible",
            "updated_at": world.now,
        }
        world.save(subscription, "customer.subscription.updated")
    return subscription


def _list(call: Call) -> lists.Page:
    world, params = call.world, dict(call.params)
    match params.get("status"):
        case None:
            params["status"] = list(_STATUSES)
        case "ended":
            params["status"] = list(ENDED)
        case "all":
            del params["status"]
    sold = params.get("price") or params.get("plan")
    if sold is not None:
        items = world.having("subscription_item", "price.id", sold)
        params["id"] = [item["subscription"] for item in items]
    return lists.page(
        world,
        SUBSCRIPTION,
        call.url,
        params,
        narrowed_by=("collection_method", "customer", "customer_account", "id", "status", "test_clock"),
        hides_clocks=not {"customer", "test_clock"} & params.keys(),
    )


_ITEMS: Final = frozenset(f"items.{name}" for name in subscription_items.TAKEN)
_EXTRA: Final = words(
    "add_invoice_items.discountable add_invoice_items.discounts add_invoice_items.metadata add_invoice_items.price "
    "add_invoice_items.price_data add_invoice_items.quantity add_invoice_items.tax_rates"
)
_PATH: Final = "/v1/subscriptions/{subscription}"
_EXPOSED: Final = "/v1/subscriptions/{subscription_exposed_id}"
_AREA: Final = SUBSCRIPTION.area

KINDS = (SUBSCRIPTION,)
ROUTES = (
    Route(
        "POST",
        "/v1/subscriptions",
        _create,
        uses=subscription_terms.TAKEN
        | _ITEMS
        | _EXTRA
        | words(
            "backdate_start_date billing_cycle_anchor billing_cycle_anchor_config billing_mode currency customer "
            "payment_behavior proration_behavior trial_end trial_from_plan trial_period_days"
        ),
        refuses=subscription_terms.REFUSED,
        area=_AREA,
    ),
    search("/v1/subscriptions/search", SUBSCRIPTION, fields="canceled_at:number created:number metadata:map status"),
    retrieve(_EXPOSED, SUBSCRIPTION),
    Route(
        "POST",
        _EXPOSED,
        _update,
        uses=subscription_terms.TAKEN
        | _ITEMS
        | _EXTRA
        | words(
            "billing_cycle_anchor items.deleted items.id pause_collection payment_behavior "
            "proration_behavior proration_date trial_end trial_from_plan"
        ),
        refuses=subscription_terms.REFUSED,
        area=_AREA,
    ),
    Route(
        "DELETE",
        _EXPOSED,
        _cancel,
        uses=words("cancellation_details.comment cancellation_details.feedback invoice_now prorate"),
        area=_AREA,
    ),
    Route(
        "POST",
        _PATH + "/resume",
        _resume,
        uses=words("billing_cycle_anchor payment_behavior proration_behavior"),
        refuses={"proration_date": "it would bill from another moment."},
        area=_AREA,
    ),
    Route("POST", _PATH + "/pause", _pause, uses=words("bill_for invoicing_behavior type"), area=_AREA),
    Route("POST", _PATH + "/migrate", _migrate, uses=words("billing_mode"), area=_AREA),
    Route(
        "GET",
        "/v1/subscriptions",
        _list,
        uses=words(
            "limit starting_after ending_before created collection_method customer customer_account plan price status "
            "test_clock"
        ),
        refuses=dict.fromkeys(
            ("automatic_tax", "current_period_end", "current_period_start"), "the list would hold other subscriptions."
        ),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = subscription_life.TASKS | subscription_usage.TASKS
