"""What happens when a customer goes to their bank: a dispute about an order, or about what an invoice asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from paydesk.billing.facts.fact import Fact
from paydesk.billing.facts.invoices import Invoice
from paydesk.billing.facts.orders import Order
from paydesk.billing.facts.subscriptions import Subscription


@dataclass(frozen=True)
class DisputeFact(Fact):
    """Something about a dispute.

    It is about an `order`, or else, where that is None, about an `invoice`; `subscription` is what that bills, if it
    bills one. `amount_minor` is what is disputed, in the smallest unit of `currency`.
    """

    order: Order | None
    dispute_id: str
    amount_minor: int
    invoice: Invoice | None = None
    subscription: Subscription | None = None
    opened_at: datetime | None = None

    @property
    def about(self) -> str:
        return self.dispute_id

    @property
    def user_id(self) -> str | None:
        """Whose money it is about; None for somebody who is none of the app's users."""
        about = self.order or self.invoice
        return about.user_id if about is not None else None

    @property
    def currency(self) -> str | None:
        about = self.order or self.invoice
        return about.currency if about is not None else None


@dataclass(frozen=True)
class DisputeOpened(DisputeFact):
    """A customer went to their bank. Answer at Stripe before `evidence_due_at`. `reason` is Stripe's word."""

    type = "dispute.opened"

    reason: str | None = None
    evidence_due_at: datetime | None = None

    @property
    def happened_at(self) -> datetime | None:
        return self.opened_at if self.order is None else None


@dataclass(frozen=True)
class DisputeClosed(DisputeFact):
    """The bank decided: `status` is won, lost, warning_closed or prevented."""

    type = "dispute.closed"

    status: str = ""
