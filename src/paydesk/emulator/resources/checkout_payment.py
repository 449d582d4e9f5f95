"""Paying a Checkout Session: what follows when a customer presses the button.

The page and the API take the same way through here: an intent is opened at the first
try and kept for the next ones, and only a payment that went well completes the session.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.fields import address
from paydesk.emulator.resources import (
    checkout_discounts,
    checkout_invoice,
    customer,
    paying,
    payment_intent,
    payment_method,
    setup_intent,
)
from paydesk.emulator.resources.checkout_line_items import lines_of
from paydesk.emulator.resources.checkout_shape import details
from paydesk.emulator.rules import confirming
from paydesk.emulator.rules.confirming import Accept
from paydesk.emulator.rules.intents import NARROWING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

EXPIRE: Final = "checkout.session.expire"
SETTLE: Final = "checkout.session.settle"
_PAID: Final = {"succeeded": "paid", "requires_capture": "unpaid", "processing": "unpaid"}
_GIVEN_UP: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


@dataclass(frozen=True)
class Payer:
    """Who pays, as far as the page asked or the payment method tells."""

    email: str | None
    name: str | None = None
    phone: str | None = None
    address: dict[str, Any] | None = None


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
    if session["mode"] == "payment" and not session["amount_total"]:
        # An earlier try, before a code made the order free, is a payment nobody waits for.
        give_up(world, session)
        session["payment_intent"] = None
        _complete(world, session, "no_payment_required", _customer_for(world, session))
        return
    if method is None:
        raise StripeError("Missing required param: payment_method.", code="parameter_missing", param="payment_method")
    intent = _intent(world, session)
    world.save(session)
    if _is_accepted(intent, method):
        intent["customer"] = _customer_for(world, session)
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
    if session is not None and passed and _is_used_up(world, session):
        # While the bank was asked, somebody else had the last redemption: nothing is charged, and the page says why.
        abandon_try(world, session)
        return
    if session is not None and passed and intent["payment_method"] is not None:
        method = world.get("payment_method", intent["payment_method"])
        if _is_accepted(intent, method, is_authenticated=True):
            intent["customer"] = _customer_for(world, session)
    if intent["object"] == "setup_intent":
        setup_intent.finish_authentication(world, intent, passed=passed)
    else:
        paying.finish_authentication(world, intent, passed=passed)
    if session is not None:
        _follow(world, session, intent)


def _is_used_up(world: World, session: Document) -> bool:
    return checkout_discounts.lapsed(world, session, lines_of(session)) == "used_up"


def session_of(world: World, intent: Document) -> Document | None:
    """The session an intent was opened for, if one was."""
    return world.first("checkout.session", intent["object"], intent.id)


def intent_of(world: World, session: Document) -> Document | None:
    """The intent behind a session, if it came to one."""
    kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
    return world.find(kind, session[kind]) if session[kind] else None


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
    intent = intent_of(world, session)
    if intent is None:
        given = {
            **session.private["payment_intent_data"],
            **{name: session.get(name) for name in NARROWING},
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "payment_method_options": session["payment_method_options"],
        }
        intent = payment_intent.open_intent(world, given, checkout=session.id, settled_by=SETTLE)
        session["payment_intent"] = intent.id
    if intent["object"] == "payment_intent":
        intent["amount"] = session["amount_total"]
    return intent


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


def _customer_for(world: World, session: Document) -> str | None:
    """The customer a completed session belongs to: the given one, a new one, or (for guests) nobody."""
    payer = session.private["payer"]
    if session["customer"] is not None:
        _complement(world, session, payer)
        return str(session["customer"])
    if session["customer_creation"] != "always" and not checkout_invoice.is_wanted(session):
        return None
    return customer.add_untold(world, payer).id


def _complement(world: World, session: Document, payer: dict[str, Any]) -> None:
    """What the customer told the page and the seller did not know yet."""
    known = world.find("customer", session["customer"])
    if known is None:
        return
    wanted = session.private.get("customer_update", {})
    if not known["email"]:
        known["email"] = payer["email"]
    if wanted.get("name") == "auto" and payer["name"]:
        known["name"] = payer["name"]
    if wanted.get("address") == "auto" and payer["address"]:
        known["address"] = address(payer["address"])
    world.save(known, "customer.updated")


def _follow(world: World, session: Document, intent: Document) -> None:
    """Complete the session if its intent has come that far."""
    if session["status"] != "open":
        return
    if intent["object"] == "setup_intent":
        if intent["status"] == "succeeded":
            _complete(world, session, "no_payment_required", intent["customer"])
    elif intent["status"] in _PAID:
        _complete(world, session, _PAID[intent["status"]], intent["customer"])


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
    world.save(session)
    world.emit("checkout.session.completed", session)
    told = world.first("event", "type", "checkout.session.completed")
    session.private["told"] = None if told is None else told.id
    world.save(session)


def fixed_email(world: World, session: Document) -> str | None:
    """The e-mail address the seller already knows, which the customer cannot change."""
    if session["customer_email"]:
        return str(session["customer_email"])
    known = world.find("customer", session["customer"]) if session["customer"] else None
    return known["email"] if known is not None and known["email"] else None


def payer_of(world: World, session: Document, method: Document | None, email: str | None = None) -> Payer:
    """Who pays, told by the payment method; an address that the seller fixed comes first."""
    known = fixed_email(world, session)
    if method is None:
        return Payer(known or email)
    billing = method["billing_details"]
    return Payer(known or email or billing["email"], billing["name"], billing["phone"], billing["address"])
