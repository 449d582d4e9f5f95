"""The outbox: the facts that nobody outside has been told of yet. It is the table of facts itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from paydesk.billing.store.store import Store


@dataclass(frozen=True)
class Posted:
    """A fact as others are told of it. `customer` is whom it is about, and otherwise what."""

    seq: int
    key: str
    type: str
    customer: str
    body: bytes


class Outbox:
    """The facts in the order in which they were named.

    Facts of one lane are named one after the other, so they become visible in their order. Facts of different lanes
    may become visible later than one with a higher number, which is why each row says for itself whether it has left.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._facts = store.tables.facts
        self._now = now

    def waiting(self, number: int) -> list[Posted]:
        """The oldest of what waits."""
        facts = self._facts
        oldest = select(facts).where(facts.c.relayed_at.is_(None)).order_by(facts.c.seq).limit(number)
        with self._store.read() as connection:
            return [_posted(row) for row in connection.execute(oldest).mappings()]

    def waits(self) -> int:
        """How many wait."""
        with self._store.read() as connection:
            count = select(func.count()).select_from(self._facts).where(self._facts.c.relayed_at.is_(None))
            return connection.scalar(count) or 0

    def mark(self, connection: Connection, posted: Iterable[Posted]) -> None:
        """They have left."""
        seqs = [each.seq for each in posted]
        connection.execute(update(self._facts).where(self._facts.c.seq.in_(seqs)).values(relayed_at=self._now()))

    def skip_all(self) -> int:
        """Treat all that waits as if it had left; answers how many did."""
        facts = self._facts
        with self._store.write() as connection:
            waiting = update(facts).where(facts.c.relayed_at.is_(None)).values(relayed_at=self._now())
            return connection.execute(waiting).rowcount


def _posted(row: RowMapping) -> Posted:
    message = {
        "key": row["key"],
        "type": row["type"],
        "created_at": row["created_at"].isoformat(),
        "event_id": row["event_id"],
        "fact": row["body"],
    }
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return Posted(row["seq"], row["key"], row["type"], _customer(row["body"]) or row["lane"] or row["key"], body)


def _customer(fact: dict[str, Any]) -> str | None:
    """The Stripe customer that an order, a subscription or an invoice is of, if it has one."""
    parts = (part for part in fact.values() if isinstance(part, dict))
    return next((part["customer_id"] for part in parts if part.get("customer_id")), None)
