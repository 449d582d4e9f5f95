"""Arrivals: the one insert that must be fast, written for each engine in its own words.

A webhook is answered when this returns, so it goes to the driver directly: one prepared statement for a whole group,
and one flush to disk.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from paydesk.billing.store.columns import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from paydesk.billing.store.store import Store


class Arrival(NamedTuple):
    """An event about to be kept: the columns it arrives with, in the order the insert binds them."""

    id: str
    type: str
    lane: str
    object_id: str | None
    object_type: str | None
    livemode: bool
    api_version: str | None
    created: int
    payload: str
    received_at: datetime


# What an insert fills: an arrival, and where it starts.
_COLUMNS = ", ".join((*Arrival._fields, "next_at", "state", "attempts"))


class Writer(Protocol):
    """Inserts groups of events, from one thread, over a connection of its own."""

    # What a single row can be to blame for. Anything else concerns the whole group.
    row_errors: tuple[type[Exception], ...]

    @property
    def is_usable(self) -> bool: ...

    def insert(self, arrivals: Sequence[Arrival]) -> list[bool]:
        """Commit all of them, or none; answers for each whether it is new.

        One that is already there and unfinished, even given up, becomes due at once: Stripe asks again.
        """

    def close(self) -> None: ...


def open_writer(store: Store) -> Writer:
    """A writer for this store's engine."""
    return PostgresWriter(store) if store.is_postgresql else SqliteWriter(store)


# The only thing that is put into the statements below by their text is the name of our own table, quoted.


class SqliteWriter:
    row_errors: tuple[type[Exception], ...] = (
        sqlite3.IntegrityError,
        sqlite3.DataError,
        sqlite3.InterfaceError,
        sqlite3.ProgrammingError,
        OverflowError,
        ValueError,
    )
    is_usable = True

    def __init__(self, store: Store) -> None:
        self._connection = store.engine.raw_connection()
        events = _events(store)
        self._insert = (
            f"INSERT INTO {events} ({_COLUMNS}) "  # noqa: S608 - names of our own, quoted
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?10, 'received', 0) "
            "ON CONFLICT (id) DO NOTHING"
        )
        self._rearm = (
            f"UPDATE {events} SET state = 'received', attempts = 0, next_at = ? WHERE id = ? AND state <> 'applied'"  # noqa: S608 - as above
        )

    def insert(self, arrivals: Sequence[Arrival]) -> list[bool]:
        cursor = self._connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._insert_one(cursor, arrival) for arrival in arrivals]
            cursor.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise
        return outcomes

    def _insert_one(self, cursor: Any, arrival: Arrival) -> bool:
        received_at = as_text(arrival.received_at)
        cursor.execute(self._insert, (*arrival[:-1], received_at))
        if cursor.rowcount == 1:
            return True
        cursor.execute(self._rearm, (received_at, arrival.id))
        return False

    def close(self) -> None:
        self._connection.close()


class PostgresWriter:
    def __init__(self, store: Store) -> None:
        import psycopg

        self.row_errors: tuple[type[Exception], ...] = (psycopg.DataError, psycopg.IntegrityError, ValueError)
        self._connection = store.engine.raw_connection()
        self._driver: Any = self._connection.driver_connection
        self._channel = store.channel
        events = _events(store)
        self._insert = (
            f"INSERT INTO {events} ({_COLUMNS}) "  # noqa: S608 - names of our own, quoted
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'received', 0) ON CONFLICT (id) DO NOTHING "
            # Workers in other processes wake when this commits. However many rows say so, it is told once.
            "RETURNING pg_notify(%s, '')"
        )
        self._rearm = (
            f"UPDATE {events} SET state = 'received', attempts = 0, next_at = %s "  # noqa: S608 - as above
            # One that is locked is being applied at this moment, and needs no reminding.
            f"WHERE id IN (SELECT id FROM {events} WHERE id = ANY(%s) AND state <> 'applied' FOR UPDATE SKIP LOCKED)"
        )

    @property
    def is_usable(self) -> bool:
        return not self._driver.closed

    def insert(self, arrivals: Sequence[Arrival]) -> list[bool]:
        # In the order of ids: two processes that insert the same events in different orders would lock each other out.
        order = sorted(range(len(arrivals)), key=lambda place: arrivals[place].id)
        outcomes = [False] * len(arrivals)
        with self._driver.transaction(), self._driver.cursor() as cursor:
            # One round trip for them all: the driver sends the next row while the server inserts the last.
            rows = [(*arrivals[place], arrivals[place].received_at, self._channel) for place in order]
            cursor.executemany(self._insert, rows, returning=True)
            for place in order:
                outcomes[place] = cursor.fetchone() is not None
                cursor.nextset()
            again = [arrival.id for arrival, is_new in zip(arrivals, outcomes, strict=True) if not is_new]
            if again:
                cursor.execute(self._rearm, (arrivals[0].received_at, again))
        return outcomes

    def close(self) -> None:
        self._connection.close()


def _events(store: Store) -> str:
    return store.engine.dialect.identifier_preparer.format_table(store.tables.events)
