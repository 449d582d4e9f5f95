"""Payment pages: the two URLs by which Stripe's own page, and its command line's fixtures, pay a session.

No SDK knows them. They take the same way as the hosted page here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.routes import Call, Route
from paydesk.emulator.resources import account, checkout_payer, checkout_payment, checkout_pricing, payment_method

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def _retrieve(call: Call) -> dict[str, Any]:
    session = call.world.get("checkout.session", call.path["session"])
    checkout_pricing.refresh(call.world, session)
    return _page(call.world, session)


def _confirm(call: Call) -> dict[str, Any]:
    world, given = call.world, call.params
    session = world.get("checkout.session", call.path["session"])
    checkout_payment.check_open(session, "confirmed")
    checkout_pricing.refresh(world, session)
    expected, due = given.get("expected_amount"), checkout_payment.due(session)
    if expected is not None and str(expected) != str(due):
        raise StripeError(
            f"The amount you expected ({expected}) is not what is due ({due}): "
            "the session has changed meanwhile. Retrieve the page again.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    method = _method(world, given)
    payer = checkout_payer.of(world, session, method, _text(given, "email"))
    checkout_payment.submit(world, session, payer, method)
    return _page(world, session)


def _method(world: World, given: dict[str, Any]) -> Document | None:
    identifier = _text(given, "payment_method")
    if identifier is not None:
        return payment_method.named(world, identifier)
    typed = given.get("payment_method_data")
    if typed is None:
        return None
    if not isinstance(typed, dict):
        raise StripeError("Invalid object", param="payment_method_data")
    # The SDK does not know this URL, so nobody has looked at these parameters yet; it knows one that takes the same.
    operation = contract.operation("POST", "/v1/payment_methods")
    checked = contract.check(operation, typed) if operation is not None else typed
    return payment_method.new(world, checked, param="payment_method_data")


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name) or None
    if value is not None and not isinstance(value, str):
        raise StripeError("Invalid string", param=name)
    return value


def _page(world: World, session: Document) -> dict[str, Any]:
    """The session, and what a page needs beside it."""
    intent = checkout_payment.intent_of(world, session)
    kind = None if intent is None else intent["object"]
    due = None if session["amount_total"] is None else checkout_payment.due(session)
    return session | {
        "account_settings": {
            "account_id": world.sandbox.account,
            "display_name": account.current(world)["settings"]["dashboard"]["display_name"],
        },
        "line_item_group": {
            "currency": session["currency"],
            "due": due,
            "subtotal": session["amount_subtotal"],
            "total": session["amount_total"],
        },
        "session_id": session.id,
        "total_summary": {
            "due": due,
            "subtotal": session["amount_subtotal"],
            "total": session["amount_total"],
        },
        **({} if kind is None else {kind: dict(intent or {})}),
    }


KINDS = ()
ROUTES = (
    Route(
        "GET",
        "/v1/payment_pages/{session}",
        _retrieve,
        area="checkout_session",
        is_public=True,
        is_listed=False,
    ),
    Route(
        "POST",
        "/v1/payment_pages/{session}/confirm",
        _confirm,
        area="checkout_session",
        is_public=True,
        is_listed=False,
    ),
)
TASKS: dict[str, Any] = {}
