"""The customer portal: `/p/session/{token}` and its rooms below.

Whoever has the address is the customer it was made for, and sees nothing of anybody else's. Every
click goes through the same functions as the API, and works without JavaScript.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import form
from paydesk.emulator.kernel.errors import StripeError, unexpected
from paydesk.emulator.pages import (
    portal_cancel,
    portal_card,
    portal_cards,
    portal_confirm,
    portal_details,
    portal_home,
    portal_invoices,
    portal_keep,
    portal_pause,
    portal_resume,
    portal_update,
    render,
)
from paydesk.emulator.pages.portal_visit import FLOW_ROOMS, Room, Visit
from paydesk.emulator.resources import account
from paydesk.emulator.resources import billing_portal_session as sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

# The token holds the session's id without its prefix, and a secret behind it.
_ID_LENGTH: Final = 24
TRIES_MAX: Final = 3

ROOMS: Final[Mapping[str, Room]] = {
    "": portal_home.ROOM,
    "cancel": portal_cancel.ROOM,
    "card": portal_card.ROOM,
    "cards": portal_cards.ROOM,
    "confirm": portal_confirm.ROOM,
    "details": portal_details.ROOM,
    "invoices": portal_invoices.ROOM,
    "keep": portal_keep.ROOM,
    "pause": portal_pause.ROOM,
    "resume": portal_resume.ROOM,
    "update": portal_update.ROOM,
}


class PortalPage:
    """Shows customers their billing, and does what they ask."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def show(self, request: Request) -> Response:
        """GET: a room."""
        return self._answer(request, _asked(request.url.query), lambda room, visit: room.show(visit))

    async def submit(self, request: Request) -> Response:
        """POST: what the customer wants done there."""
        body = await render.body(request)
        sent = {} if body is None else _asked(body)
        return self._answer(request, _asked(request.url.query) | sent, _submit)

    def _answer(self, request: Request, asked: dict[str, Any], work: Callable[[Room, Visit], Response]) -> Response:
        found = self._found(request)
        if found is None:
            return render.nothing_here()
        sandbox, identifier = found
        name = request.path_params.get("room", "")
        # What could not be done is undone before the room says so; what it then tries may be refused, too.
        for _ in range(TRIES_MAX):
            try:
                return self._kernel.within(sandbox, partial(_enter, identifier, name, asked, work))
            except StripeError as raised:
                work = partial(_say, raised)
        raise unexpected()

    def _found(self, request: Request) -> tuple[Sandbox, str] | None:
        """The sandbox and id of the session the address names, if it also has its secret."""
        token = request.path_params["token"].partition("_")[2]
        identifier = sessions.SESSION.prefix + token[:_ID_LENGTH]
        sandbox = self._kernel.sandboxes.holding("billing_portal.session", identifier)
        if sandbox is None:
            return None
        secret = self._kernel.within(sandbox, lambda world: _secret(world, identifier))
        return (sandbox, identifier) if hmac.compare_digest(token.encode(), secret.encode()) else None


def _asked(encoded: bytes | str) -> dict[str, Any]:
    try:
        return form.decode(encoded)
    except StripeError:
        return {}


def _secret(world: World, identifier: str) -> str:
    return str(world.get("billing_portal.session", identifier).private["secret"])


def _submit(room: Room, visit: Visit) -> Response:
    return room.submit(visit)


def _say(refusal: StripeError, room: Room, visit: Visit) -> Response:
    return room.refused(visit, refusal)


def _enter(
    identifier: str, name: str, asked: Mapping[str, Any], work: Callable[[Room, Visit], Response], world: World
) -> Response:
    session = world.get("billing_portal.session", identifier)
    if sessions.is_over(session, world.wall):
        return _over(world, session)
    # Before the customer is read, whose test clock may be moving just now: looking on is allowed then.
    sessions.touch(world, session)
    customer = world.find("customer", session["customer"])
    if customer is None:
        return _over(world, session)
    visit = Visit(world, session, world.get("billing_portal.configuration", session["configuration"]), customer, asked)
    if visit.ending in ("redirect", "hosted_confirmation"):
        return _confirmed(visit)
    room = ROOMS.get(name)
    if visit.flow is not None and name not in (open_rooms := FLOW_ROOMS[visit.flow["type"]]):
        return render.redirect(visit.path(open_rooms[0]))
    if room is None or not room.is_open(visit):
        if visit.flow is not None:
            return _nothing_to_do(visit)
        # A second click on what was done by the first: the page says how things are.
        is_late = work is _submit and visit.subscription is not None
        return portal_home.page(visit, status=409, alert=portal_home.OUTDATED) if is_late else render.nothing_here()
    return work(room, visit)


def _over(world: World, session: Document) -> Response:
    seller = account.seller(world)
    return render.page(
        "closed.html",
        status=410,
        title="This page has timed out",
        text=f"For your safety it opens for a short while only. Go back to {seller} and open it again.",
        is_good=False,
        link=session["return_url"],
        link_text=f"Back to {seller}",
        livemode=world.livemode,
    )


def _nothing_to_do(visit: Visit) -> Response:
    """What the customer was sent here for cannot be done any more: somebody did it, or something else."""
    seller = account.seller(visit.world)
    return render.page(
        "closed.html",
        status=410,
        title="There is nothing left to do here",
        text=f"Your subscription has changed since {seller} sent you here.",
        is_good=False,
        link=visit.session["return_url"],
        link_text=f"Back to {seller}",
        livemode=visit.world.livemode,
    )


def _confirmed(visit: Visit) -> Response:
    """What is left of a session whose flow is done."""
    ending = visit.session["flow"]["after_completion"]
    seller = account.seller(visit.world)
    return render.page(
        "closed.html",
        title="You are all set",
        text=(ending["hosted_confirmation"] or {}).get("custom_message") or f"{seller} knows about it.",
        is_good=True,
        link=(ending["redirect"] or {}).get("return_url") or visit.session["return_url"],
        link_text=f"Back to {seller}",
        livemode=visit.world.livemode,
    )
