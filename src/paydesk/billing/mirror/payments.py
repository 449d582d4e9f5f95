"""Payments: a payment intent, the charge that paid it, and the refunds of that charge, in one row and one read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.billing.mirror import refunds, reversals, shapes
from paydesk.billing.mirror.ledger import ORDER_KEY, adopt_payment, order_of_payment, settle
from paydesk.billing.mirror.mirrored import Mirrored, Writing, moment
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.read import Ask
    from paydesk.billing.mirror.refs import Json


def apply(writing: Writing, payment: Json) -> list[Fact]:
    """Write a payment intent read with its latest charge and that charge's refunds."""
    charge = payment.get("latest_charge")
    charge = charge if isinstance(charge, dict) else None
    error = payment.get("last_payment_error") or {}
    row = {
        "id": payment["id"],
        "charge_id": id_of(payment.get("latest_charge")),
        "status": payment["status"],
        "amount_minor": payment["amount"],
        "amount_received_minor": payment.get("amount_received") or 0,
        "failure_code": error.get("decline_code") or error.get("code"),
        "failure_message": error.get("message"),
    }
    return _write(writing, row, payment, charge)


def apply_charge(writing: Writing, charge: Json) -> list[Fact]:
    """Write a charge that an app made directly, without a payment intent."""
    row = {
        "id": charge["id"],
        "charge_id": charge["id"],
        "status": charge["status"],
        "amount_minor": charge["amount"],
        "amount_received_minor": (charge.get("amount_captured") or 0) if charge["status"] == "succeeded" else 0,
        "failure_code": charge.get("failure_code"),
        "failure_message": charge.get("failure_message"),
    }
    return _write(writing, row, charge, charge)


def _write(writing: Writing, row: Json, whole: Json, charge: Json | None) -> list[Fact]:
    named: Any = (whole.get("metadata") or {}).get(ORDER_KEY)
    if named:
        adopt_payment(writing, order_id=named, payment_id=row["id"])
    order_id = order_of_payment(writing, row["id"])
    row |= {
        "order_id": order_id,
        "invoice_id": shapes.invoice_of(whole),
        "customer_id": id_of(whole.get("customer")),
        "amount_refunded_minor": (charge or {}).get("amount_refunded") or 0,
        "currency": whole["currency"],
        "livemode": whole.get("livemode"),
        "created_at": moment(whole["created"]),
    }
    writing.put(writing.tables.payments, row, whole)
    given_back = ((charge or {}).get("refunds") or {}).get("data", [])
    for refund in given_back:
        refunds.apply(writing, refund, order_id)
    if order_id:
        return settle(writing, order_id)
    return reversals.of_payment(writing, row["id"]) if given_back or (charge or {}).get("disputed") else []


def complete(ask: Ask, read_object: Json) -> None:
    """An expanded charge holds its newest ten refunds."""
    charge = read_object.get("latest_charge", read_object)
    refunds_of_charge = charge.get("refunds") if isinstance(charge, dict) else None
    if isinstance(refunds_of_charge, dict):
        ask.rest_of(refunds_of_charge, "/v1/refunds", charge=charge["id"])


PAYMENTS = Mirrored(
    type="payment_intent",
    path="/v1/payment_intents/{}",
    expand=("latest_charge.refunds",),
    complete=complete,
    apply=apply,
    table=lambda tables: tables.payments,
    parts=lambda tables: (tables.refunds.c.payment_intent_id, tables.orders.c.payment_intent_id),
)

CHARGES = Mirrored(
    type="charge",
    path="/v1/charges/{}",
    expand=("refunds",),
    complete=complete,
    apply=apply_charge,
    table=lambda tables: tables.payments,
    parts=lambda tables: (tables.refunds.c.charge_id,),
)
