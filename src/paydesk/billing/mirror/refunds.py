"""Refunds: money that went back, or is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror.mirrored import moment
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from paydesk.billing.mirror.mirrored import Writing
    from paydesk.billing.mirror.refs import Json

# A refund that failed or was cancelled left the money where it was.
COUNTED = frozenset({"succeeded", "pending"})


def apply(writing: Writing, refund: Json, order_id: str | None) -> None:
    """Write one refund. Refunds are read together with their payment, so there is nothing to ask Stripe for here."""
    row = {
        "id": refund["id"],
        "order_id": order_id,
        "payment_intent_id": id_of(refund.get("payment_intent")),
        "charge_id": id_of(refund.get("charge")),
        # Null at Stripe for a moment, while a refund is being made.
        "status": refund.get("status") or "pending",
        "amount_minor": refund["amount"],
        "currency": refund["currency"],
        "reason": refund.get("reason"),
        "created_at": moment(refund["created"]),
    }
    writing.put(writing.tables.refunds, row, refund)
