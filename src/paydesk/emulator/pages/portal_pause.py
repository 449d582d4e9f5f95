"""Pausing a subscription, for as long as the configuration lets customers choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import portal_plans
from paydesk.emulator.pages.portal_invoices import day
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.rules.cycles import Cycle

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.errors import StripeError


def _is_open(visit: Visit) -> bool:
    subscription = visit.subscription
    return subscription is not None and plans.may_pause(subscription, visit.configuration["features"])


def _lengths(visit: Visit) -> dict[str, tuple[str, int] | None]:
    """How long it may last, by what the form calls it."""
    duration = visit.feature("subscription_pause")["duration"]
    if duration["type"] == "indefinite":
        return {"": None}
    options = ((one["interval"], one["interval_count"]) for one in duration["interval_options"])
    return {f"{count} {interval}": (interval, count) for interval, count in options}


def _show(visit: Visit) -> Response:
    return _page(visit, visit.chosen)


def _page(visit: Visit, subscription: Document, *, status: int = 200, alert: str | None = None) -> Response:
    now = visit.world.now
    choices = {
        name: f"{name}{'s' if length[1] != 1 else ''}, until {day(Cycle(now, *length).boundary(1))}"
        for name, length in _lengths(visit).items()
        if length is not None
    }
    return visit.page(
        "portal_pause.html",
        status=status,
        alert=alert,
        action=visit.path("pause", subscription=subscription.id),
        plan=portal_plans.name_of(visit.world, subscription),
        choices=choices,
    )


def _submit(visit: Visit) -> Response:
    subscription, lengths = visit.chosen, _lengths(visit)
    wanted = visit.text("length")
    if wanted not in lengths:
        return _page(visit, subscription, status=422, alert="Choose how long.")
    plans.pause(visit.world, subscription, lengths[wanted])
    return visit.finish("paused")


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return _page(visit, visit.chosen, status=refusal.status, alert=refusal.message)


ROOM: Final = Room(is_open=_is_open, show=_show, submit=_submit, refused=_refused)
