"""Disputes: a payer's bank takes its money back, and the evidence decides who keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources import balance_transaction
from paydesk.emulator.rules import cards, fees
from paydesk.emulator.rules.cards import DisputeKind

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

DISPUTE = Kind(
    "dispute",
    "du_",
    missing="No such dispute: '%s'",
    missing_param="dispute",
    filters=("charge", "payment_intent"),
    references={"charge": "charge", "payment_intent": "payment_intent"},
)

OPEN: Final = "dispute.open"
_OVERDUE: Final = "dispute.overdue"
_DECIDE: Final = "dispute.decide"
_DAY: Final = 24 * 3600
_RESPONSE_DAYS: Final = 8
_DECIDED_AFTER_SECONDS: Final = 5
_WAITING: Final = ("needs_response", "warning_needs_response")
_BEING_READ: Final = ("under_review", "warning_under_review")
_CLOSED: Final = ("won", "lost", "warning_closed", "prevented")

EVIDENCE: Final = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
)
# Why payers say they go to their bank, and what Visa calls it.
_NETWORK_CODES: Final = {"fraudulent": "10.4", "product_not_received": "13.1"}
REASONS: Final = tuple(_NETWORK_CODES)
_DEBIT_DISPUTED: Final = DisputeKind("debit_not_authorized", "R10")


def open_from_card(world: World, charge: Document) -> None:
    """Open the disputes that a captured charge's test card asks for."""
    kinds = cards.of(charge.private).disputes
    for number, kind in enumerate(kinds):
        # Several disputes of one payment share its amount between them.
        share = charge["amount_captured"] // len(kinds)
        rest = charge["amount_captured"] - share * (len(kinds) - 1)
        _open(world, charge, kind, rest if number == 0 else share)


def open_now(world: World, charge: Document, reason: str) -> Document:
    """Open the dispute of a payer who goes to their bank with a paid charge, on whichever card."""
    if not (charge["paid"] and charge["captured"]) or charge["amount_refunded"] == charge["amount_captured"]:
        raise invalid(f"{charge.id} holds no money that a bank could take back.")
    if charge["disputed"]:
        raise invalid(f"{charge.id} is disputed already.")
    left = charge["amount_captured"] - charge["amount_refunded"]
    return _open(world, charge, DisputeKind(reason, _NETWORK_CODES[reason]), left)


def open_debit(world: World, charge: Document) -> None:
    """Open the dispute of a bank debit whose payer says it was never agreed to."""
    _open(world, charge, _DEBIT_DISPUTED, charge["amount_captured"])


def is_refundable(world: World, charge: Document) -> bool:
    """Whether a charge's disputes leave it to the merchant to give money back."""
    return all(dispute["is_charge_refundable"] for dispute in world.having("dispute", "charge", charge.id))


def _open(world: World, charge: Document, kind: DisputeKind, amount: int) -> Document:
    dispute = Document(
        {
            "id": world.mint("du_"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge.id,
            "created": world.wall,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(EVIDENCE.split()) | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": (world.wall // _DAY + _RESPONSE_DAYS + 1) * _DAY - 1,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "intended_submission_method": None,
            "is_charge_refundable": kind.is_inquiry,
            "livemode": world.livemode,
            "metadata": {},
            "network_reason_code": kind.network_code,
            "payment_intent": charge["payment_intent"],
            "reason": kind.reason,
            "status": "warning_needs_response" if kind.is_inquiry else "needs_response",
        }
    )
    card = charge["payment_method_details"].get("card")
    if card is not None:
        dispute["payment_method_details"] = {
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if kind.is_inquiry else "chargeback",
                "network": card["network"],
                "network_reason_code": kind.network_code,
            },
            "type": "card",
        }
    charge["disputed"] = True
    charge["dispute"] = dispute.id
    world.save(charge)
    world.add(dispute, "charge.dispute.created")
    world.schedule(dispute["evidence_details"]["due_by"] + 1, _OVERDUE, dispute.id, by_wall=True)
    if not kind.is_inquiry:
        _withdraw(world, dispute)
    return dispute


def _withdraw(world: World, dispute: Document) -> None:
    booked = balance_transaction.book(
        world,
        dispute,
        -dispute["amount"],
        type="adjustment",
        category="dispute",
        fee=fees.DISPUTE,
        fee_description="Dispute fee",
        description=f"Chargeback withdrawal for {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(booked)]
    _tell(world, dispute, "charge.dispute.funds_withdrawn")


def _reinstate(world: World, dispute: Document) -> None:
    booked = balance_transaction.book(
        world,
        dispute,
        dispute["amount"],
        type="adjustment",
        category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(booked)]
    _tell(world, dispute, "charge.dispute.funds_reinstated")


def _close(world: World, dispute: Document, status: str) -> None:
    dispute["status"] = status
    _tell(world, dispute, "charge.dispute.closed")


def _tell(world: World, dispute: Document, event: str) -> None:
    # These events show where the dispute is now, not what it was.
    world.save(dispute)
    world.emit(event, dispute)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    dispute = world.get("dispute", call.path["dispute"])
    if "metadata" in given:
        dispute["metadata"] = metadata(dispute["metadata"], given["metadata"])
    evidence = given.get("evidence") or {}
    submits = given.get("submit", bool(evidence))
    if evidence or submits:
        if dispute["status"] not in _WAITING:
            raise invalid("This dispute is already closed" if dispute["status"] in _CLOSED else _SUBMITTED)
        dispute["evidence"].update(evidence)
        dispute["evidence_details"]["has_evidence"] = any(
            value for name, value in dispute["evidence"].items() if name != "enhanced_evidence"
        )
    if submits:
        _submit(world, dispute)
    call.echo(dispute)
    world.save(dispute, "charge.dispute.updated")
    if submits:
        world.emit("charge.updated", world.get("charge", dispute["charge"]))
    return dispute


_SUBMITTED: Final = "The evidence of this dispute has already been submitted."


def _submit(world: World, dispute: Document) -> None:
    dispute["evidence_details"]["submission_count"] += 1
    dispute["evidence_details"]["submission_method"] = "manual"
    dispute["status"] = "warning_under_review" if dispute["status"] == "warning_needs_response" else "under_review"
    world.unschedule(_OVERDUE, dispute.id)
    world.schedule(world.wall + _DECIDED_AFTER_SECONDS, _DECIDE, dispute.id, by_wall=True)


def _decide(world: World, subject: str) -> None:
    """The bank has read the evidence. Any but the magic texts leaves it thinking for ever, as in Stripe's test mode."""
    dispute = world.get("dispute", subject)
    is_inquiry = dispute["status"] == "warning_under_review"
    if dispute["status"] not in _BEING_READ:
        return
    match dispute["evidence"]["uncategorized_text"]:
        case "winning_evidence" | "losing_evidence" if is_inquiry:
            _close(world, dispute, "warning_closed")
        case "winning_evidence":
            _reinstate(world, dispute)
            _close(world, dispute, "won")
        case "losing_evidence":
            _close(world, dispute, "lost")
        case "escalate_inquiry_evidence" if is_inquiry:
            _escalate(world, dispute)


def _escalate(world: World, dispute: Document) -> None:
    dispute["is_charge_refundable"] = False
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    dispute["status"] = "needs_response"
    world.save(dispute, "charge.dispute.updated")
    world.schedule(dispute["evidence_details"]["due_by"] + 1, _OVERDUE, dispute.id, by_wall=True)
    _withdraw(world, dispute)


def _overdue(world: World, subject: str) -> None:
    dispute = world.get("dispute", subject)
    if dispute["status"] in _WAITING:
        dispute["evidence_details"]["past_due"] = True
        _close(world, dispute, "warning_closed" if dispute["status"] == "warning_needs_response" else "lost")


def _give_up(call: Call) -> Document:
    dispute = call.world.get("dispute", call.path["dispute"])
    if dispute["status"] in _CLOSED:
        raise invalid("This dispute is already closed")
    call.world.unschedule(_OVERDUE, dispute.id)
    _close(call.world, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")
    return dispute


def _open_due(world: World, subject: str) -> None:
    open_from_card(world, world.get("charge", subject))


_AREA = DISPUTE.area

KINDS = (DISPUTE,)
ROUTES = (
    retrieve("/v1/disputes/{dispute}", DISPUTE),
    Route(
        "POST",
        "/v1/disputes/{dispute}",
        _update,
        uses=words("metadata submit") | {f"evidence.{name}" for name in EVIDENCE.split()},
        area=_AREA,
    ),
    Route("POST", "/v1/disputes/{dispute}/close", _give_up, area=_AREA),
    listing("/v1/disputes", DISPUTE, filters="charge payment_intent"),
)
TASKS: dict[str, Any] = {OPEN: _open_due, _OVERDUE: _overdue, _DECIDE: _decide}
