"""Pages: Stripe's lists, a page at a time, in the time that checkouts leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.billing.mirror.read import Ask
from paydesk.errors import StripeRefused

if TYPE_CHECKING:
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json

PAGE = 100


@dataclass(frozen=True)
class Page:
    """What Stripe lists, newest first. `has_more`: there are older ones."""

    objects: list[Json]
    has_more: bool


class Pages:
    """Asks Stripe for lists."""

    def __init__(self, api: Stripe) -> None:
        self._ask = Ask(api, is_background=True)

    def after(
        self, path: str, cursor: str | None, *, limit: int = PAGE, expand: tuple[str, ...] = (), **params: Any
    ) -> Page | None:
        """The page that follows the object `cursor`, or the first; None if Stripe no longer has that object.

        Raises StripeUnavailable or StripeRefused.
        """
        if cursor is not None:
            params["starting_after"] = cursor
        try:
            answer = self._ask.get(path, expand=expand, limit=limit, **params)
        except StripeRefused as refusal:
            if cursor is not None and refusal.param == "starting_after":
                return None
            raise
        return Page(answer["data"], bool(answer["has_more"]))
