"""Reading: asking Stripe how an object stands now.

Answers are plain JSON as Stripe sent it: fields that this version of the client does not know survive, and no object
graph is built, which would cost more than everything else about an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from urllib.parse import quote

from paydesk.errors import StripeRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from paydesk.billing.mirror.mirrored import Mirrored
    from paydesk.billing.mirror.refs import Json

T = TypeVar("T")


class Stripe(Protocol):
    """What the mirror needs of the client: to be patient, and to raise StripeRefused or StripeUnavailable."""

    def read(self, doing: str, ask: Callable[[stripe.StripeClient], T], *, is_background: bool = False) -> T: ...


class Ask:
    """Asks Stripe for one object, or for pages of a list. In the background, it leaves others the way."""

    def __init__(self, api: Stripe, *, is_background: bool = False) -> None:
        self._api = api
        self._is_background = is_background

    def get(self, path: str, *, expand: tuple[str, ...] = (), **params: Any) -> Json:
        if expand:
            params["expand"] = list(expand)

        def ask(client: stripe.StripeClient) -> Json:
            raw: Any = client.raw_request
            return cast("Json", raw("get", path, **params).data)

        return self._api.read(f"to show {path}", ask, is_background=self._is_background)

    def rest_of(self, listed: Json, path: str, **params: Any) -> None:
        """Fetch what an embedded list leaves out, which holds only the first few."""
        while listed.get("has_more"):
            last = listed["data"][-1]["id"]
            page = self.get(path, limit=100, starting_after=last, **params)
            listed["data"] += page["data"]
            listed["has_more"] = page["has_more"]


def read(api: Stripe, mirrored: Mirrored, object_id: str, *, is_background: bool = False) -> Json | None:
    """The object as it stands now, complete; None if Stripe has no such object.

    Raises StripeUnavailable if asking again later may help, StripeRefused if it will not.
    """
    ask = Ask(api, is_background=is_background)
    try:
        state = ask.get(mirrored.path.format(quote(object_id, safe="")), expand=mirrored.expand)
    except StripeRefused as refusal:
        if refusal.status == 404:
            return None
        raise
    if mirrored.complete:
        mirrored.complete(ask, state)
    return state
