"""Pruning: what is done and long past is forgotten, so that the tables do not grow for ever.

Only what is finished goes, in small batches that hold nobody up. What is unfinished stays however old it is, dead
letters too: they are for a person. So do the mirror, the orders, and the facts, whose names must never be given twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, or_, select

from paydesk.billing.attempts import KEY_LIFETIME
from paydesk.billing.log import get_logger
from paydesk.billing.settings import KEEP_DAYS_MIN
from paydesk.billing.store.states import UNFINISHED, in_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping, Table

    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

BATCH = 500
EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Pruned:
    """How many rows of each table were forgotten."""

    events: int
    effects: int
    attempts: int
    lanes: int


class Prune:
    """Forgets what has been done for longer than some days."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._tables = store.tables
        self._now = now
        self._next_at: datetime | None = None

    def every_hour(self, days: int, is_stopping: Callable[[], bool]) -> None:
        """For a worker, which calls it often."""
        if self._next_at is None or self._now() >= self._next_at:
            self._next_at = self._now() + EVERY
            pruned = self.run(days, is_stopping=is_stopping)
            if pruned != Pruned(0, 0, 0, 0):
                logger.info("Done for more than %d days, and forgotten: %s", days, pruned)

    def run(self, days: int, *, is_stopping: Callable[[], bool] = lambda: False) -> Pruned:
        """Forget what has been done for so many days. Raises ValueError if that is too soon."""
        if days < KEEP_DAYS_MIN:
            raise ValueError(
                f"Stripe can tell of an event again for thirty days: what is kept for {days} days could be done twice. "
                f"Keep it for {KEEP_DAYS_MIN} or more."
            )
        before = self._now() - timedelta(days=days)
        return Pruned(
            events=self._in_order(self._tables.events, "seq", "received_at", before, self._spent_events, is_stopping),
            effects=self._in_order(self._tables.effects, "id", "created_at", before, self._spent_effects, is_stopping),
            attempts=self._attempts(before, is_stopping),
            lanes=self._lanes(before, is_stopping),
        )

    def _in_order(
        self,
        table: Table,
        key: str,
        stamp: str,
        before: datetime,
        spent: Callable[[list[RowMapping], datetime], list[int]],
        is_stopping: Callable[[], bool],
    ) -> int:
        """From the oldest row on, up to the first that is too young: nothing behind it is looked at."""
        forgotten, last = 0, 0
        while not is_stopping():
            batch = select(table).where(table.c[key] > last).order_by(table.c[key]).limit(BATCH)
            with self._store.read() as connection:
                rows = list(connection.execute(batch).mappings())
            old = [row for row in rows if row[stamp] < before]
            if numbers := spent(old, before):
                finished = table.c.state.in_(("applied", "done"))
                with self._store.write() as connection:
                    gone = connection.execute(delete(table).where(table.c[key].in_(numbers), finished))
                    forgotten += gone.rowcount
            if len(old) < BATCH:
                break
            last = rows[-1][key]
        return forgotten

    def _spent_events(self, rows: list[RowMapping], before: datetime) -> list[int]:
        """Applied, and no handler needs them any more."""
        effects = self._tables.effects
        done = [row for row in rows if row["state"] == "applied" and row["applied_at"] < before]
        sources = [f"event:{row['id']}" for row in done]
        needed = select(effects.c.source).where(effects.c.source.in_(sources), effects.c.state != "done")
        with self._store.read() as connection:
            kept = set(connection.scalars(needed))
        return [row["seq"] for row in done if f"event:{row['id']}" not in kept]

    def _spent_effects(self, rows: list[RowMapping], before: datetime) -> list[int]:
        return [row["id"] for row in rows if row["state"] == "done" and row["done_at"] < before]

    def _attempts(self, before: datetime, is_stopping: Callable[[], bool]) -> int:
        """Closed, and their key means nothing to Stripe any more."""
        table = self._tables.attempts
        dead_key = table.c.created_at < self._now() - KEY_LIFETIME
        spent = (table.c.state != "open", table.c.finished_at < before, dead_key)
        return self._batches(table, table.c.key, spent, is_stopping)

    def _lanes(self, before: datetime, is_stopping: Callable[[], bool]) -> int:
        """Nobody works there, and nothing waits."""
        table, events = self._tables.lanes, self._tables.events
        is_free = or_(table.c.lease_expires_at.is_(None), table.c.lease_expires_at < before)
        waits = exists().where(events.c.lane == table.c.lane, in_state(events, *UNFINISHED))
        return self._batches(table, table.c.lane, (table.c.due_at < before, is_free, ~waits), is_stopping)

    def _batches(self, table: Table, key: Any, spent: tuple[Any, ...], is_stopping: Callable[[], bool]) -> int:
        forgotten = 0
        while not is_stopping():
            with self._store.read() as connection:
                keys = list(connection.scalars(select(key).where(*spent).limit(BATCH)))
            if not keys:
                break
            with self._store.write() as connection:
                # Looked at again: one that came to life meanwhile stays.
                gone = connection.execute(delete(table).where(key.in_(keys), *spent)).rowcount
            forgotten += gone
            if len(keys) < BATCH or gone == 0:
                break
        return forgotten
