"""The store: reading and writing the app's database, the same on SQLite and PostgreSQL.

    with store.write() as connection:
        connection.execute(...)       # one transaction, committed on leaving, rolled back on an exception

No call to Stripe belongs inside `write()`: it would hold a lock for as long as the network pleases.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Select, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from paydesk.billing.store.engine import WRITES, create_engine
from paydesk.billing.store.tables import Tables, tables_of
from paydesk.errors import WouldWaitForItself

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from paydesk.billing.store.orm import Orm


class Store:
    """One database, and our tables in it."""

    def __init__(self, engine: Engine, tables: Tables | None = None, *, orm: Orm | None = None) -> None:
        """`orm` is the app's own, if it has one on the same database."""
        self.engine = engine
        self.tables = tables or tables_of()
        self.orm = orm
        self.is_postgresql = engine.dialect.name == "postgresql"
        self.writing = engine.execution_options(**{WRITES: True})
        # Reads need no transaction: each statement sees the latest commit, and saves two round trips on PostgreSQL.
        self.reading = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_postgresql else engine
        self._lent = threading.local()

    @classmethod
    def open(cls, database_url: str, *, prefix: str = "", schema: str | None = None, orm: Orm | None = None) -> Store:
        """The store at `DATABASE_URL`. Connects at first use."""
        return cls(create_engine(database_url), tables_of(prefix, schema), orm=orm)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for looking. Each statement sees what is committed by then."""
        with self.reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction. On SQLite it holds the only write lock from its first moment, so keep it short.

        Raises WouldWaitForItself in a thread that holds that lock elsewhere.
        """
        if not self.is_postgresql and self._is_locked_by_us():
            raise WouldWaitForItself
        with self.writing.begin() as connection:
            yield connection

    def _is_locked_by_us(self) -> bool:
        lent: Session | None = getattr(self._lent, "session", None)
        if lent is not None and lent.in_transaction():
            return True
        return self.orm is not None and self.orm.holds_lock()

    @contextmanager
    def lent_to(self, session: Session) -> Iterator[None]:
        """For as long as this thread works in a session of its own, which `write()` cannot wait for."""
        self._lent.session = session
        try:
            yield
        finally:
            del self._lent.session

    def insert_new(self, connection: Connection, table: Table, *rows: Mapping[str, Any]) -> int:
        """Insert the rows that no unique constraint already holds; answers how many were new."""
        if not rows:
            return 0
        insert = postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)
        statement = insert.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        return sum(connection.execute(statement, dict(row)).rowcount for row in rows)

    def upsert(
        self,
        connection: Connection,
        table: Table,
        row: Mapping[str, Any],
        *,
        on: Sequence[str],
        keep: Sequence[str] = (),
    ) -> None:
        """Insert the row, or overwrite the one with the same `on` columns, its `keep` columns excepted."""
        insert = (postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)).values(dict(row))
        changed = {name: insert.excluded[name] for name in row if name not in on and name not in keep}
        connection.execute(insert.on_conflict_do_update(index_elements=list(on), set_=changed))

    def locked(self, query: Select[Any], *, skip_locked: bool = False) -> Select[Any]:
        """Select rows to change: on PostgreSQL they are locked. On SQLite `write()` has locked everything already."""
        return query.with_for_update(skip_locked=skip_locked) if self.is_postgresql else query

    def notify(self, connection: Connection) -> None:
        """Wake workers in other processes when this transaction commits. On SQLite they poll."""
        if self.is_postgresql:
            connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": self.channel})

    @property
    def channel(self) -> str:
        """The PostgreSQL channel on which workers of this store listen."""
        return f"paydesk_{self.tables.schema or ''}_{self.tables.prefix}"[:63]

    def close(self) -> None:
        self.engine.dispose()
