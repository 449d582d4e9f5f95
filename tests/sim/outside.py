"""The app's database, looked at from outside of all machines: quickly, in the engine's words, changing nothing."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import make_url

from paydesk.billing.attempts import STALE_AFTER
from paydesk.billing.store.columns import as_text

_UNFINISHED = "state IN ('received', 'parked')"
_WITH_LANES = "FROM events LEFT JOIN lanes ON lanes.lane = events.lane"


class Outside:
    """A connection that no machine has."""

    def __init__(self, url: str) -> None:
        known = make_url(url)
        self.is_postgresql = known.get_backend_name() == "postgresql"
        self._connection: Any = (
            psycopg.connect(url, autocommit=True)
            if self.is_postgresql
            else sqlite3.connect(str(known.database), isolation_level=None)
        )

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query finds; `?` stands for a value, on both engines."""
        if self.is_postgresql:
            found: list[tuple[Any, ...]] = self._connection.execute(query.replace("?", "%s"), values).fetchall()
            return found
        bound = [as_text(value) if isinstance(value, datetime) else value for value in values]
        return list(self._connection.execute(query, bound).fetchall())

    def kill(self, connection: Any) -> None:
        """Tear down the connection of somebody else, as a firewall or a fail-over would."""
        pid = connection.connection.driver_connection.info.backend_pid
        self._connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def is_event_due(self, now: datetime) -> bool:
        """Whether a worker whose clock shows this would find an event to work on."""
        is_free = "(lanes.lease_expires_at IS NULL OR lanes.lease_expires_at <= ?) AND lanes.due_at <= ?"
        query = f"SELECT 1 {_WITH_LANES} WHERE {_UNFINISHED} AND next_at <= ? AND (lanes.lane IS NULL OR ({is_free}))"
        return bool(self.rows(f"{query} LIMIT 1", now, now, now))

    def is_effect_due(self, now: datetime) -> bool:
        """The same for a handler's work."""
        return bool(self.rows("SELECT 1 FROM effects WHERE state = 'waiting' AND next_at <= ? LIMIT 1", now))

    def is_attempt_stale(self, now: datetime) -> bool:
        """The same for a write of ours that was left half-way."""
        return bool(
            self.rows("SELECT 1 FROM attempts WHERE state = 'open' AND created_at <= ? LIMIT 1", now - STALE_AFTER)
        )

    def is_attempt_open(self) -> bool:
        """Whether a write of ours is under way."""
        return bool(self.rows("SELECT 1 FROM attempts WHERE state = 'open' LIMIT 1"))

    def next_due(self) -> float | None:
        """When, of all that waits, the first is due."""
        latest = "greatest" if self.is_postgresql else "max"
        nothing = "'-infinity'::timestamptz" if self.is_postgresql else "''"
        free_at = f"{latest}(next_at, coalesce(lanes.due_at, {nothing}), coalesce(lanes.lease_expires_at, {nothing}))"
        firsts = [
            *self.rows(f"SELECT min({free_at}) {_WITH_LANES} WHERE {_UNFINISHED}"),
            *self.rows("SELECT min(next_at) FROM effects WHERE state = 'waiting'"),
        ]
        moments = [_moment(first) for (first,) in firsts if first is not None]
        begun = self.rows("SELECT min(created_at) FROM attempts WHERE state = 'open'")
        moments += [_moment(first) + STALE_AFTER + timedelta(seconds=1) for (first,) in begun if first is not None]
        return min(moments).timestamp() if moments else None

    def are_known(self, events: set[str]) -> bool:
        """Whether all these events are here."""
        return not events - {event for (event,) in self.rows("SELECT id FROM events")}


def _moment(written: datetime | str) -> datetime:
    return datetime.fromisoformat(written) if isinstance(written, str) else written
