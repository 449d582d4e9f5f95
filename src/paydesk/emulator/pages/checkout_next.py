"""What the browser gets after a step on the payment page: the page again, another address, or a last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk.emulator.pages import render

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.pages.checkout_view import View


@dataclass(frozen=True)
class Closed:
    """A session nobody can pay any more, or never could."""

    title: str
    text: str
    is_good: bool = False
    link: str | None = None
    link_text: str = ""
    livemode: bool = False


@dataclass(frozen=True)
class GoTo:
    """Where the customer goes next; `event` is the one whose deliveries the page waits for first."""

    url: str
    event: str | None = None


@dataclass(frozen=True)
class Shown:
    """The page once more."""

    view: View
    status: int = 200


Next = Closed | GoTo | Shown


def rendered(following: Next) -> Response:
    """What comes next, as an answer."""
    if isinstance(following, GoTo):
        return render.redirect(following.url)
    if isinstance(following, Closed):
        return render.page("closed.html", **vars(following))
    view = following.view
    return render.page(
        "checkout.html",
        status=following.status,
        goes_to=(view.success_url, view.cancel_url),
        view=view,
        livemode=view.livemode,
    )
