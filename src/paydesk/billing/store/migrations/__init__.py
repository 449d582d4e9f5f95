"""Bringing the database up to the tables this version of paydesk expects.

`migrate(store)` may be called by every process at every start: it costs one query when there is nothing to do, and
processes that start together take turns.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Text, column, inspect, select, table, text
from sqlalchemy.exc import OperationalError

from paydesk.billing.log import redact
from paydesk.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store

# The newest file in versions/. A test holds the two together.
HEAD = "0009"


def migrate(store: Store, revision: str = HEAD) -> str | None:
    """Create or alter our tables as needed; answers the revision moved to, or None where nothing was to do.

    Raises DatabaseUnavailable.
    """
    with _telling_of_silence():
        if revision_of(store) >= revision:
            return None
        with store.write() as connection:
            _take_turns(store, connection)
            # Greater: this process is an old one, started again while a new version is rolled out.
            if _revision(store, connection) >= revision:
                return None
            _upgrade(store, connection, revision)
    return revision


def revision_of(store: Store) -> str:
    """The revision our tables are at; empty where there are none yet. Raises DatabaseUnavailable."""
    with _telling_of_silence(), store.read() as connection:
        return _revision(store, connection)


def version_table(store: Store) -> str:
    """Our own version table, so that an app may run Alembic beside us."""
    return f"{store.tables.prefix}paydesk_alembic_version"


@contextmanager
def _telling_of_silence() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise DatabaseUnavailable(redact(str(error.orig).strip())) from error


def _revision(store: Store, connection: Connection) -> str:
    name, schema = version_table(store), store.tables.schema
    if not inspect(connection).has_table(name, schema=schema):
        return ""
    number = column("version_num", Text)
    revision = connection.scalar(select(number).select_from(table(name, number, schema=schema)))
    return revision or ""


def _take_turns(store: Store, connection: Connection) -> None:
    """Hold back other processes until this transaction ends. On SQLite the write lock already does."""
    if store.is_postgresql:
        number = zlib.crc32(f"paydesk:{store.tables.schema}:{store.tables.prefix}".encode())
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _upgrade(store: Store, connection: Connection, revision: str) -> None:
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
    command.upgrade(config, revision)
