"""Charges: one attempt to take money, made by a payment intent or, the old way, directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import address, metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import balance_transaction
from paydesk.emulator.rules import fees
from paydesk.emulator.rules.instrument import Instrument, card_details

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.declines import Decline


def _refunds(world: World, charge: Document) -> dict[str, Any]:
    return lists.nested(
        world, world.kinds["refund"], f"/v1/charges/{charge.id}/refunds", field="charge", value=charge.id
    )


CHARGE = Kind(
    "charge",
    "ch_",
    filters=("customer", "payment_intent", "transfer_group"),
    references={
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
    },
    includes={"refunds": _refunds},
)

HOLD_SECONDS: Final = 7 * 24 * 3600
# Stripe books the money of an asynchronous capture a moment after it has answered.
SETTLES_AFTER_SECONDS: Final = 1
SETTLE: Final = "charge.settle"
SUSPECT: Final = "radar.early_fraud_warning.open"
_DESCRIPTOR: Final = "PAYDESK LOCAL"


def authorize(
    world: World,
    terms: dict[str, Any],
    instrument: Instrument,
    *,
    captures: bool,
    settles_later: bool = False,
    details: dict[str, Any] | None = None,
    is_pending: bool = False,
) -> Document:
    """A charge the bank agrees to, told as `charge.succeeded` (or `charge.pending`, for a slow bank).

    `terms` are the parts of an intent or a request that a charge repeats: amount, currency, customer, payment_intent,
    description, metadata, receipt_email, shipping, statement descriptors, transfer_group. `settles_later` books the
    money after the answer. `details` overrides `payment_method_details`.
    """
    card = instrument.card
    charge = _shaped(world, terms, instrument, details)
    charge["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": card.risk.level,
        "risk_score": card.risk.score,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    charge["status"] = "pending" if is_pending else "succeeded"
    charge["paid"] = not is_pending
    charge["receipt_url"] = None if is_pending else f"{world.base_url}/receipts/{charge.id}"
    charge["captured"] = captures
    if captures:
        charge["amount_captured"] = charge["amount"]
    elif instrument.type == "card":
        charge["payment_method_details"]["card"]["capture_before"] = world.wall + HOLD_SECONDS
    if captures and not settles_later and not is_pending:
        _book(world, charge)
    world.add(charge, "charge.pending" if is_pending else "charge.succeeded")
    if captures and settles_later and not is_pending:
        world.schedule(world.wall + SETTLES_AFTER_SECONDS, SETTLE, charge.id, by_wall=True)
    if card.is_reported_fraud:
        world.schedule(world.wall, SUSPECT, charge.id, by_wall=True)
    return charge


def decline(
    world: World, terms: dict[str, Any], instrument: Instrument, why: Decline, details: dict[str, Any] | None = None
) -> Document:
    """A charge the bank refuses, told as `charge.failed`."""
    charge = _shaped(world, terms, instrument, details)
    charge["failure_code"], charge["failure_message"] = why.code, why.message
    charge["outcome"] = why.outcome()
    charge["status"] = "failed"
    if why.code == "incorrect_cvc" and instrument.type == "card":
        card = charge["payment_method_details"]["card"]
        card["checks"] = card["checks"] | {"cvc_check": "fail"}
    return world.add(charge, "charge.failed")


def capture(world: World, charge: Document, amount: int) -> None:
    """Take what was held, or a part of it: the rest is let go."""
    charge["captured"] = True
    charge["amount_captured"] = amount
    _book(world, charge)
    world.save(charge, "charge.captured")


def release(world: World, charge: Document) -> None:
    """Let go of what was held and never taken."""
    charge["amount_refunded"] = charge["amount"]
    charge["refunded"] = True
    world.save(charge, "charge.refunded")


def settle(world: World, charge: Document) -> None:
    """Book a captured charge's money, if that has not been done."""
    if charge["balance_transaction"] is None:
        _book(world, charge)
        world.unschedule(SETTLE, charge.id)
        world.save(charge, "charge.updated")


def clear(world: World, charge: Document) -> None:
    """The slow bank has paid."""
    charge["status"], charge["paid"] = "succeeded", True
    charge["receipt_url"] = f"{world.base_url}/receipts/{charge.id}"
    _book(world, charge)
    world.save(charge, "charge.succeeded")


def bounce(world: World, charge: Document, why: Decline) -> None:
    """The slow bank has refused."""
    charge["status"], charge["paid"], charge["captured"] = "failed", False, False
    charge["amount_captured"] = 0
    charge["failure_code"], charge["failure_message"] = why.code, why.message
    charge["outcome"] = why.outcome()
    world.save(charge, "charge.failed")


def shipping(given: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Where the goods go, with every part there; an update changes only the parts it sends."""
    if given is None:
        return None
    old = old or {}
    return {
        "address": address(given.get("address", {}), old.get("address")),
        **{part: given.get(part, old.get(part)) for part in ("carrier", "name", "phone", "tracking_number")},
    }


def _book(world: World, charge: Document) -> None:
    card = charge.private["type"] == "card"
    amount = charge["amount_captured"]
    is_at_once = charge.private.get("bypasses_pending", False)
    booked = balance_transaction.book(
        world,
        charge,
        amount,
        type="charge" if card else "payment",
        category="charge",
        fee=fees.card_fee(amount) if card else fees.bank_fee(amount),
        description=charge["description"],
        available_on=world.wall if is_at_once else balance_transaction.available_after(world.wall),
    )
    charge["balance_transaction"] = booked.id


def _shaped(world: World, terms: dict[str, Any], instrument: Instrument, details: dict[str, Any] | None) -> Document:
    intent = terms.get("payment_intent")
    amount = terms["amount"]
    is_card = instrument.type == "card"
    return Document(
        {
            "id": world.mint("ch_" if is_card else "py_", like=intent),
            "object": "charge",
            "amount": amount,
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": instrument.billing_details,
            "calculated_statement_descriptor": _descriptor(terms) if is_card else None,
            "captured": False,
            "created": world.wall,
            "currency": terms["currency"],
            "customer": terms.get("customer"),
            "description": terms.get("description"),
            "destination": None,
            "dispute": None,
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": world.livemode,
            "metadata": dict(terms.get("metadata") or {}),
            "on_behalf_of": None,
            "order": None,
            "outcome": None,
            "paid": False,
            "payment_intent": intent,
            "payment_method": instrument.id,
            "payment_method_details": card_details(instrument, amount, None) if details is None else details,
            "radar_options": {},
            "receipt_email": terms.get("receipt_email"),
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": terms.get("shipping"),
            "source": instrument.source,
            "source_transfer": None,
            "statement_descriptor": terms.get("statement_descriptor"),
            "statement_descriptor_suffix": terms.get("statement_descriptor_suffix"),
            "status": "pending",
            "transfer_data": None,
            "transfer_group": terms.get("transfer_group"),
        },
        {
            "type": instrument.type,
            "number": instrument.private.get("number"),
            "account": instrument.private.get("account"),
            "bypasses_pending": instrument.card.bypasses_pending,
        },
    )


def _descriptor(terms: dict[str, Any]) -> str:
    if terms.get("statement_descriptor"):
        return str(terms["statement_descriptor"])
    suffix = terms.get("statement_descriptor_suffix")
    return f"{_DESCRIPTOR}* {suffix}"[:22] if suffix else _DESCRIPTOR


def _settle_due(world: World, subject: str) -> None:
    settle(world, world.get("charge", subject))


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    charge = world.get("charge", call.path["charge"])
    if given.get("customer") is not None:
        if charge["customer"] is not None:
            raise invalid("You cannot change the customer of a charge that has one.", param="customer")
        charge["customer"] = world.get("customer", given["customer"], param="customer").id
    for name in ("description", "receipt_email", "transfer_group"):
        if name in given:
            charge[name] = given[name]
    if "metadata" in given:
        charge["metadata"] = metadata(charge["metadata"], given["metadata"])
    if "shipping" in given:
        charge["shipping"] = shipping(given["shipping"], charge["shipping"])
    if given.get("fraud_details"):
        merged = {**charge["fraud_details"], **given["fraud_details"]}
        charge["fraud_details"] = {name: value for name, value in merged.items() if value is not None}
    world.save(charge, "charge.updated")
    return charge


KINDS = (CHARGE,)
ROUTES = (
    search(
        "/v1/charges/search",
        CHARGE,
        fields=(
            "amount:number created:number currency customer disputed metadata:map refunded status "
            "billing_details.address.postal_code payment_method_details.card.brand payment_method_details.card.last4 "
            "payment_method_details.card.exp_month:number payment_method_details.card.exp_year:number "
            "payment_method_details.card.fingerprint"
        ),
    ),
    retrieve("/v1/charges/{charge}", CHARGE),
    Route(
        "POST",
        "/v1/charges/{charge}",
        _update,
        uses=words("customer description fraud_details metadata receipt_email shipping transfer_group"),
        area=CHARGE.area,
    ),
    listing("/v1/charges", CHARGE, filters="customer payment_intent transfer_group"),
)
TASKS: dict[str, Any] = {SETTLE: _settle_due}
