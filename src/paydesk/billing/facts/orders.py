"""What happens to an order: it is paid, or not; its money goes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from paydesk.billing.facts.fact import Fact


@dataclass(frozen=True)
class Order:
    """An order as it was when the fact was named.

    `amount_minor` and `amount_refunded_minor` are in the smallest unit of `currency` (cents, or yen). `status` is one
    of pending, paid, failed, expired, refunded. `user_id` is None for somebody who bought without signing in.
    """

    id: str
    sku: str
    quantity: int
    amount_minor: int
    currency: str
    status: str
    user_id: str | None = None
    email: str | None = None
    session_id: str | None = None
    payment_intent_id: str | None = None
    customer_id: str | None = None
    amount_refunded_minor: int = 0
    disputed: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The order in a row of the orders table."""
        return cls(**{name.name: row[name.name] for name in fields(cls)})


@dataclass(frozen=True)
class OrderFact(Fact):
    """Something that happened to an order."""

    order: Order

    @property
    def about(self) -> str:
        return self.order.id


@dataclass(frozen=True)
class OrderPaid(OrderFact):
    """The money for an order has arrived (or none was due). Deliver now."""

    type = "order.paid"


@dataclass(frozen=True)
class OrderFailed(OrderFact):
    """A payment that takes days, such as a bank debit, was refused in the end. `reason` is Stripe's sentence."""

    type = "order.failed"

    reason: str | None = None


@dataclass(frozen=True)
class OrderExpired(OrderFact):
    """Nobody paid before the checkout page closed. A payment that arrives later still makes the order paid."""

    type = "order.expired"


@dataclass(frozen=True)
class OrderRefunded(OrderFact):
    """Money went back, some of it or all (`is_full`). One fact for each refund; `amount_minor` is this refund's."""

    type = "order.refunded"

    refund_id: str
    amount_minor: int
    is_full: bool

    @property
    def about(self) -> str:
        return self.refund_id
