"""Leaving: when it ends, what the customer has to say about it, and what the seller offers for staying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.pages import portal_plans, render
from paydesk.emulator.pages.portal_invoices import day
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.rules import redeeming

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.errors import StripeError

COMMENT_MAX: Final = 1000
_REASONS: Final[Mapping[str, str]] = {
    "too_expensive": "It’s too expensive",
    "missing_features": "Some features are missing",
    "switched_service": "I’m switching to another service",
    "unused": "I don’t use it enough",
    "customer_service": "Customer service was less than expected",
    "too_complex": "Ease of use was less than expected",
    "low_quality": "Quality was less than expected",
    "other": "Another reason",
}


def _is_open(visit: Visit) -> bool:
    subscription = visit.subscription
    return subscription is not None and plans.may_cancel(subscription, visit.configuration["features"])


def _show(visit: Visit) -> Response:
    return _page(visit, visit.chosen)


def _page(visit: Visit, subscription: Document, *, status: int = 200, alert: str | None = None) -> Response:
    feature = visit.feature("subscription_cancel")
    asked = feature["cancellation_reason"]
    is_later = plans.ends_with_period(subscription, feature)
    return visit.page(
        "portal_cancel.html",
        status=status,
        alert=alert,
        action=visit.path("cancel", subscription=subscription.id),
        plan=portal_plans.name_of(visit.world, subscription),
        ends_on=day(portal_plans.ends(subscription)) if is_later else None,
        is_credited=not is_later and feature["proration_behavior"] == "create_prorations",
        asks=asked["enabled"],
        reasons={name: _REASONS[name] for name in asked["options"]} if asked["enabled"] else {},
        feedback=visit.text("feedback"),
        comment=visit.text("comment"),
        comment_max=COMMENT_MAX,
        offer=_described(coupon) if (coupon := _offered(visit, subscription)) is not None else None,
    )


def _offered(visit: Visit, subscription: Document) -> Document | None:
    """The coupon for staying, while it can be had."""
    retention = ((visit.flow or {}).get("subscription_cancel") or {}).get("retention")
    if retention is None:
        return None
    coupon = visit.world.find("coupon", retention["coupon_offer"]["coupon"])
    if coupon is None or not redeeming.is_valid(coupon, visit.world.wall):
        return None
    return coupon if coupon["percent_off"] or coupon["currency"] == subscription["currency"] else None


def _described(coupon: Document) -> str:
    """A coupon as an offer: `20% off for 3 months`."""
    percent = coupon["percent_off"]
    off = f"{percent:g}% off" if percent else f"{render.money(coupon['amount_off'], coupon['currency'])} off"
    match coupon["duration"]:
        case "once":
            return f"{off} your next invoice"
        case "repeating":
            months = coupon["duration_in_months"]
            return f"{off} for {months} month{'s' if months != 1 else ''}"
    return f"{off} from now on"


def _submit(visit: Visit) -> Response:
    subscription = visit.chosen
    if visit.text("do") == "stay":
        coupon = _offered(visit, subscription)
        if coupon is None:
            return _page(visit, subscription, status=409, alert="This offer is over.")
        plans.give(visit.world, subscription, coupon.id)
        return visit.finish("kept")
    plans.cancel(visit.world, subscription, visit.feature("subscription_cancel"), _said(visit))
    return visit.finish("canceled")


def _said(visit: Visit) -> dict[str, Any]:
    """What the customer was asked, and answered."""
    asked = visit.feature("subscription_cancel")["cancellation_reason"]
    if not asked["enabled"]:
        return {}
    said = {"comment": visit.text("comment")[:COMMENT_MAX], "feedback": visit.text("feedback")}
    if said["feedback"] not in asked["options"]:
        said["feedback"] = ""
    return {name: value for name, value in said.items() if value}


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return _page(visit, visit.chosen, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(is_open=_is_open, show=_show, submit=_submit, refused=_refused)
