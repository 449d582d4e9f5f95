"""The backlog: what is waiting to be done, for how long, and what was given up.

Everything here is read from the database, so it is the same whichever process is asked, and it looks at what is
unfinished alone: however many events there have been, it costs the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from paydesk.billing.store.states import UNFINISHED, in_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Table

    from paydesk.billing.store.store import Store


@dataclass(frozen=True)
class Waiting:
    """What is unfinished now.

    `events_oldest_seconds` is how long the event that is due longest has been due, which for one that was never tried
    is since it arrived; 0 where nothing is due. `events` and `effects` count by state, finished ones left out.
    `lane_depth` is how many events wait in the fullest of `lanes`; `attempts_open` how many changes of ours at Stripe
    are not known to have ended.
    """

    events: Mapping[str, int]
    events_oldest_seconds: int
    lanes: int
    lane_depth: int
    effects: Mapping[str, int]
    effects_oldest_seconds: int
    attempts_open: int


@dataclass(frozen=True)
class WaitingLane:
    """A lane in which events wait. `leased_by` works on it now, until `leased_until` unless it gives a sign of life.

    `failures` is how often in a row Stripe did not answer for it; then it is left alone until `due_at`.
    """

    lane: str
    depth: int
    oldest_at: datetime
    leased_by: str | None
    leased_until: datetime | None
    failures: int
    due_at: datetime | None


class Backlog:
    """Looks at what is unfinished. Asks the database alone."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._events = store.tables.events
        self._effects = store.tables.effects
        self._attempts = store.tables.attempts
        self._now = now

    def oldest_seconds(self) -> int:
        """How long the event that is due longest has been due. One query, by an index."""
        with self._store.read() as connection:
            return self._overdue(connection, self._events, UNFINISHED)

    def waiting(self) -> Waiting:
        """All of it."""
        events, attempts = self._events, self._attempts
        unfinished = in_state(events, *UNFINISHED)
        by_lane = select(func.count().label("depth")).where(unfinished).group_by(events.c.lane).subquery()
        with self._store.read() as connection:
            lanes, depth = connection.execute(select(func.count(), func.max(by_lane.c.depth))).one()
            return Waiting(
                events=self._by_state(connection, events, UNFINISHED),
                events_oldest_seconds=self._overdue(connection, events, UNFINISHED),
                lanes=lanes,
                lane_depth=depth or 0,
                effects=self._by_state(connection, self._effects, ("waiting",)),
                effects_oldest_seconds=self._overdue(connection, self._effects, ("waiting",)),
                attempts_open=connection.scalar(select(func.count()).where(in_state(attempts, "open"))) or 0,
            )

    def lanes(self, limit: int) -> list[WaitingLane]:
        """The lanes in which events wait, whose event has waited longest first."""
        events, lanes, now = self._events, self._store.tables.lanes, self._now()
        by_lane = (
            select(events.c.lane, func.count().label("depth"), func.min(events.c.received_at).label("oldest_at"))
            .where(in_state(events, *UNFINISHED))
            .group_by(events.c.lane)
            .subquery()
        )
        query = (
            select(by_lane, lanes.c.lease_owner, lanes.c.lease_expires_at, lanes.c.failures, lanes.c.due_at)
            .select_from(by_lane.outerjoin(lanes, lanes.c.lane == by_lane.c.lane))
            .order_by(by_lane.c.oldest_at, by_lane.c.lane)
            .limit(limit)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [_lane(row, now) for row in rows]

    def _by_state(self, connection: Connection, table: Table, states: tuple[str, ...]) -> dict[str, int]:
        """The unfinished, by their index, and the dead, by theirs."""
        query = select(table.c.state, func.count()).where(in_state(table, *states)).group_by(table.c.state)
        found = {row.state: row[1] for row in connection.execute(query)}
        dead = connection.scalar(select(func.count()).where(in_state(table, "dead")))
        return {**dict.fromkeys(states, 0), **found, "dead": dead or 0}

    def _overdue(self, connection: Connection, table: Table, states: tuple[str, ...]) -> int:
        now = self._now()
        is_due = (in_state(table, *states), table.c.next_at <= now)
        due = select(table.c.next_at).where(*is_due).order_by(table.c.next_at).limit(1)
        since: datetime | None = connection.scalar(due)
        return int((now - since).total_seconds()) if since is not None else 0


def _lane(row: RowMapping, now: datetime) -> WaitingLane:
    is_leased = row["lease_expires_at"] is not None and row["lease_expires_at"] > now
    return WaitingLane(
        lane=row["lane"],
        depth=row["depth"],
        oldest_at=row["oldest_at"],
        leased_by=row["lease_owner"] if is_leased else None,
        leased_until=row["lease_expires_at"] if is_leased else None,
        failures=row["failures"] or 0,
        due_at=row["due_at"] if row["failures"] else None,
    )
