"""Orders: a Checkout Session, and what it says about the order it was opened for.

The same function is called for a webhook, for the thanks page and for a sweep. Only one of them changes the order from
what it was to paid, and names the fact in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from paydesk.billing.facts import Fact, Order, OrderExpired, OrderFailed, OrderPaid
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.ledger import ORDER_KEY, locked_order, settle
from paydesk.billing.mirror.mirrored import Parked, Writing
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping

    from paydesk.billing.mirror.refs import Json

logger = get_logger(__name__)


def apply(writing: Writing, session: Json) -> list[Fact]:
    """Write the session into its order. A session that no order of ours asked for leaves nothing."""
    order = _find(writing, session)
    if order is None:
        return []
    outcome = outcome_of(order["status"], session)
    changes = _columns(order, session, outcome)
    whole = {"object": session, "seen_at": writing.seen_at, "payload_at": writing.payload_at}
    if outcome == "paid" and order["paid_at"] is None:
        changes["paid_at"] = writing.now
    orders = writing.tables.orders
    writing.beside.execute(
        update(orders).where(orders.c.id == order["id"]).values(**changes, **whole, updated_at=writing.now)
    )
    named = _name(outcome, Order.from_row({**order, **changes}), session)
    return [*named, *settle(writing, order["id"])]


def outcome_of(status: str, session: Json) -> str:
    """What the order's status becomes: the session decides, but nothing takes back a payment.

    A payment that arrives after the order was given up makes it paid all the same: the money is captured, and refusing
    it here would leave somebody who paid with nothing.
    """
    if status in ("paid", "refunded"):
        return status
    if session["status"] == "complete" and session["payment_status"] in ("paid", "no_payment_required"):
        return "paid"
    if status != "pending":
        return status
    if session["status"] == "expired":
        return "expired"
    if session["status"] == "complete" and _payment_is_lost(session):
        return "failed"
    return status


def _payment_is_lost(session: Json) -> bool:
    """Whether a payment that was still to come, such as a bank debit, has been refused."""
    payment = session.get("payment_intent")
    return isinstance(payment, dict) and payment["status"] in ("requires_payment_method", "canceled")


def _name(outcome: str, order: Order, session: Json) -> list[Fact]:
    # Named again whenever the session is read again: the fact's key makes the second naming the same fact.
    if outcome in ("paid", "refunded"):
        return [OrderPaid(order)]
    if outcome == "expired":
        return [OrderExpired(order)]
    if outcome == "failed":
        error = session["payment_intent"].get("last_payment_error") or {}
        return [OrderFailed(order, error.get("message"))]
    return []


def _columns(order: RowMapping, session: Json, outcome: str) -> Json:
    """The order's own columns. What the session leaves out, as for a guest without a customer, stays as it is."""
    details: Mapping[str, Any] = session.get("customer_details") or {}
    payment = session.get("payment_intent")
    charge = payment.get("latest_charge") if isinstance(payment, dict) else None
    columns = {
        "status": outcome,
        "session_id": session["id"],
        "session_url": session.get("url"),
        "livemode": session.get("livemode"),
        "payment_intent_id": id_of(payment) or order["payment_intent_id"],
        "charge_id": id_of(charge) or order["charge_id"],
        "customer_id": id_of(session.get("customer")) or order["customer_id"],
        "email": details.get("email") or session.get("customer_email") or order["email"],
    }
    if outcome == "paid" and session.get("amount_total") is not None:
        # What was really paid: a promotion code or tax may have changed the sum since the catalog was read.
        columns |= {"amount_minor": session["amount_total"], "currency": session["currency"]}
    return columns


def _find(writing: Writing, session: Json) -> RowMapping | None:
    """The order this session was opened for, locked.

    It is known by the session's id, or by the order's id that the session carries if we crashed between Stripe's answer
    and noting it. Raises Parked if the session names an order that is not here, or not yet.
    """
    orders = writing.tables.orders
    order_id = writing.beside.scalar(select(orders.c.id).where(orders.c.session_id == session["id"]))
    if order_id:
        return locked_order(writing, order_id)
    # Only our key can write metadata. A client_reference_id stands in a payment link's address, for anybody to choose.
    carried: str | None = (session.get("metadata") or {}).get(ORDER_KEY)
    if carried is None:
        return None
    order = locked_order(writing, carried)
    if order is None:
        raise Parked(f"the session carries the order {carried}, which is not here yet")
    if order["session_id"] and order["status"] in ("paid", "refunded"):
        logger.error(
            "Order %s was already paid through %s, and now %s speaks of it too. If both were paid, refund one.",
            carried,
            order["session_id"],
            session["id"],
        )
        return None
    return order
