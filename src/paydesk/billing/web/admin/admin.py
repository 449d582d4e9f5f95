"""The admin page's door: who may come in, and which room an address leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.log import get_logger
from paydesk.billing.money import show
from paydesk.billing.store.engine import said_by
from paydesk.billing.web import requests
from paydesk.billing.web.admin import books, effects, inbox, income, truth
from paydesk.billing.web.admin.moments import ago, lasting, when
from paydesk.billing.web.admin.room import Asking, Room, Shown, fields_of, link
from paydesk.billing.web.answers import Answer, page, redirect, refused
from paydesk.billing.web.requests import Refusal
from paydesk.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.routes import Asked

logger = get_logger(__name__)

PATH = "/paydesk/admin"

# To add a room, write its functions and name them here.
ROOMS = (
    Room("overview", "", inbox.overview, "Overview"),
    Room("events", "/events", inbox.events, "Events", act=inbox.retry_dead),
    Room("event", "/event", inbox.event, act=inbox.retry),
    Room("lanes", "/lanes", inbox.lanes, "Lanes"),
    Room("effects", "/effects", effects.effects, "Handlers", act=effects.retry_dead),
    Room("effect", "/effect", effects.effect, act=effects.retry),
    Room("orders", "/orders", books.orders, "Orders"),
    Room("subscriptions", "/subscriptions", books.subscriptions, "Subscriptions"),
    Room("income", "/income", income.income, "Income"),
    Room("truth", "/truth", truth.truth, "Truth", act=truth.verify),
)

# Whoever may not see it is not told that it is there.
NOT_THERE = Refusal(
    404, "not_found", "There is no such page", "The address may be mistyped, or the page has moved.", tone="calm"
)
# Names of customers stand on these pages. Whatever they hold, it is not run, and nothing is fetched from elsewhere.
NO_SCRIPT = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
}

NO_DATABASE = Refusal(
    503,
    "no_database",
    "The database cannot be asked",
    "Nothing can be shown until it can. The log says why.",
    tone="wait",
)


class Admin:
    """Answers whoever may see it."""

    def __init__(self, desk: Paydesk) -> None:
        self._desk = desk

    def answer(self, room: Room, asked: Asked) -> Answer:
        """The room, if whoever asks may see it and does so from our own pages."""
        desk = self._desk
        refusal = self._refusal(asked)
        if refusal is not None:
            return refused(desk.pages, refusal, is_form=True)
        try:
            desk.open()
            if asked.method == "POST":
                return self._act(room, asked)
            asking = Asking(desk, fields_of(asked.query), desk.operations.now())
            return self._page(room, asking, room.show(asking))
        except (SQLAlchemyError, DatabaseUnavailable) as error:
            logger.warning("The admin page cannot show %s: %s", room.name, said_by(error))
            return refused(desk.pages, NO_DATABASE, is_form=True)

    def _refusal(self, asked: Asked) -> Refusal | None:
        allow = self._desk.operator
        if allow is None:
            return NOT_THERE
        if asked.user is None:
            return requests.SIGNED_OUT
        # True and nothing like it: an object of any other kind, such as something to await, is true by chance.
        if allow(asked.user) is not True:
            return NOT_THERE
        if asked.method == "POST" and requests.is_cross_site(asked.headers, self._desk.settings.origin):
            return requests.CROSS_SITE
        return requests.TOO_LARGE if asked.body is None else None

    def _act(self, room: Room, asked: Asked) -> Answer:
        if room.act is None:
            return refused(self._desk.pages, NOT_THERE, is_form=True)
        form = fields_of((asked.body or b"").decode("utf-8", "replace"))
        back = room.act(Asking(self._desk, form, self._desk.operations.now()))
        return redirect(self._desk.settings.base_url + link(f"{self._desk.prefix}{PATH}{room.path}", **back))

    def _page(self, room: Room, asking: Asking, shown: Shown) -> Answer:
        pages, at = self._desk.pages, f"{self._desk.pages.shop.prefix}{PATH}"
        values = {
            "at": at,
            "room": room,
            "rooms": [each for each in ROOMS if each.label is not None],
            "now": asking.now,
            "told": told(asking.fields.get("retried")),
            "refresh_seconds": shown.refresh_seconds,
            "link": link,
            "show": show,
            "when": when,
            "ago": lambda moment: ago(moment, asking.now),
            "lasting": lasting,
        }
        html = pages.render(f"admin/{shown.template}", **values, **shown.values)
        return page(html, status=shown.status, headers=NO_SCRIPT)


def told(retried: str | None) -> str | None:
    """What came of trying again, in a sentence; the number is all that an address may say."""
    number = effects.number(retried)
    if number is None:
        return None
    if number == 0:
        return "There was nothing to try again: it is done already."
    return f"{number} will be tried again at once." if number > 1 else "It will be tried again at once."
