"""A visit to the portal: whose it is, what they may do, and where they go when it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import render
from paydesk.emulator.resources import account, billing_portal_plan

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# The rooms that each flow leaves open, the one it begins in first, and what, done there, ends it.
FLOW_ROOMS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer_update": ("details",),
    "payment_method_update": ("card",),
    "subscription_cancel": ("cancel",),
    "subscription_pause": ("pause",),
    "subscription_update": ("update", "confirm", "card"),
    "subscription_update_confirm": ("confirm", "card"),
}
_ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer_update": ("details",),
    "payment_method_update": ("card",),
    "subscription_cancel": ("canceled", "kept"),
    "subscription_pause": ("paused",),
    "subscription_update": ("changed", "planned"),
    "subscription_update_confirm": ("changed", "planned"),
}


@dataclass(frozen=True)
class Visit:
    """One click on the portal. `asked` is what the address and the form say."""

    world: World
    session: Document
    configuration: Document
    customer: Document
    asked: Mapping[str, Any]

    def path(self, room: str = "", **query: str) -> str:
        """Where a room of this portal is, on this server."""
        base = urlsplit(self.session["url"]).path
        return f"{base}/{room}".rstrip("/") + (f"?{urlencode(query)}" if query else "")

    def feature(self, name: str) -> Mapping[str, Any]:
        """A feature of the configuration."""
        found: Mapping[str, Any] = self.configuration["features"][name]
        return found

    def text(self, name: str) -> str:
        """What was asked under a name; nothing where that is no text."""
        value = self.asked.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    @property
    def flow(self) -> Mapping[str, Any] | None:
        """The one thing the customer was sent here to do, until it is done."""
        flow: Mapping[str, Any] | None = self.session["flow"]
        return None if self.session.private.get("is_flow_done") else flow

    @property
    def subscription(self) -> Document | None:
        """The subscription this is about: the flow's, or the customer's own that was asked for. Never another's."""
        if self.flow is not None:
            named = (self.flow.get(self.flow["type"]) or {}).get("subscription", "")
        else:
            named = self.text("subscription")
        held = billing_portal_plan.of(self.world, self.customer)
        return next((subscription for subscription in held if subscription.id == named), None)

    @property
    def chosen(self) -> Document:
        """The subscription, in rooms that are open only with one."""
        subscription = self.subscription
        if subscription is None:
            raise ValueError("the room is open only with a subscription")
        return subscription

    @property
    def ending(self) -> str | None:
        """How a flow that is done ended; None: the portal is open, or the flow is not done."""
        if self.session["flow"] is None or self.flow is not None:
            return None
        return str(self.session["flow"]["after_completion"]["type"])

    def finish(self, told: str) -> Response:
        """Something was done, named as the home page tells of it: on to where that leads."""
        if self.flow is None:
            return render.redirect(self.path(told=told))
        if told not in _ENDS[self.flow["type"]]:
            return render.redirect(self.path(FLOW_ROOMS[self.flow["type"]][0]))
        ending = self.flow["after_completion"]
        self.session.private["is_flow_done"] = True
        self.world.save(self.session)
        if ending["type"] == "redirect":
            return render.redirect(ending["redirect"]["return_url"])
        return render.redirect(self.path() if ending["type"] == "hosted_confirmation" else self.path(told=told))

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of this portal."""
        flow = self.session["flow"] or {}
        redirect = (flow.get("after_completion") or {}).get("redirect") or {}
        return render.page(
            template,
            status=status,
            goes_to=(self.session["return_url"], redirect.get("return_url")),
            sheet="portal.css",
            frame=Frame.of(self),
            livemode=self.world.livemode,
            **values,
        )


@dataclass(frozen=True)
class Frame:
    """What stands around every page of a portal."""

    seller: str
    headline: str | None
    who: str | None
    terms_url: str | None
    privacy_url: str | None
    home: str
    return_url: str
    is_flow: bool

    @classmethod
    def of(cls, visit: Visit) -> Frame:
        """The frame of a visit."""
        profile = visit.configuration["business_profile"]
        return cls(
            seller=account.seller(visit.world),
            headline=profile["headline"],
            who=visit.customer["email"] or visit.customer["name"],
            terms_url=profile["terms_of_service_url"],
            privacy_url=profile["privacy_policy_url"],
            home=visit.path(),
            return_url=visit.session["return_url"],
            is_flow=visit.flow is not None,
        )


@dataclass(frozen=True)
class Room:
    """A room of the portal: what it shows, what it does with a form, and how it says that it could not.

    `is_open` tells whether the configuration, and what the visit is about, let the customer in.
    """

    is_open: Callable[[Visit], bool]
    show: Callable[[Visit], Response]
    submit: Callable[[Visit], Response]
    refused: Callable[[Visit, StripeError], Response]
