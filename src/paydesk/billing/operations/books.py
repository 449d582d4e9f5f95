"""The books: orders and subscriptions, a page at a time, for whoever runs the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping, Table

    from paydesk.billing.store.store import Store

PAGE = 50

ORDER_STATES = ("pending", "paid", "failed", "expired", "refunded")
SUBSCRIPTION_STATES = (
    "active",
    "trialing",
    "past_due",
    "unpaid",
    "paused",
    "canceled",
    "incomplete",
    "incomplete_expired",
)


@dataclass(frozen=True)
class Leaf:
    """One page, newest first. `after` is the id that the next page goes on from; None on the last."""

    rows: Sequence[RowMapping]
    after: str | None


class Books:
    """Reads ledger and mirror. Only of the key's own mode, test or live."""

    def __init__(self, store: Store, *, livemode: bool) -> None:
        self._store = store
        self._livemode = livemode

    def orders(self, *, status: str | None = None, user_id: str | None = None, after: str | None = None) -> Leaf:
        """Orders, of a status, of a user."""
        return self._leaf(self._store.tables.orders, status, user_id, after)

    def subscriptions(self, *, status: str | None = None, user_id: str | None = None, after: str | None = None) -> Leaf:
        """Subscriptions, of a status, of a user."""
        return self._leaf(self._store.tables.subscriptions, status, user_id, after)

    def _leaf(self, table: Table, status: str | None, user_id: str | None, after: str | None) -> Leaf:
        chosen: list[Any] = [or_(table.c.livemode.is_(None), table.c.livemode == self._livemode)]
        if status is not None:
            chosen.append(table.c.status == status)
        if user_id is not None:
            chosen.append(table.c.user_id == user_id)
        with self._store.read() as connection:
            if after is not None:
                last: datetime | None = connection.scalar(select(table.c.created_at).where(table.c.id == after))
                if last is None:
                    return Leaf([], None)
                older = and_(table.c.created_at == last, table.c.id < after)
                chosen.append(or_(table.c.created_at < last, older))
            newest = (table.c.created_at.desc(), table.c.id.desc())
            columns = [column for column in table.c if column.name != "object"]
            query = select(*columns).where(*chosen).order_by(*newest).limit(PAGE + 1)
            rows = connection.execute(query).mappings().all()
        return Leaf(rows[:PAGE], rows[PAGE - 1]["id"] if len(rows) > PAGE else None)
