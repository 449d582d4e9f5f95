"""Balance transactions: every movement of money into and out of the account's balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import listing, retrieve
from paydesk.emulator.rules import fees

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

BALANCE_TRANSACTION = Kind(
    "balance_transaction",
    "txn_",
    missing="No such balance transaction: '%s'",
    filters=("source", "type", "currency"),
    references={"source": "charge refund dispute"},
)

_DAY: Final = 24 * 3600
_PENDING_DAYS: Final = 2
_BECOMES_AVAILABLE: Final = "balance_transaction.available"


def available_after(now: int) -> int:
    """When the money of a payment made now can be paid out: two days on, at midnight UTC."""
    return (now // _DAY + _PENDING_DAYS + 1) * _DAY


def book(
    world: World,
    source: Document,
    amount: int,
    *,
    type: str,  # noqa: A002 - Stripe's own name
    category: str,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    description: str | None = None,
    available_on: int | None = None,
) -> Document:
    """Move money because of `source` (a charge, refund or dispute); a negative amount leaves the balance.

    `available_on` is in seconds since 1970; until then the money is pending. Default: now.
    """
    available_on = world.wall if available_on is None else available_on
    is_pending = available_on > world.wall
    booked = world.add(
        Document(
            {
                "id": world.mint("txn_", like=source.get("payment_intent") or source.id),
                "object": "balance_transaction",
                "amount": amount,
                "available_on": available_on,
                "balance_type": "payments",
                "created": world.wall,
                "currency": source["currency"],
                "description": description,
                "exchange_rate": None,
                "fee": fee,
                "fee_details": fees.details(fee, source["currency"], fee_description),
                "net": amount - fee,
                "reporting_category": category,
                "source": source.id,
                "status": "pending" if is_pending else "available",
                "type": type,
            }
        )
    )
    if is_pending:
        world.schedule(available_on, _BECOMES_AVAILABLE, booked.id, by_wall=True)
    return booked


def _become_available(world: World, subject: str) -> None:
    booked = world.get("balance_transaction", subject)
    booked["status"] = "available"
    world.save(booked)


KINDS = (BALANCE_TRANSACTION,)
ROUTES = (
    retrieve("/v1/balance_transactions/{id}", BALANCE_TRANSACTION),
    listing("/v1/balance_transactions", BALANCE_TRANSACTION, filters="source type currency payout"),
)
TASKS: dict[str, Any] = {_BECOMES_AVAILABLE: _become_available}
