"""Staying after all: a subscription whose end was set goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import portal_home, render
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_plan as plans

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.errors import StripeError


def _submit(visit: Visit) -> Response:
    subscription = visit.subscription
    if subscription is None or not plans.may_keep(subscription, visit.configuration["features"]):
        return portal_home.page(visit, status=409, alert=portal_home.OUTDATED)
    plans.keep(visit.world, subscription)
    return visit.finish("kept")


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return portal_home.page(visit, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(
    is_open=lambda visit: bool(visit.feature("subscription_cancel")["enabled"]),
    show=lambda visit: render.redirect(visit.path()),
    submit=_submit,
    refused=_refused,
)
