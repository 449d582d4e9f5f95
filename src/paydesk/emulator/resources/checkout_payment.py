"""Paying a Checkout Session: what follows when a customer presses the button.

The page and the API take the same way through here: an intent is opened at the first
try and kept for the next ones, and only a payment that went well completes the session.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import (
    checkout_discounts,
    checkout_invoice,
    checkout_subscription,
    customer,
    paying,
    payment_intent,
    payment_method,
    setup_intent,
)
from paydesk.emulator.resources.checkout_line_items import lines_of
from paydesk.emulator.resources.checkout_payer import customer_for
from paydesk.emulator.resources.checkout_shape import details
from paydesk.emulator.rules import confirming
from paydesk.emulator.rules.confirming import Accept
from paydesk.emulator.rules.intents import NARROWING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.checkout_payer import Payer

EXPIRE: Final = "checkout.session.expire"
SETTLE: Final = "checkout.session.settle"
_PAID: Final = {"succeeded": "paid", "requires_capture": "unpaid", "processing": "unpaid"}
_GIVEN_UP: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def check_open(session: Document, done: str) -> None:
    """Refuse what only an open session allows; `done` is the participle of it."""
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be {done}. '
            f"This Checkout Session has a status of `{session['status']}`."
        )


def submit(world: World, session: Document, payer: Payer, method: Document | None) -> None:
    """Pay, or save the card. Afterwards the session is complete, or its intent waits for the customer's bank.

    No method is needed where nothing is due.

    Raises:
        StripeError: 402 when the bank declines: the session stays open, and what the try left behind is kept. 400 when
            the session is over, or its discount can no longer be had.
    """
    check_open(session, "confirmed")
    checkout_discounts.check(world, session, lines_of(session))
    checkout_invoice.check(world, session)
    session.private["payer"] = asdict(payer)
    with world.telling(checkout_subscription.news(session)):
        _pay(world, session, method)
    _note_told(world, session)


def due(session: Document) -> int:
    """What is to be paid of a session now."""
    total = session["amount_total"] or 0
    return int(session.private.get("due", total))


def asks_method(session: Document) -> bool:
    """Whether a card is asked for: to pay with, or to be charged later."""
    is_kept = session["mode"] != "payment" and session["payment_method_collection"] == "always"
    return is_kept or bool(due(session))


def _pay(world: World, session: Document, method: Document | None) -> None:
    if not asks_method(session):
        # An earlier try, before a code made the order free, is a payment nobody waits for.
        _drop_intent(world, session)
        _complete(world, session, "no_payment_required", customer_for(world, session))
        return
    if method is None:
        raise StripeError("Missing required param: payment_method.", code="parameter_missing", param="payment_method")
    intent = _intent(world, session)
    world.save(session)
    if _is_accepted(intent, method):
        intent["customer"] = customer_for(world, session)
    back = f"{world.base_url}/c/pay/{session.id}"
    if intent["object"] == "setup_intent":
        setup_intent.confirm(world, intent, method, return_url=back)
    else:
        paying.confirm(world, intent, method, return_url=back)
    _follow(world, session, intent)


def authenticated(world: World, intent: Document, *, passed: bool) -> None:
    """The customer answered their bank, for whatever the intent was made.

    Raises:
        StripeError: 400 when no answer is waited for.
    """
    session = session_of(world, intent)
    if session is not None and passed and _is_in_vain(world, session, intent):
        # Nothing is charged, and the page says why.
        abandon_try(world, session)
        return
    with world.telling(() if session is None else checkout_subscription.news(session)):
        _go_on(world, session, intent, passed=passed)
    if session is not None:
        _note_told(world, session)


def _go_on(world: World, session: Document | None, intent: Document, *, passed: bool) -> None:
    if session is not None and passed and intent["payment_method"] is not None:
        method = world.get("payment_method", intent["payment_method"])
        if _is_accepted(intent, method, is_authenticated=True):
            intent["customer"] = customer_for(world, session)
    if intent["object"] == "setup_intent":
        setup_intent.finish_authentication(world, intent, passed=passed)
    else:
        paying.finish_authentication(world, intent, passed=passed)
    if session is not None:
        _follow(world, session, intent)


def _is_in_vain(world: World, session: Document, intent: Document) -> bool:
    """While the bank was asked, somebody else had the last redemption, or what is due has become something else."""
    if session["status"] != "open":
        return False
    if checkout_discounts.lapsed(world, session, lines_of(session)) == "used_up":
        return True
    if session["mode"] != "subscription":
        return False
    try:
        found = checkout_subscription.quoted_for(world, session)
    except StripeError:
        return True
    return bool(found.due != intent.get("amount", 0))


def session_of(world: World, intent: Document) -> Document | None:
    """The session an intent was opened for, if one was."""
    identifier = intent.private.get("checkout")
    return None if identifier is None else world.find("checkout.session", identifier)


def intent_of(world: World, session: Document) -> Document | None:
    """The intent behind a session, if it came to one. That of a subscription is nobody else's business."""
    for kind in ("payment_intent", "setup_intent"):
        identifier = session.private.get(kind) or session[kind]
        if identifier is not None:
            return world.find(kind, identifier)
    return None


def challenge_url(world: World, session: Document) -> str | None:
    """Where the customer's bank waits for them; None when it does not."""
    intent = intent_of(world, session)
    if intent is None or intent["status"] != "requires_action":
        return None
    return str(intent["next_action"]["redirect_to_url"]["url"])


def abandon_try(world: World, session: Document) -> None:
    """What is sold has changed: a bank that is still asked about the old total is asked in vain."""
    intent = intent_of(world, session)
    if intent is not None and intent["status"] == "requires_action":
        intent["next_action"] = None
        intent["payment_method"] = None
        intent["status"] = "requires_payment_method"
        world.save(intent)


def give_up(world: World, session: Document) -> None:
    """The session is over: what was tried for it can no longer succeed."""
    intent = intent_of(world, session)
    if intent is None or intent["status"] not in _GIVEN_UP:
        return
    if intent["object"] == "setup_intent":
        setup_intent.cancel(world, intent, "abandoned")
    else:
        paying.cancel(world, intent, "expired")


def settle(world: World, intent_id: str) -> None:
    """A slow bank has answered long after the session was completed."""
    intent = world.get("payment_intent", intent_id)
    paying.settle(world, intent)
    session = session_of(world, intent)
    if session is None or session["status"] != "complete" or intent["status"] == "processing":
        return
    is_paid = intent["status"] == "succeeded"
    session["payment_status"] = "paid" if is_paid else "unpaid"
    if is_paid and checkout_invoice.is_wanted(session):
        checkout_invoice.bill(world, session, intent)
    world.save(session)
    world.emit(f"checkout.session.async_payment_{'succeeded' if is_paid else 'failed'}", session)


def _intent(world: World, session: Document) -> Document:
    """The session's intent: opened at the first try, and brought up to date for the next ones."""
    intent, amount = intent_of(world, session), due(session)
    if intent is not None and (intent["object"] == "setup_intent") != (amount == 0):
        # What was to be paid has become free, or the other way round.
        _drop_intent(world, session)
        intent = None
    if intent is None:
        intent = _opened(world, session, amount)
    if intent["object"] == "payment_intent":
        intent["amount"] = amount
    return intent


def _opened(world: World, session: Document, amount: int) -> Document:
    given: dict[str, Any] = {
        **session.private["payment_intent_data"],
        **{name: session.get(name) for name in NARROWING},
        "amount": amount,
        "currency": session["currency"],
        "customer": session["customer"],
        "payment_method_options": session["payment_method_options"],
    }
    if session["mode"] == "payment":
        intent = payment_intent.open_intent(world, given, checkout=session.id, settled_by=SETTLE)
        session["payment_intent"] = intent.id
        return intent
    if not amount:
        intent = setup_intent.open_intent(world, given, checkout=session.id)
    else:
        given |= {"description": checkout_subscription.PURPOSE, "setup_future_usage": "off_session"}
        intent = payment_intent.open_intent(world, given, checkout=session.id, settled_by=SETTLE)
    session.private[intent["object"]] = intent.id
    return intent


def _drop_intent(world: World, session: Document) -> None:
    give_up(world, session)
    for kept in (session, session.private):
        kept["payment_intent"] = kept["setup_intent"] = None


def _is_accepted(intent: Document, method: Document, *, is_authenticated: bool = False) -> bool:
    """Whether the bank is going to agree at once: customers are only made for payments that succeed."""
    if method["type"] != "card":
        return True
    asked = (intent["payment_method_options"] or {}).get("card") or {}
    verdict = confirming.decide(
        payment_method.instrument(method).card,
        is_set_up=method.private.get("is_set_up", False),
        is_authenticated=is_authenticated,
        requested=asked.get("request_three_d_secure") or "automatic",
        saves_only=intent["object"] == "setup_intent",
    )
    return isinstance(verdict, Accept)


def _follow(world: World, session: Document, intent: Document) -> None:
    """Complete the session if its intent has come that far."""
    if session["status"] != "open":
        return
    if intent["object"] == "setup_intent":
        if intent["status"] == "succeeded":
            _complete(world, session, "no_payment_required", intent["customer"])
    elif intent["status"] in _PAID:
        _complete(world, session, _PAID[intent["status"]], intent["customer"])


def _note_told(world: World, session: Document) -> None:
    """Remember which event tells of a session that is complete: the page waits until it was delivered."""
    if session["status"] == "complete":
        told = world.first("event", "type", "checkout.session.completed")
        session.private["told"] = None if told is None else told.id
        world.save(session)


def _complete(world: World, session: Document, payment_status: str, customer_id: str | None) -> None:
    payer = session.private["payer"]
    customer.introduce(world, customer_id)
    checkout_discounts.redeem(world, session)
    session["customer"] = customer_id
    session["customer_details"] = details(**payer)
    session["payment_status"] = payment_status
    session["status"] = "complete"
    session["url"] = None
    world.unschedule(EXPIRE, session.id)
    if checkout_invoice.is_wanted(session) and payment_status != "unpaid":
        checkout_invoice.bill(world, session, intent_of(world, session))
    if session["mode"] == "subscription":
        checkout_subscription.begin(world, session, intent_of(world, session))
    world.save(session)
    world.emit("checkout.session.completed", session)
