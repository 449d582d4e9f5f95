"""Bringing the database up to the tables this version of paydesk expects.

`migrate(store)` may be called by every process at every start: it costs one query when there is nothing to do, and
processes that start together take turns.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store

# The newest file in versions/. A test holds the two together.
HEAD = "0001"


def migrate(store: Store) -> str | None:
    """Create or alter our tables as needed; answers the revision moved to, or None where nothing was to do."""
    with store.read() as connection:
        if _revision(store, connection) == HEAD:
            return None
    with store.write() as connection:
        _take_turns(store, connection)
        if _revision(store, connection) == HEAD:
            return None
        _upgrade(store, connection)
    return HEAD


def version_table(store: Store) -> str:
    """Our own version table, so that an app may run Alembic beside us."""
    return f"{store.tables.prefix}paydesk_alembic_version"


def _revision(store: Store, connection: Connection) -> str | None:
    name, schema = version_table(store), store.tables.schema
    if not inspect(connection).has_table(name, schema=schema):
        return None
    quoted = connection.dialect.identifier_preparer.quote
    place = f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {place}"))  # noqa: S608 - our own name, quoted
    return revision


def _take_turns(store: Store, connection: Connection) -> None:
    """Hold back other processes until this transaction ends. On SQLite the write lock already does."""
    if store.is_postgresql:
        number = zlib.crc32(f"paydesk:{store.tables.schema}:{store.tables.prefix}".encode())
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _upgrade(store: Store, connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if store.tables.schema and store.is_postgresql:
        quoted = connection.dialect.identifier_preparer.quote(store.tables.schema)
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["tables"] = store.tables
    config.attributes["version_table"] = version_table(store)
    command.upgrade(config, HEAD)
