"""The ledger: what refunds and disputes mean for the order they belong to.

An order's payment, its refunds and its disputes are heard of in any order. Whoever hears last sees them all: the order
is locked first, then what is known is added up anew. Nothing is counted by adding to what was there before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from paydesk.billing.facts import DisputeClosed, DisputeOpened, Fact, Order, OrderRefunded
from paydesk.billing.mirror.refunds import COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import RowMapping

    from paydesk.billing.mirror.mirrored import Writing

# Under this key our order's id travels in the metadata of the Checkout Session and of its payment intent.
ORDER_KEY = "paydesk_order"

# What a dispute's facts have in common, and the columns it stands in.
_TOLD = {"dispute_id": "id", "amount_minor": "amount_minor", "opened_at": "created_at"}

DISPUTE_OVER = frozenset({"won", "lost", "warning_closed", "prevented"})


def settle(writing: Writing, order_id: str) -> list[Fact]:
    """Bring the order in line with its refunds and disputes, and name what is new about it."""
    order = locked_order(writing, order_id)
    if order is None or order["status"] not in ("paid", "refunded"):
        return []  # what is refunded or disputed counts from the moment the payment is known
    refunds = _of_order(writing, writing.tables.refunds, order)
    disputes = _of_order(writing, writing.tables.disputes, order)
    standing = standing_of(order, refunds, disputes)
    if standing != Standing(order["status"], order["amount_refunded_minor"], order["disputed"]):
        orders = writing.tables.orders
        writing.beside.execute(
            update(orders)
            .where(orders.c.id == order_id)
            .values(
                status=standing.status,
                amount_refunded_minor=standing.amount_refunded_minor,
                disputed=standing.disputed,
                updated_at=writing.now,
            )
        )
    after = Order.from_row({**order, **vars(standing)})
    return facts_of(after, refunds, disputes)


@dataclass(frozen=True)
class Standing:
    """Where a paid order stands."""

    status: str
    amount_refunded_minor: int
    disputed: bool


def standing_of(
    order: Mapping[Any, Any], refunds: Sequence[Mapping[Any, Any]], disputes: Sequence[Mapping[Any, Any]]
) -> Standing:
    """What the refunds and disputes add up to. A refund that failed later makes a refunded order paid again."""
    amount = sum(refund["amount_minor"] for refund in refunds if refund["status"] in COUNTED)
    is_refunded = amount > 0 and amount >= order["amount_minor"]
    return Standing("refunded" if is_refunded else "paid", amount, bool(disputes))


def facts_of(order: Order, refunds: Sequence[Mapping[Any, Any]], disputes: Sequence[Mapping[Any, Any]]) -> list[Fact]:
    """Everything that has happened to the order since it was paid. Facts that were named before are the same facts."""
    facts: list[Fact] = []
    counted = [refund for refund in refunds if refund["status"] in COUNTED]
    for refund in refunds:
        if refund["status"] == "succeeded":
            # Stripe's stamps are whole seconds: of two in one second, nobody knows which was the last.
            until_then = [each["amount_minor"] for each in counted if each["created_at"] <= refund["created_at"]]
            is_full = sum(until_then) >= order.amount_minor
            facts.append(OrderRefunded(order, refund["id"], refund["amount_minor"], is_full))
    for dispute in disputes:
        facts += facts_of_dispute(dispute, order=order)
    return facts


def facts_of_dispute(dispute: Mapping[Any, Any], **about: Any) -> list[Fact]:
    """What has happened to a dispute `about` something, by its row."""
    told: Any = {name: dispute[column] for name, column in _TOLD.items()} | {"order": None} | about
    opened = DisputeOpened(**told, reason=dispute["reason"], evidence_due_at=dispute["evidence_due_at"])
    if dispute["status"] not in DISPUTE_OVER:
        return [opened]
    return [opened, DisputeClosed(**told, status=dispute["status"])]


def locked_order(writing: Writing, order_id: str) -> RowMapping | None:
    """The order, held until this transaction ends, so that whatever else concerns it waits."""
    orders = writing.tables.orders
    query = writing.store.locked(select(orders).where(orders.c.id == order_id))
    return writing.beside.execute(query).mappings().one_or_none()


def order_of_payment(writing: Writing, payment_id: str | None) -> str | None:
    """The order that this payment intent (or directly made charge) pays for."""
    if payment_id is None:
        return None
    found = writing.sheet.order_of(payment_id)
    payment = None if found else writing.row(writing.tables.payments, payment_id)
    return payment["order_id"] if payment else found


def adopt_payment(writing: Writing, *, order_id: str, payment_id: str) -> None:
    """Note at the order which payment intent it has, where the payment is heard of before its session."""
    orders = writing.tables.orders
    writing.beside.execute(
        update(orders)
        .where(orders.c.id == order_id, orders.c.payment_intent_id.is_(None))
        .values(payment_intent_id=payment_id, updated_at=writing.now)
    )


def _of_order(writing: Writing, table: Any, order: RowMapping) -> list[RowMapping]:
    belongs = or_(
        table.c.order_id == order["id"],
        # Null matches nothing, which is right: an order without a payment has no refunds.
        table.c.payment_intent_id == order["payment_intent_id"],
    )
    query = select(table).where(belongs).order_by(table.c.created_at, table.c.id)
    return list(writing.beside.execute(query).mappings())
