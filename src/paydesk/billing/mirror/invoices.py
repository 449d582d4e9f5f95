"""Invoices: what was asked for, what was paid, and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.facts import Fact, Invoice, InvoicePaid, PaymentFailed, Subscription, SubscriptionRenewed
from paydesk.billing.mirror import arrears, reversals, shapes
from paydesk.billing.mirror.mirrored import Mirrored, Writing, always, moment
from paydesk.billing.mirror.refs import Ref, id_of

if TYPE_CHECKING:
    from paydesk.billing.mirror.refs import Json

# Being open after a try is no proof of failure: a bank debit takes days. That a payment failed, an event says.
FAILED = frozenset({"invoice.payment_failed", "invoice.payment_action_required"})


def apply(writing: Writing, invoice: Json) -> list[Fact]:
    """Write the invoice, and name what is new about it."""
    table = writing.tables.invoices
    before = writing.row(table, invoice["id"])
    row = _columns(writing, invoice, before)
    writing.put(table, row, invoice)
    subscription = writing.row(writing.tables.subscriptions, row["subscription_id"])
    known = Subscription.from_row(arrears.hear(writing, subscription, invoice)) if subscription is not None else None
    facts = facts_of(before["status"] if before else None, Invoice.from_row(row), known, writing.told)
    return [*facts, *reversals.of_invoice(writing, row, before)]


def facts_of(
    status_before: str | None, invoice: Invoice, subscription: Subscription | None, told: frozenset[str]
) -> list[Fact]:
    """What has happened to the invoice.

    | fact                | when                                                                              |
    |---------------------|-----------------------------------------------------------------------------------|
    | InvoicePaid         | it is paid, and was not, or was unheard of                                         |
    | SubscriptionRenewed | the same, and it is for a new period of a subscription                             |
    | PaymentFailed       | Stripe tells of a payment that failed or waits for the customer, and it is unpaid  |
    """
    if invoice.status == "paid":
        if status_before == "paid":
            return []
        paid: list[Fact] = [InvoicePaid(invoice, subscription)]
        if invoice.billing_reason == "subscription_cycle" and subscription is not None:
            paid.append(SubscriptionRenewed(invoice, subscription))
        return paid
    if invoice.status == "open" and told & FAILED:
        # Stripe counts no try where the bank wants to ask the customer first.
        needs_action = invoice.attempt_count == 0 or "invoice.payment_action_required" in told
        return [PaymentFailed(invoice, subscription, needs_action)]
    return []


def _columns(writing: Writing, invoice: Json, before: Json | None) -> Json:
    customer_id = id_of(invoice.get("customer"))
    start, end = shapes.invoiced_period_of(invoice)
    moments = invoice.get("status_transitions") or {}
    payment_id = shapes.payment_of(invoice)
    return {
        "id": invoice["id"],
        "user_id": writing.owner(customer_id) or (before["user_id"] if before else None),
        "customer_id": customer_id,
        "subscription_id": shapes.subscription_of(invoice),
        # Newer versions tell it only to those who ask for more than an event holds.
        "payment_intent_id": payment_id or (before["payment_intent_id"] if before else None),
        "number": invoice.get("number"),
        "status": "paid" if shapes.is_paid(invoice) else invoice.get("status") or "draft",
        "billing_reason": invoice.get("billing_reason"),
        "currency": invoice["currency"],
        "total_minor": invoice["total"],
        "amount_due_minor": invoice["amount_due"],
        "amount_paid_minor": invoice["amount_paid"],
        "amount_remaining_minor": invoice["amount_remaining"],
        "attempt_count": invoice.get("attempt_count") or 0,
        "next_attempt_at": moment(invoice.get("next_payment_attempt")),
        "period_start": moment(start),
        "period_end": moment(end),
        "due_at": moment(invoice.get("due_date")),
        "paid_at": moment(moments.get("paid_at")),
        "hosted_invoice_url": invoice.get("hosted_invoice_url"),
        "invoice_pdf": invoice.get("invoice_pdf"),
        "livemode": invoice.get("livemode"),
        "created_at": moment(invoice["created"]),
    }


def parents(invoice: Json) -> list[Ref]:
    found = (("customer", id_of(invoice.get("customer"))), ("subscription", shapes.subscription_of(invoice)))
    return [Ref(kind, object_id) for kind, object_id in found if object_id]


INVOICES = Mirrored(
    type="invoice",
    path="/v1/invoices/{}",
    apply=apply,
    table=lambda tables: tables.invoices,
    expand=("payments",),
    is_whole=always,
    is_deletable=True,
    parents=parents,
    telling=FAILED,
)
