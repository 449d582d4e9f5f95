"""Facts: what happened to a customer's money, named once, in the app's own words.

    @desk.on(OrderPaid)
    def deliver(paid, db): ...

Stripe may tell of a payment five times, in any order, or not at all; the fact `OrderPaid` exists once for each order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self


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
class Fact:
    """Something that happened to an order.

    `idempotency_key` is the handler's own: pass it on when you tell the outside world (a mail service, another API),
    so that a handler that is run again after a crash is recognised there.
    """

    type: ClassVar[str]

    order: Order
    idempotency_key: str = field(default="", kw_only=True, compare=False)

    @property
    def key(self) -> str:
        """The fact's own name. A second fact of the same name is the same fact."""
        return f"{self.type}:{self.order.id}"

    def to_json(self) -> dict[str, Any]:
        """The fact as the facts table keeps it."""
        body = asdict(self)
        del body["idempotency_key"]
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in body.items()}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """The fact the facts table kept."""
        return cls(**{**body, "order": Order(**body["order"])})


@dataclass(frozen=True)
class OrderPaid(Fact):
    """The money for an order has arrived (or none was due). Deliver now."""

    type = "order.paid"


@dataclass(frozen=True)
class OrderFailed(Fact):
    """A payment that takes days, such as a bank debit, was refused in the end. `reason` is Stripe's sentence."""

    type = "order.failed"

    reason: str | None = None


@dataclass(frozen=True)
class OrderExpired(Fact):
    """Nobody paid before the checkout page closed. A payment that arrives later still makes the order paid."""

    type = "order.expired"


@dataclass(frozen=True)
class OrderRefunded(Fact):
    """Money went back, some of it or all (`is_full`). One fact for each refund; `amount_minor` is this refund's."""

    type = "order.refunded"

    refund_id: str
    amount_minor: int
    is_full: bool

    @property
    def key(self) -> str:
        return f"{self.type}:{self.refund_id}"


@dataclass(frozen=True)
class DisputeOpened(Fact):
    """A customer went to their bank about this order. Answer at Stripe before `evidence_due_at`."""

    type = "dispute.opened"

    dispute_id: str
    amount_minor: int
    reason: str | None
    evidence_due_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.type}:{self.dispute_id}"

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        due = body["evidence_due_at"]
        return super().from_json({**body, "evidence_due_at": datetime.fromisoformat(due) if due else None})


@dataclass(frozen=True)
class DisputeClosed(Fact):
    """The bank decided: `status` is won, lost, warning_closed or prevented."""

    type = "dispute.closed"

    dispute_id: str
    amount_minor: int
    status: str

    @property
    def key(self) -> str:
        return f"{self.type}:{self.dispute_id}"


FACTS: tuple[type[Fact], ...] = (OrderPaid, OrderFailed, OrderExpired, OrderRefunded, DisputeOpened, DisputeClosed)


@dataclass(frozen=True)
class StripeEvent:
    """An event by Stripe's own name, for a handler of `desk.on("invoice.payment_failed")`.

    `object` is Stripe's snapshot of the moment it happened, in the API version of the webhook endpoint. The mirror may
    know better by now. `created` is Stripe's stamp, in unix seconds.
    """

    id: str
    type: str
    created: int
    livemode: bool
    object: dict[str, Any]
    previous_attributes: dict[str, Any]
    idempotency_key: str = field(default="", compare=False)

    @classmethod
    def from_json(cls, event: Mapping[str, Any], idempotency_key: str = "") -> Self:
        """The event in a webhook's body."""
        return cls(
            id=event["id"],
            type=event["type"],
            created=event["created"],
            livemode=event["livemode"],
            object=event["data"]["object"],
            previous_attributes=event["data"].get("previous_attributes") or {},
            idempotency_key=idempotency_key,
        )
