"""Saved cards, put in order: which one is used, and which one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import portal_home, portal_methods, render
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_card

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.errors import StripeError

_GONE: Final = "That card is no longer here."


def _submit(visit: Visit) -> Response:
    wanted = visit.text("default") or visit.text("remove")
    method = visit.world.find("payment_method", wanted)
    if method is None or method["customer"] != visit.customer.id:
        return portal_home.page(visit, status=404, alert=_GONE)
    if visit.text("default"):
        billing_portal_card.make_default(visit.world, visit.customer, method.id)
        return visit.finish("default")
    if not next(shown.may_go for shown in portal_methods.of(visit) if shown.id == method.id):
        return portal_home.page(visit, status=409, alert="This card is in use. Use another one first.")
    billing_portal_card.remove(visit.world, method)
    return visit.finish("removed")


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return portal_home.page(visit, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(
    is_open=lambda visit: bool(visit.feature("payment_method_update")["enabled"]),
    show=lambda visit: render.redirect(visit.path()),
    submit=_submit,
    refused=_refused,
)
