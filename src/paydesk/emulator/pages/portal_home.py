"""The portal's home: what the customer has, what it is paid with, whose it is, and what was billed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import portal_details, portal_invoices, portal_methods, portal_plans, render
from paydesk.emulator.pages.portal_visit import Room, Visit

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.errors import StripeError

INVOICES_SHOWN: Final = 5
_TOLD: Final[Mapping[str, str]] = {
    "canceled": "Your plan was canceled.",
    "card": "Your card was saved. It is used from now on.",
    "changed": "Your plan was changed.",
    "default": "That card is used from now on.",
    "details": "Your details were saved.",
    "kept": "Your plan goes on.",
    "paused": "Your plan is paused.",
    "planned": "Your plan will be changed.",
    "removed": "The card was removed.",
    "resumed": "Your plan goes on.",
}
OUTDATED: Final = "That is no longer possible: your plan has changed since you opened this page."


def _show(visit: Visit) -> Response:
    return page(visit)


def page(visit: Visit, *, status: int = 200, alert: str | None = None) -> Response:
    """The home page, with what was done or could not be."""
    is_billed = visit.feature("invoice_history")["enabled"]
    invoices, older = portal_invoices.rows(visit, INVOICES_SHOWN) if is_billed else ((), None)
    return visit.page(
        "portal.html",
        status=status,
        told=_TOLD.get(visit.text("told")),
        alert=alert,
        plans=portal_plans.of(visit),
        methods=portal_methods.of(visit),
        add_card=visit.path("card") if visit.feature("payment_method_update")["enabled"] else None,
        cards=visit.path("cards"),
        details=portal_details.shown(visit),
        edit_details=visit.path("details") if portal_details.ROOM.is_open(visit) else None,
        is_billed=is_billed,
        invoices=invoices,
        all_invoices=visit.path("invoices") if older else None,
    )


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return page(visit, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(
    is_open=lambda visit: True,
    show=_show,
    submit=lambda visit: render.redirect(visit.path()),
    refused=_refused,
)
