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


def read(api: Stripe, mirrored: Mirrored, object_id: str) -> Json | None:
    """The object as it stands now; None if Stripe has no such object.

    Raises StripeUnavailable if asking again later may help, StripeRefused if it will not.
    """
    try:
        return _get(api, mirrored.path.format(quote(object_id, safe="")), list(mirrored.expand))
    except StripeRefused as refusal:
        if refusal.status == 404:
            return None
        raise


def complete_refunds(api: Stripe, read_object: Json) -> None:
    """Fetch the refunds that an expanded charge leaves out, which holds only its newest ten."""
    charge = read_object.get("latest_charge", read_object)
    refunds = charge.get("refunds") if isinstance(charge, dict) else None
    while isinstance(refunds, dict) and refunds.get("has_more"):
        last = refunds["data"][-1]["id"]
        page = _get(api, "/v1/refunds", [], charge=charge["id"], limit=100, starting_after=last)
        refunds["data"] += page["data"]
        refunds["has_more"] = page["has_more"]


def _get(api: Stripe, path: str, expand: list[str], **params: Any) -> Json:
    if expand:
        params["expand"] = expand

    def ask(client: stripe.StripeClient) -> Json:
        raw: Any = client.raw_request
        return cast("Json", raw("get", path, **params).data)

    return api.read(f"to show {path}", ask)
