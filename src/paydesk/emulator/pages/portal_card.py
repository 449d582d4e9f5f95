"""A new card on the portal: typed as on Checkout, confirmed with the bank where it asks, and used from then on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import checkout_form, checkout_view, render
from paydesk.emulator.pages.checkout import Refused
from paydesk.emulator.pages.checkout_form import Typed
from paydesk.emulator.pages.checkout_view import today
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_card, payment_method
from paydesk.emulator.rules import cards, declines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from paydesk.emulator.pages.checkout_view import Sample, TestCard

_ASKED: Final = "Confirm that you are a person, and enter the card again."
_NOT_CONFIRMED: Final = "Your bank did not confirm the card. Try again, or use another one."


@dataclass(frozen=True)
class View:
    """What the card's form shows."""

    action: str
    livemode: bool
    cards: tuple[TestCard, ...]
    sample: Sample
    countries: Mapping[str, str]
    typed: Typed
    asks_person: bool = False
    alert: str | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def focus(self) -> str | None:
        """The first field that needs another look."""
        return next(iter(self.problems), None)


def _show(visit: Visit) -> Response:
    intent = billing_portal_card.intent_of(visit.world, visit.session)
    is_back = intent is not None and visit.text("setup_intent") == intent.id
    if intent is None or not is_back:
        return _page(visit)
    if intent["status"] == "succeeded":
        return visit.finish("card")
    return _page(visit, alert=_what_failed(intent["last_setup_error"]))


def _page(visit: Visit, *, status: int = 200, typed: Typed | None = None, **more: Any) -> Response:
    world = visit.world
    view = View(
        action=_action(visit),
        livemode=world.livemode,
        cards=checkout_view.test_cards(world),
        sample=checkout_view.sample(world),
        countries=render.countries(),
        typed=(typed or _known(visit)).without_card(),
        **more,
    )
    return visit.page("portal_card.html", status=status, view=view)


def _action(visit: Visit) -> str:
    """This room, for the subscription the customer came from."""
    subscription = visit.subscription
    return visit.path("card") if subscription is None else visit.path("card", subscription=subscription.id)


def _known(visit: Visit) -> Typed:
    where = visit.customer["address"] or {}
    return Typed(
        name=visit.customer["name"] or "",
        country=where.get("country") or "US",
        postal_code=where.get("postal_code") or "",
    )


def _what_failed(error: Mapping[str, Any] | None) -> str:
    if error is None:
        return _NOT_CONFIRMED
    return _plain(error, ((error.get("payment_method") or {}).get("card") or {}).get("funding", "credit"))


def _submit(visit: Visit) -> Response:
    world = visit.world
    typed = checkout_form.read(visit.asked)
    day = today(world)
    if visit.text("test_card"):
        typed = checkout_form.with_test_card(typed, visit.text("test_card"), day)
    problems = checkout_form.problems(typed, day, asks_email=False, countries=render.countries())
    if problems:
        return _page(visit, status=422, typed=typed, problems=problems)
    plastic = cards.by_number(typed.card.number)
    if plastic is not None and plastic.asks_captcha and not typed.is_person:
        return _page(visit, status=422, typed=typed, alert=_ASKED, asks_person=True)
    try:
        method = payment_method.new(world, _method(typed, visit.customer["email"]))
        intent = billing_portal_card.save(
            world,
            visit.session,
            method,
            return_url=world.base_url + _action(visit),
            subscription=None if visit.subscription is None else visit.subscription.id,
        )
    except StripeError as refusal:
        raise Refused(refusal, typed) from None
    if intent["status"] == "requires_action":
        return render.redirect(intent["next_action"]["redirect_to_url"]["url"])
    return visit.finish("card")


def _method(typed: Typed, email: str | None) -> dict[str, Any]:
    return {
        "type": "card",
        "card": typed.card.params(),
        "billing_details": {
            "address": {"country": typed.country, "postal_code": typed.postal_code or None},
            "email": email,
            "name": typed.name or None,
        },
    }


def _refused(visit: Visit, refusal: StripeError) -> Response:
    """The form again, with the bank's answer in plain words and everything typed but the card."""
    typed = refusal.typed if isinstance(refusal, Refused) else Typed()
    plastic = cards.by_number(typed.card.number)
    error = {**refusal.extra, "code": refusal.code, "message": refusal.message}
    alert = _plain(error, plastic.funding if plastic is not None else "credit")
    return _page(visit, status=refusal.status, typed=typed, alert=alert)


def _plain(error: Mapping[str, Any], funding: str) -> str:
    return declines.on_page(error.get("code"), error.get("decline_code"), error["message"], funding)


ROOM: Final = Room(
    is_open=lambda visit: bool(visit.feature("payment_method_update")["enabled"]),
    show=_show,
    submit=_submit,
    refused=_refused,
)
