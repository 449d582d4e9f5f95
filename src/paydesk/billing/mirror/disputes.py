"""Disputes: a customer went to their bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror import reversals
from paydesk.billing.mirror.ledger import order_of_payment, settle
from paydesk.billing.mirror.mirrored import Mirrored, Writing, always, moment
from paydesk.billing.mirror.refs import Ref, id_of

if TYPE_CHECKING:
    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json


def apply(writing: Writing, dispute: Json) -> list[Fact]:
    """Write the dispute, and tell the order or the invoice it is about."""
    payment_intent_id, charge_id = id_of(dispute.get("payment_intent")), id_of(dispute.get("charge"))
    order_id = order_of_payment(writing, payment_intent_id or charge_id)
    row = {
        "id": dispute["id"],
        "order_id": order_id,
        "payment_intent_id": payment_intent_id,
        "charge_id": charge_id,
        "status": dispute["status"],
        "amount_minor": dispute["amount"],
        "currency": dispute["currency"],
        "reason": dispute.get("reason"),
        "evidence_due_at": moment((dispute.get("evidence_details") or {}).get("due_by")),
        "livemode": dispute.get("livemode"),
        "created_at": moment(dispute["created"]),
    }
    writing.put(writing.tables.disputes, row, dispute)
    return settle(writing, order_id) if order_id else reversals.of_payment(writing, payment_intent_id or charge_id)


def parents(dispute: Json) -> list[Ref]:
    """The payment it is about, in the same lane."""
    if payment_intent := id_of(dispute.get("payment_intent")):
        return [Ref("payment_intent", payment_intent)]
    charge = id_of(dispute.get("charge"))
    return [Ref("charge", charge)] if charge else []


DISPUTES = Mirrored(
    type="dispute",
    path="/v1/disputes/{}",
    apply=apply,
    table=lambda tables: tables.disputes,
    is_whole=always,
    parents=parents,
)
