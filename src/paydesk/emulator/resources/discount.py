"""Discounts: a coupon, applied to something. They live inside what they make cheaper, and have no URL of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.routes import Call, Route
from paydesk.emulator.resources.discount_shape import DISCOUNT

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document


def _of_customer(call: Call) -> Document:
    """No parameter of today's versions gives a customer a discount of their own, so there is none to take away."""
    customer = call.world.get("customer", call.path["customer"])
    raise StripeError(f"No active discount for customer: {customer.id}", status=404, code="resource_missing")


KINDS = (DISCOUNT,)
ROUTES = (Route("DELETE", "/v1/customers/{customer}/discount", _of_customer, area="customer"),)
TASKS: dict[str, Any] = {}
