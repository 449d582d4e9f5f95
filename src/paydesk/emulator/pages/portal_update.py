"""Choosing another plan, or another quantity: what there is, and a field for a promotion code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import render, rhythm
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.resources import billing_portal_switch as switch

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.resources.billing_portal_switch import Offer


@dataclass(frozen=True)
class Choice:
    """A plan to choose."""

    price: str
    name: str
    description: str | None
    cost: str
    is_current: bool
    is_chosen: bool


def is_open(visit: Visit) -> bool:
    """Whether there is a subscription that can be changed, and something to change it to."""
    subscription = visit.subscription
    return subscription is not None and can_change(visit, subscription)


def can_change(visit: Visit, subscription: Document) -> bool:
    """Whether the customer has a choice for this subscription."""
    may = plans.may_change(subscription, visit.configuration["features"])
    return may and switch.is_there_choice(visit.world, visit.configuration, subscription)


def page(visit: Visit, *, status: int = 200, problem: tuple[str, str] | None = None) -> Response:
    """The choice, as it was made so far; `problem` names a field and what is wrong with it."""
    subscription = visit.chosen
    item = subscription["items"]["data"][0]
    offers = switch.offers(visit.world, visit.configuration, subscription)
    wanted = visit.text("price") or item["price"]["id"]
    counted = [offer for offer in offers if offer.is_counted]
    problems = {} if problem is None else dict([problem])
    return visit.page(
        "portal_update.html",
        status=status,
        alert=problems.pop("", None),
        action=visit.path("confirm"),
        subscription=subscription.id,
        choices=[_choice(offer, subscription["currency"], wanted) for offer in offers],
        quantity=(visit.text("quantity") or str(item["quantity"])) if counted else None,
        bounds=_bounds(counted),
        asks_code="promotion_code" in visit.feature("subscription_update")["default_allowed_updates"],
        code=visit.text("code"),
        problems=problems,
        focus=next(iter(problems), None),
    )


def _choice(offer: Offer, currency: str, wanted: str) -> Choice:
    return Choice(
        price=offer.price.id,
        name=offer.price["nickname"] or offer.product["name"],
        description=offer.product["description"],
        cost=rhythm.cost(offer.price, currency, 1, is_each=offer.is_counted),
        is_current=offer.is_current,
        is_chosen=offer.price.id == wanted,
    )


def _bounds(counted: list[Offer]) -> dict[str, str | int]:
    """How the field for the quantity is set; each plan's own bounds are looked at afterwards."""
    bounds: dict[str, str | int] = {"inputmode": "numeric", "step": 1, "autocomplete": "off"}
    if not counted:
        return bounds
    bounds["min"] = min(offer.minimum for offer in counted)
    if all(offer.maximum is not None for offer in counted):
        bounds["max"] = max(offer.maximum or 0 for offer in counted)
    return bounds


ROOM: Final = Room(
    is_open=is_open,
    show=page,
    submit=lambda visit: render.redirect(visit.path("update")),
    refused=lambda visit, refusal: page(visit, status=refusal.status, problem=("", refusal.message)),
)
