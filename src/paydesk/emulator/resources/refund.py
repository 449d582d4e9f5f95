"""Refunds: money given back, all of it or a part, at once or in the end not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources import balance_transaction, charge, dispute
from paydesk.emulator.rules import cards, intents
from paydesk.emulator.rules.money import amount_text

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

REFUND = Kind(
    "refund",
    "re_",
    missing="No such refund: '%s'",
    filters=("charge", "payment_intent"),
    references={
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
)

# Stripe takes days; whoever tests this waits a moment, and pushes the clock for nothing.
_TURNS_AFTER_SECONDS: Final = 5
_SUCCEEDS: Final = "refund.succeed"
_FAILS: Final = "refund.fail"
_FOUND: Final = "refund.found"
_REFERENCE_DIGITS: Final = 16

# What becomes of a card's refund, by what its test card says of refunds.
_THEN: Final = {"succeeds": _FOUND, "pends": _SUCCEEDS, "fails": _FAILS}


def give_back(
    world: World, paid: Document, amount: int | None, *, reason: str | None = None, notes: dict[str, Any] | None = None
) -> Document:
    """Refund a charge; `amount` None is what is left of it.

    Raises:
        StripeError: 400 where there is nothing, or not so much, or the payer's bank has taken it already.
    """
    amount = _checked(world, paid, amount)
    charge.settle(world, paid)
    fate = cards.of(paid.private).refund
    is_card = paid.private["type"] == "card"
    refund = Document(
        {
            "id": world.mint("re_" if is_card else "pyr_", like=paid["payment_intent"] or paid.id),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": paid.id,
            "created": world.wall,
            "currency": paid["currency"],
            "customer": paid["customer"],
            "customer_account": None,
            "destination_details": _destination(paid.private["type"]),
            "metadata": metadata({}, notes or {}),
            "payment_intent": paid["payment_intent"],
            "payment_method": paid["payment_method"] if paid["source"] is None else None,
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if fate == "pends" else "succeeded",
            "transfer_reversal": None,
        }
    )
    money = world.get("balance_transaction", paid["balance_transaction"])
    refund["balance_transaction"] = balance_transaction.book(
        world,
        refund,
        -amount,
        type="refund" if is_card else "payment_refund",
        category="refund",
        description=f"REFUND FOR CHARGE ({paid['description']})" if paid["description"] else "REFUND FOR CHARGE",
        # What has not arrived yet is given back before it arrives.
        available_on=money["available_on"] if money["status"] == "pending" else world.wall,
    ).id
    world.add(refund, "refund.created")
    paid["amount_refunded"] += amount
    paid["refunded"] = paid["amount_refunded"] == paid["amount_captured"]
    world.save(paid, "charge.refunded")
    if is_card:
        world.schedule(world.wall + _TURNS_AFTER_SECONDS, _THEN[fate], refund.id, by_wall=True)
    return refund


def _checked(world: World, paid: Document, amount: int | None) -> int:
    if paid["status"] != "succeeded":
        raise invalid(f"Charge {paid.id} cannot be refunded: it has a status of {paid['status']}.", param="charge")
    if not paid["captured"]:
        raise invalid(
            f"Charge {paid.id} has not been captured: there is nothing to give back. Cancel its PaymentIntent to "
            "release what is held.",
            param="charge",
        )
    if paid["refunded"]:
        raise StripeError(f"Charge {paid.id} has already been refunded.", code="charge_already_refunded")
    if paid["disputed"] and not dispute.is_refundable(world, paid):
        raise StripeError(f"Charge {paid.id} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = paid["amount_captured"] - paid["amount_refunded"]
    if amount is None:
        return int(left)
    if amount < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        currency = paid["currency"]
        raise invalid(
            f"Refund amount ({amount_text(amount, currency)}) is greater than unrefunded amount on charge "
            f"({amount_text(left, currency)})",
            param="amount",
        )
    return amount


def _destination(kind: str) -> dict[str, Any]:
    if kind == "card":
        return {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        }
    transfer = "us_bank_transfer" if kind == "us_bank_account" else "eu_bank_transfer"
    return {"type": transfer, transfer: {"reference": None, "reference_status": "pending"}}


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if given.get("charge") and given.get("payment_intent"):
        raise exclusive("charge", "payment_intent")
    if given.get("payment_intent"):
        paid = _of_intent(world, given["payment_intent"])
    elif given.get("charge"):
        paid = world.get("charge", given["charge"], param="charge")
    else:
        raise StripeError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    return give_back(world, paid, given.get("amount"), reason=given.get("reason"), notes=given.get("metadata"))


def _of_intent(world: World, identifier: str) -> Document:
    intent = world.get("payment_intent", identifier, param="payment_intent")
    paid = None if intent["latest_charge"] is None else world.get("charge", intent["latest_charge"])
    if paid is None or paid["status"] != "succeeded":
        raise intents.unexpected_state(
            intent, f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
        )
    return paid


def _update(call: Call) -> Document:
    refund = call.world.get("refund", call.path["refund"])
    if "metadata" in call.params:
        refund["metadata"] = metadata(refund["metadata"], call.params["metadata"])
    previous = call.world.save(refund)
    if previous:
        _tell(call.world, refund, "refund.updated", "charge.refund.updated", previous=previous)
    return refund


def _cancel(call: Call) -> Document:
    call.world.get("refund", call.path["refund"])
    raise invalid("Canceling this refund is unsupported.")


def _become_traceable(world: World, subject: str) -> None:
    """The payer's bank can now find the money, by a reference."""
    refund = world.get("refund", subject)
    digits = "".join(str(ord(character) % 10) for character in world.characters(_REFERENCE_DIGITS))
    refund["destination_details"]["card"] |= {"reference": digits, "reference_status": "available"}
    previous = world.save(refund)
    _tell(world, refund, "refund.updated", "charge.refund.updated", previous=previous)


def _succeed(world: World, subject: str) -> None:
    refund = world.get("refund", subject)
    refund["status"] = "succeeded"
    previous = world.save(refund)
    _tell(world, refund, "refund.updated", "charge.refund.updated", previous=previous)


def _fail(world: World, subject: str) -> None:
    """The payer's bank has sent the money back."""
    refund = world.get("refund", subject)
    returned = balance_transaction.book(
        world, refund, refund["amount"], type="refund_failure", category="refund_failure", description="REFUND FAILURE"
    )
    refund["failure_balance_transaction"] = returned.id
    refund["failure_reason"] = "expired_or_canceled_card"
    refund["status"] = "failed"
    previous = world.save(refund)
    paid = world.get("charge", refund["charge"])
    paid["amount_refunded"] -= refund["amount"]
    paid["refunded"] = False
    world.save(paid, "charge.updated")
    _tell(world, refund, "refund.updated", "charge.refund.updated", previous=previous)
    world.emit("refund.failed", refund)


def _tell(world: World, refund: Document, *events: str, previous: dict[str, Any] | None = None) -> None:
    for event in events:
        world.emit(event, refund, previous)


_AREA = REFUND.area
_REFUSED = {
    "currency": "refunds without a charge are not modelled.",
    "customer": "refunds from a customer's cash balance are not modelled.",
    "origin": "refunds from a customer's cash balance are not modelled.",
    "refund_application_fee": intents.CONNECT,
    "reverse_transfer": intents.CONNECT,
}

KINDS = (REFUND,)
ROUTES = (
    Route(
        "POST",
        "/v1/refunds",
        _create,
        uses=words("amount charge metadata payment_intent reason"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    retrieve("/v1/refunds/{refund}", REFUND),
    Route("POST", "/v1/refunds/{refund}", _update, uses=words("metadata"), area=_AREA),
    Route("POST", "/v1/refunds/{refund}/cancel", _cancel, area=_AREA),
    listing("/v1/refunds", REFUND, filters="charge payment_intent"),
)
TASKS: dict[str, Any] = {_FOUND: _become_traceable, _SUCCEEDS: _succeed, _FAILS: _fail}
