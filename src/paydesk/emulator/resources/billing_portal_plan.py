"""What the portal lets a customer do with a subscription, and does: by the operations of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import (
    scheduling,
    subscription_ending,
    subscription_pausing,
    subscription_terms,
    subscription_update,
)
from paydesk.emulator.resources.subscription_shape import ENDED, is_metered
from paydesk.emulator.rules.cycles import Cycle

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

GO_ON: Final = "billing_portal.resume_subscription"
_IN_GOOD_ORDER: Final = ("active", "trialing")

Features = Mapping[str, Any]


def of(world: World, customer: Document) -> list[Document]:
    """The customer's subscriptions, the newest first. What has ended is over."""
    held = world.having("subscription", "customer", customer.id)
    return [subscription for subscription in held if subscription["status"] not in ENDED]


def may_change(subscription: Document, features: Features) -> bool:
    """Whether plan or quantity can be changed: of one thing, counted, charged by itself, with nothing else under way.

    Several products, usage, and invoices that are sent leave nothing but the cancellation.
    """
    update = features["subscription_update"]
    return (
        update["enabled"]
        and bool(update["default_allowed_updates"])
        and subscription["status"] in _IN_GOOD_ORDER
        and subscription["collection_method"] == "charge_automatically"
        and len(subscription["items"]["data"]) == 1
        and not is_metered(subscription["items"]["data"][0])
        and not is_led(subscription)
        and subscription["pending_update"] is None
        and not is_ending(subscription)
    )


def may_cancel(subscription: Document, features: Features) -> bool:
    """Whether the customer can end it."""
    return bool(
        features["subscription_cancel"]["enabled"]
        and subscription["schedule"] in (None, planned_by(subscription))
        and not is_ending(subscription)
    )


def may_keep(subscription: Document, features: Features) -> bool:
    """Whether the customer can change their mind about the end."""
    return bool(
        features["subscription_cancel"]["enabled"] and subscription["schedule"] is None and is_ending(subscription)
    )


def may_pause(subscription: Document, features: Features) -> bool:
    """Whether the customer can stop it for a while."""
    return bool(
        features["subscription_pause"]["enabled"]
        and subscription["status"] in _IN_GOOD_ORDER
        and not is_led(subscription)
        and not is_ending(subscription)
    )


def may_resume(subscription: Document, features: Features) -> bool:
    """Whether the customer can go on with it."""
    return bool(features["subscription_pause"]["enabled"] and subscription["status"] == "paused")


def planned_by(subscription: Document) -> str | None:
    """The schedule that leads it because of a change asked for on the portal."""
    planned: dict[str, Any] = subscription.private.get("portal_change") or {}
    schedule: str | None = planned.get("schedule")
    return schedule if schedule is not None and schedule == subscription["schedule"] else None


def is_led(subscription: Document) -> bool:
    """Whether a schedule has still something to change about it. One of the portal's is done after its one change."""
    if planned_by(subscription) is None:
        return subscription["schedule"] is not None
    starts = max(item["current_period_start"] for item in subscription["items"]["data"])
    return bool(starts < subscription.private["portal_change"]["at"])


def is_ending(subscription: Document) -> bool:
    """Whether its end is set. The flag alone does not tell: an end can be a day, too."""
    return bool(subscription["cancel_at"] is not None)


def ends_with_period(subscription: Document, feature: Features) -> bool:
    """Whether a cancellation waits for the end of the period. What is paused, or was never paid, is in none."""
    return feature["mode"] == "at_period_end" and subscription["status"] not in ("incomplete", "paused")


def cancel(world: World, subscription: Document, feature: Features, said: Mapping[str, Any]) -> None:
    """End it as the configuration says, at once or with the period. `said` are the customer's reasons."""
    told = {"cancellation_details": dict(said)} if said else {}
    call_off(world, subscription)
    if ends_with_period(subscription, feature):
        subscription_update.update(world, subscription, {"cancel_at_period_end": True, **told})
        return
    subscription_terms.take_feedback(subscription, told)
    subscription_ending.end(
        world,
        subscription,
        reason="cancellation_requested",
        prorates=feature["proration_behavior"] == "create_prorations",
    )


def keep(world: World, subscription: Document) -> None:
    """Do not end it after all."""
    subscription_update.update(world, subscription, {"cancel_at_period_end": False})


def call_off(world: World, subscription: Document) -> None:
    """Do not change it at the end of the period after all, if that was planned; what was changed so is not led on."""
    made = planned_by(subscription)
    if made is not None:
        scheduling.release(world, world.get("subscription_schedule", made), "released")


def give(world: World, subscription: Document, coupon: str) -> None:
    """Make it cheaper by a coupon, beside what it is cheaper by already."""
    subscription_update.update(world, subscription, {"discounts": with_more(subscription, {"coupon": coupon})})


def with_more(subscription: Document, *more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`discounts` of an update that takes nothing away."""
    return [{"discount": held} for held in subscription["discounts"]] + [dict(one) for one in more]


def pause(world: World, subscription: Document, length: tuple[str, int] | None) -> None:
    """Stop it, for so many of an interval; None: until the customer comes back."""
    call_off(world, subscription)
    subscription_pausing.pause(world, subscription, {})
    if length is not None:
        until = Cycle(world.now, *length).boundary(1)
        subscription.private["pause_ends_at"] = until
        world.save(subscription)
        world.schedule(until, GO_ON, subscription.id)


def pauses_until(subscription: Document) -> int | None:
    """When a pause ends by itself."""
    until: int | None = subscription.private.get("pause_ends_at") if subscription["status"] == "paused" else None
    return until


def resume(world: World, subscription: Document) -> None:
    """Go on with it.

    Raises:
        StripeError: 400 where there is nothing to charge.
    """
    subscription.private.pop("pause_ends_at", None)
    world.unschedule(GO_ON, subscription.id)
    subscription_pausing.resume(world, subscription, {"payment_behavior": "resume_on_payment_success"})


def resume_when_due(world: World, identifier: str) -> None:
    """The pause is over."""
    subscription = world.find("subscription", identifier)
    if subscription is not None and pauses_until(subscription) is not None:
        resume(world, subscription)
