"""What happens to an invoice: it is paid, a payment for it fails, or its money goes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from paydesk.billing.facts.fact import Fact
from paydesk.billing.facts.subscriptions import Subscription


@dataclass(frozen=True)
class Invoice:
    """An invoice as it was when the fact was named. Amounts are in the smallest unit of `currency`.

    `hosted_invoice_url` is the page where the customer can pay it, and pass their bank's check if it asks for one;
    `invoice_pdf` is for their accounting. Both are None until it is finalised.
    """

    id: str
    user_id: str | None
    customer_id: str | None
    subscription_id: str | None
    number: str | None
    status: str
    billing_reason: str | None
    currency: str
    total_minor: int
    amount_due_minor: int
    amount_paid_minor: int
    amount_remaining_minor: int
    attempt_count: int = 0
    next_attempt_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    created_at: datetime | None = None
    paid_at: datetime | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The invoice in a row of the invoices table."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})

    @property
    def is_unpaid(self) -> bool:
        """It asks for money that has not come."""
        return self.status == "open" and self.amount_remaining_minor > 0


@dataclass(frozen=True)
class InvoiceFact(Fact):
    """Something that happened to an invoice. `subscription`, if it bills one, is as the mirror knew it then."""

    invoice: Invoice
    subscription: Subscription | None

    @property
    def about(self) -> str:
        return self.invoice.id


@dataclass(frozen=True)
class InvoicePaid(InvoiceFact):
    """An invoice is paid, in whatever way. Once for each; nothing may have been due, as in a trial."""

    type = "invoice.paid"

    @property
    def happened_at(self) -> datetime | None:
        return self.invoice.paid_at


@dataclass(frozen=True)
class SubscriptionRenewed(InvoiceFact):
    """A further period is paid for, until `invoice.period_end`. Once for each invoice of a new period.

    The first invoice of a subscription is no renewal; the first after a trial is.
    """

    type = "subscription.renewed"

    @property
    def happened_at(self) -> datetime | None:
        return self.invoice.paid_at


@dataclass(frozen=True)
class InvoiceRefunded(InvoiceFact):
    """Money that an invoice brought went back, some of it or all (`is_full`), at `refunded_at`.

    Once for each refund; `amount_minor` is this refund's. Of an order's money, OrderRefunded tells.
    """

    type = "invoice.refunded"

    refund_id: str
    amount_minor: int
    is_full: bool
    refunded_at: datetime | None = None

    @property
    def about(self) -> str:
        return self.refund_id

    @property
    def happened_at(self) -> datetime | None:
        return self.refunded_at


@dataclass(frozen=True)
class PaymentFailed(InvoiceFact):
    """Stripe tried to collect an invoice, in vain, and it is still unpaid. Once for each try that Stripe counts.

    `needs_action`: the bank wants to ask the customer, at `invoice.hosted_invoice_url`. Otherwise Stripe tries again at
    `invoice.next_attempt_at`, or, where that is None, not at all.
    """

    type = "payment.failed"

    needs_action: bool

    @property
    def about(self) -> str:
        return f"{self.invoice.id}:{self.invoice.attempt_count}"
