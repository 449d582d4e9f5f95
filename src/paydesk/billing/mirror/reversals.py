"""Reversals: refunds and disputes of money that an invoice brought, and no order.

A payment and its disputes are in one lane, their invoice in its customer's. They are heard of in any order, and by two
workers at once. Whoever writes one of them holds the customer first, and then looks for the others: so the last of
them sees them all. In one transaction, invoices are written before payments and those before disputes. Facts that were
named before are the same facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select

from paydesk.billing.facts import Fact, Invoice, InvoiceRefunded, Subscription
from paydesk.billing.mirror.ledger import facts_of_dispute
from paydesk.billing.mirror.refunds import COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Table

    from paydesk.billing.mirror.mirrored import Writing
    from paydesk.billing.mirror.refs import Json


def of_payment(writing: Writing, payment_id: str | None) -> list[Fact]:
    """What has happened to this payment's money, if its invoice is here."""
    payment = writing.row(writing.tables.payments, payment_id)
    if payment is None or payment["order_id"] is not None:
        return []
    writing.owner(payment["customer_id"])
    invoices = writing.tables.invoices
    mine = or_(invoices.c.id == payment["invoice_id"], invoices.c.payment_intent_id == payment["id"])
    invoice = writing.beside.execute(select(invoices).where(mine).limit(1)).mappings().first()
    return _named(writing, invoice) if invoice is not None else []


def of_invoice(writing: Writing, invoice: Json, before: Json | None) -> list[Fact]:
    """What had happened to the money that this invoice brought before it was known that it did.

    The customer is held already. Most invoices are paid for the first time here, which costs one look.
    """
    known = (before["amount_paid_minor"] > 0, before["payment_intent_id"]) if before is not None else None
    if not invoice["amount_paid_minor"] or known == (True, invoice["payment_intent_id"]):
        return []
    payments, tables = writing.tables.payments, writing.tables
    about_it = (exists().where(each.c.payment_intent_id == payments.c.id) for each in (tables.refunds, tables.disputes))
    query = select(payments.c.id).where(_brought(payments, invoice), or_(*about_it)).limit(1)
    return _named(writing, invoice) if writing.below.execute(query).first() is not None else []


def _brought(payments: Table, invoice: Mapping[Any, Any]) -> ColumnElement[bool]:
    named = or_(payments.c.invoice_id == invoice["id"], payments.c.id == invoice["payment_intent_id"])
    return and_(named, payments.c.order_id.is_(None))


def _named(writing: Writing, invoice: Mapping[Any, Any]) -> list[Fact]:
    payments = writing.tables.payments
    found = writing.beside.execute(select(payments).where(_brought(payments, invoice))).mappings().all()
    ids = [payment["id"] for payment in found]
    row = writing.row(writing.tables.subscriptions, invoice["subscription_id"])
    subscription = Subscription.from_row(row) if row is not None else None
    told = Invoice.from_row({**invoice})
    received_minor = sum(payment["amount_received_minor"] for payment in found)
    facts = facts_of(told, subscription, received_minor, _of(writing, writing.tables.refunds, ids))
    for dispute in _of(writing, writing.tables.disputes, ids):
        facts += facts_of_dispute(dispute, invoice=told, subscription=subscription)
    return facts


def facts_of(
    invoice: Invoice,
    subscription: Subscription | None,
    received_minor: int,
    refunds: Sequence[Mapping[Any, Any]],
) -> list[Fact]:
    """Each refund that has succeeded. One is full when with it, and those before it, nothing of the money is left."""
    facts: list[Fact] = []
    for refund in refunds:
        if refund["status"] == "succeeded":
            until_then = [each for each in refunds if each["created_at"] <= refund["created_at"]]
            back_minor = sum(each["amount_minor"] for each in until_then if each["status"] in COUNTED)
            is_full = back_minor >= received_minor
            what = (refund["id"], refund["amount_minor"], is_full, refund["created_at"])
            facts.append(InvoiceRefunded(invoice, subscription, *what))
    return facts


def _of(writing: Writing, table: Any, payment_ids: Sequence[str]) -> Sequence[Mapping[Any, Any]]:
    """Rows about these payments. A payment without an intent is its charge."""
    mine = or_(table.c.payment_intent_id.in_(payment_ids), table.c.charge_id.in_(payment_ids))
    query = select(table).where(mine).order_by(table.c.created_at, table.c.id)
    return writing.beside.execute(query).mappings().all()
