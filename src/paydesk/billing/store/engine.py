"""Connecting: SQLite and PostgreSQL, set so that what is committed stays committed.

SQLite: write-ahead log, every commit flushed to disk, and write transactions that take the write lock when they
begin. A transaction that reads first and asks for the lock later is the classic source of "database is locked".
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url

from paydesk.billing.log import redact
from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.pool import ConnectionPoolEntry

# How long a SQLite writer waits for another's commit before it gives up.
BUSY_TIMEOUT_SECONDS = 30

# A server that vanished without a word (a fail-over, a firewall that forgot us) is noticed within half a minute, and
# not when TCP gives up: webhooks wait for one of these connections.
KEEPALIVES = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",  # milliseconds
}

_LOOKING = ("target_session_attrs=read-write", "connect_timeout=5")
_SEVERAL_HOSTS = re.compile(
    r"(?P<who>postgres(?:ql)?(?:\+psycopg)?://(?:[^@/?]*@)?)(?P<hosts>[^@/?]*,[^@/?]*)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?"
)

# Set by Store on the connections that will write.
WRITES = "paydesk_writes"


def create_engine(database_url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…`.

    Raises ValueError, naming what to write instead, for anything else, and ConfigurationError where PostgreSQL's driver
    is missing. The URL may hold a password and is not shown.
    """
    engine = _engine(make_url(_spread(database_url)))
    _engines.add(engine)
    return engine


def said_by(error: Exception) -> str:
    """What the database said, for a log: without the statement, in whose values anything may stand."""
    return redact(str(getattr(error, "orig", None) or error).strip())


_engines: WeakSet[Engine] = WeakSet()


def _leave_to_the_parent() -> None:
    """Servers may load the app first and fork then. A connection that two processes share garbles their answers."""
    for engine in _engines:
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


def _spread(database_url: str) -> str:
    """PostgreSQL's own way to name several servers, postgresql://me@one:5432,two:5432/app, in SQLAlchemy's.

    Of several, one takes writes: the driver looks for it, and not for long at one that is gone, unless the URL says
    otherwise.
    """
    several = _SEVERAL_HOSTS.fullmatch(database_url)
    if several is None:
        return database_url
    said = several["query"] or ""
    query = [f"host={host}" for host in several["hosts"].split(",")]
    query += [each for each in _LOOKING if each.partition("=")[0] not in said]
    if said:
        query.append(said)
    return f"{several['who']}{several['path'] or '/'}?{'&'.join(query)}"


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    if url.get_backend_name() in ("postgresql", "postgres"):
        # What the app's own URL says comes first.
        patient = url.set(drivername="postgresql+psycopg", query={**KEEPALIVES, **url.query})
        try:
            return sqlalchemy.create_engine(patient, pool_pre_ping=True)
        except ImportError as error:
            mistake = (
                f"DATABASE_URL names PostgreSQL, and its driver is missing ({error}): pip install paydesk[postgres]"
            )
            raise ConfigurationError([mistake]) from error
    raise ValueError(
        f"DATABASE_URL speaks of {url.get_backend_name()!r}. paydesk keeps its tables in SQLite (sqlite:///app.db) "
        "or PostgreSQL (postgresql://user:password@host/name)."
    )


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ValueError(
            "DATABASE_URL names a SQLite database in memory, which would be a different, empty one in each thread. "
            "Name a file: sqlite:///paydesk.db"
        )
    engine = sqlalchemy.create_engine(
        url.set(drivername="sqlite"), connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )
    # A database that is in memory and shared, as test runners make them, has no log and no disk.
    is_in_memory = url.query.get("mode") == "memory"
    event.listen(engine, "connect", _prepare_shared_memory if is_in_memory else _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _prepare_shared_memory(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Use the write-ahead log. The file remembers it, so only the very first connections have to switch.

    SQLite does not wait for its lock here, as it does everywhere else: processes that start together on a new file
    would refuse each other.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    if options.get(WRITES):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
