"""The hosted payment page: `/c/pay/{session}`.

It does what it does through the same functions as the API, finds its sandbox by the
session's id, and works without JavaScript: every button is a form post.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import form
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import checkout_code, checkout_form, checkout_view, render
from paydesk.emulator.pages.checkout_next import Closed, GoTo, Next, Shown, rendered
from paydesk.emulator.resources import checkout_line_items as line_items
from paydesk.emulator.resources import (
    checkout_payer,
    checkout_payment,
    checkout_pricing,
    checkout_saved,
    payment_method,
)
from paydesk.emulator.rules import cards, declines

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.checkout_form import Typed

# Waits until an event's deliveries were answered, or so many seconds; true if they were.
Answered = Callable[[str, float], Awaitable[bool]]

WAIT_SECONDS: Final = 10.0
_DONE: Final = {
    "payment": "This order was already paid",
    "setup": "Your card was already saved",
    "subscription": "You have subscribed already",
}
CHANGED: Final = "The total has changed since you opened this page. Please check it and pay again."


class CheckoutPage:
    """Shows sessions and takes what customers submit."""

    def __init__(self, kernel: Kernel, answered: Answered) -> None:
        self._kernel = kernel
        self._answered = answered

    async def show(self, request: Request) -> Response:
        """GET: the page of an open session, or why there is none."""
        has_failed = request.query_params.get("redirect_status") == "failed"
        return await self._in_world(request, lambda world, session: _page(world, session, has_failed=has_failed))

    async def submit(self, request: Request) -> Response:
        """POST: one more of an item, a promotion code, or the payment."""
        body = await render.body(request)
        try:
            sent = form.decode(body) if body is not None else {}
        except StripeError:
            sent = {}
        return await self._in_world(request, lambda world, session: _submit(world, session, sent))

    async def _in_world(self, request: Request, work: Callable[[World, Document], Next]) -> Response:
        identifier = request.path_params["session"]
        sandbox = self._kernel.sandboxes.holding("checkout.session", identifier)
        if sandbox is None:
            return render.nothing_here()
        try:
            following = self._kernel.within(
                sandbox, lambda world: work(world, world.get("checkout.session", identifier))
            )
        except Refused as refused:
            answer = refused
            following = self._kernel.within(
                sandbox, lambda world: _after_refusal(world, world.get("checkout.session", identifier), answer)
            )
        return await self.follow(following)

    async def follow(self, following: Next) -> Response:
        """The answer to the browser. It waits until a paid session's webhook was answered, but not for ever."""
        if isinstance(following, GoTo) and following.event is not None:
            await self._answered(following.event, WAIT_SECONDS)
        return rendered(following)


class Refused(StripeError):
    """A refusal with what was typed, so that the page can show both."""

    def __init__(self, refusal: StripeError, typed: Typed) -> None:
        super().__init__(
            refusal.message,
            status=refusal.status,
            type=refusal.type,
            code=refusal.code,
            param=refusal.param,
            keeps_work=refusal.keeps_work,
            **refusal.extra,
        )
        self.typed = typed


def closed(world: World, session: Document) -> Closed:
    """What is left of a session that was paid, or whose time is over."""
    seller = checkout_view.seller_of(world, session)
    if session["status"] == "complete":
        return Closed(
            _DONE[session["mode"]],
            f"There is nothing left to do here. {seller} knows about it.",
            is_good=True,
            livemode=world.livemode,
        )
    return Closed(
        "This page has timed out",
        f"Nothing was charged. Go back to {seller} and start again.",
        link=checkout_view.with_id(session["cancel_url"], session),
        link_text=f"Back to {seller}",
        livemode=world.livemode,
    )


def is_open(world: World, session: Document) -> bool:
    """Whether somebody can still pay; the agenda may be a moment late."""
    return bool(session["status"] == "open" and session["expires_at"] > world.wall)


def finished(session: Document) -> GoTo:
    """Back to the seller, once its webhook has been answered."""
    return GoTo(str(checkout_view.with_id(session["success_url"], session)), session.private.get("told"))


def _page(world: World, session: Document, *, has_failed: bool) -> Next:
    if not is_open(world, session):
        return closed(world, session)
    try:
        checkout_pricing.refresh(world, session)
    except StripeError as refusal:
        return _impossible(world, session, refusal)
    return Shown(checkout_view.of(world, session, alert=_what_failed(world, session) if has_failed else None))


def _impossible(world: World, session: Document, refusal: StripeError) -> Closed:
    """What a session sells cannot begin any more, whoever pays."""
    seller = checkout_view.seller_of(world, session)
    return Closed(
        "This cannot be subscribed to any more",
        f"Nothing was charged. {refusal.message}",
        link=checkout_view.with_id(session["cancel_url"], session),
        link_text=f"Back to {seller}",
        livemode=world.livemode,
    )


def _what_failed(world: World, session: Document) -> str | None:
    """The last try's refusal, for a customer who comes back from their bank."""
    intent = checkout_payment.intent_of(world, session)
    lapsed = checkout_code.what_lapsed(world, session, line_items.lines_of(session))
    if intent is None or lapsed is not None:
        return lapsed
    error = intent.get("last_payment_error") or intent.get("last_setup_error")
    if error is None:
        # A subscription's try that was given up without a word from the bank was for another total.
        return CHANGED if session["mode"] == "subscription" else None
    return _plain(error, (error.get("payment_method") or {}).get("card") or {})


def _plain(error: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    return declines.on_page(
        error.get("code"), error.get("decline_code"), error["message"], card.get("funding", "credit")
    )


def _submit(world: World, session: Document, sent: dict[str, Any]) -> Next:
    if session["status"] == "complete":
        # A second click, or a reloaded answer: the payment was made, and the customer goes where it led.
        return finished(session)
    if not is_open(world, session):
        return closed(world, session)
    try:
        checkout_pricing.refresh(world, session)
    except StripeError as refusal:
        return _impossible(world, session, refusal)
    typed = checkout_form.read(sent)
    change = sent.get("change")
    if isinstance(change, str):
        return _changed(world, session, typed, change)
    # A code that was typed and not applied yet is applied first: nobody pays the full price by pressing Enter.
    if "promotion" in sent or (typed.promotion_code and checkout_code.is_asked(session)):
        return _with_code(world, session, typed, is_removed=sent.get("promotion") == "remove")
    today = checkout_view.today(world)
    if isinstance(sent.get("test_card"), str):
        typed = checkout_form.with_test_card(typed, sent["test_card"], today)
    if sent.get("expected_amount") != str(checkout_payment.due(session)):
        return Shown(checkout_view.of(world, session, typed=typed, alert=CHANGED), 409)
    fixed = checkout_payer.fixed_email(world, session)
    asks_method = checkout_payment.asks_method(session)
    saved = checkout_saved.chosen(world, session, typed.saved_card) if asks_method else None
    asks_card = asks_method and saved is None
    problems = checkout_form.problems(
        typed, today, asks_email=fixed is None, asks_card=asks_card, countries=render.countries()
    )
    if problems:
        return Shown(checkout_view.of(world, session, typed=typed, problems=problems), 422)
    plastic = cards.by_number(typed.card.number)
    if asks_card and plastic is not None and plastic.asks_captcha and not typed.is_person:
        asked = "Confirm that you are a person, and enter the card again."
        return Shown(checkout_view.of(world, session, typed=typed, alert=asked, asks_person=True), 422)
    lapsed = checkout_code.what_lapsed(world, session, line_items.lines_of(session))
    if lapsed is not None:
        return Shown(checkout_view.of(world, session, typed=typed, alert=lapsed), 409)
    session.private["typed"] = typed.kept()
    try:
        payer = _payer(typed, fixed) if saved is None else checkout_payer.of(world, session, saved, typed.email)
        method = payment_method.new(world, _method(typed, fixed)) if asks_card else saved
        checkout_payment.submit(world, session, payer, method)
    except StripeError as refusal:
        raise Refused(refusal, typed) from None
    if session["status"] == "complete":
        return finished(session)
    return GoTo(str(checkout_payment.challenge_url(world, session)))


def _method(typed: Typed, fixed_email: str | None) -> dict[str, Any]:
    return {
        "type": "card",
        "card": typed.card.params(),
        "billing_details": {
            "address": {"country": typed.country, "postal_code": typed.postal_code or None},
            "email": fixed_email or typed.email,
            "name": typed.name or None,
        },
    }


def _payer(typed: Typed, fixed_email: str | None) -> checkout_payer.Payer:
    return checkout_payer.Payer(
        email=fixed_email or typed.email,
        name=typed.name or None,
        address={"country": typed.country, "postal_code": typed.postal_code or None},
    )


def _changed(world: World, session: Document, typed: Typed, change: str) -> Next:
    """Another quantity of one item: `li_… 3`."""
    identifier, _, quantity = change.partition(" ")
    if not quantity.removeprefix("-").isdecimal() or len(quantity) > len("999999"):
        return Shown(checkout_view.of(world, session, typed=typed), 422)
    lines = [
        line_items.with_quantity(world, line, int(quantity)) if line["id"] == identifier else line
        for line in line_items.lines_of(session)
    ]
    lapsed = checkout_code.what_lapsed(world, session, lines)
    if lapsed is not None:
        return Shown(checkout_view.of(world, session, typed=typed, alert=lapsed), 422)
    try:
        checkout_pricing.set_lines(world, session, lines)
    except StripeError as refusal:
        return Shown(checkout_view.of(world, session, typed=typed, alert=refusal.message), 422)
    world.save(session)
    return Shown(checkout_view.of(world, session, typed=typed))


def _with_code(world: World, session: Document, typed: Typed, *, is_removed: bool) -> Next:
    """The page with a promotion code applied, taken back, or refused."""
    problem = None
    if is_removed:
        checkout_code.remove(world, session)
    elif checkout_code.is_asked(session):
        problem = checkout_code.apply(world, session, typed.promotion_code)
    if problem is None:
        return Shown(checkout_view.of(world, session, typed=replace(typed, promotion_code="")))
    return Shown(checkout_view.of(world, session, typed=typed, problems={"promotion_code": problem}), 422)


def _after_refusal(world: World, session: Document, refused: Refused) -> Next:
    """The page again, with the bank's answer in plain words and everything typed but the card."""
    plastic = cards.by_number(refused.typed.card.number)
    error = {**refused.extra, "code": refused.code, "message": refused.message}
    alert = _plain(error, {"funding": plastic.funding} if plastic is not None else {})
    return Shown(checkout_view.of(world, session, typed=refused.typed, alert=alert), refused.status)
