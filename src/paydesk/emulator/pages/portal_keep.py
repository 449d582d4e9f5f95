"""Staying after all: a subscription whose end was set goes on, and one that was to change stays what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import portal_home, render
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.resources import billing_portal_switch as switch

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.errors import StripeError


def _submit(visit: Visit) -> Response:
    subscription = visit.subscription
    if subscription is not None and plans.may_keep(subscription, visit.configuration["features"]):
        plans.keep(visit.world, subscription)
    elif subscription is not None and switch.awaited(visit.world, subscription) is not None:
        plans.call_off(visit.world, subscription)
    else:
        return portal_home.page(visit, status=409, alert=portal_home.OUTDATED)
    return visit.finish("kept")


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return portal_home.page(visit, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(
    is_open=lambda visit: any(
        visit.feature(name)["enabled"] for name in ("subscription_cancel", "subscription_update")
    ),
    show=lambda visit: render.redirect(visit.path()),
    submit=_submit,
    refused=_refused,
)
