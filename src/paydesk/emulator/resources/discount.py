"""Discounts: a coupon, applied to something. They live inside what they make cheaper, and have no URL of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.routes import Call, Route
from paydesk.emulator.resources import discounting
from paydesk.emulator.resources.discount_shape import DISCOUNT

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document


def _of_customer(call: Call) -> Document:
    """No parameter of today's versions gives a customer a discount of their own, so there is none to take away."""
    customer = call.world.get("customer", call.path["customer"])
    raise _none_active("customer", customer.id)


def _of_subscription(call: Call) -> Document:
    """All of a subscription's own discounts go, and the first of them is shown; those of its items stay."""
    world = call.world
    subscription = world.get("subscription", call.path["subscription_exposed_id"])
    if not subscription["discounts"]:
        raise _none_active("subscription", subscription.id)
    gone = [discounting.detach(world, identifier) for identifier in subscription["discounts"]]
    subscription["discounts"] = []
    world.save(subscription, "customer.subscription.updated")
    return gone[0]


def _none_active(kind: str, identifier: str) -> StripeError:
    return StripeError(f"No active discount for {kind}: {identifier}", status=404, code="resource_missing")


KINDS = (DISCOUNT,)
ROUTES = (
    Route("DELETE", "/v1/customers/{customer}/discount", _of_customer, area="customer"),
    Route("DELETE", "/v1/subscriptions/{subscription_exposed_id}/discount", _of_subscription, area="subscription"),
)
TASKS: dict[str, Any] = {}
