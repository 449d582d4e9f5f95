"""The store: reading and writing the app's database, the same on SQLite and PostgreSQL.

    with store.write() as connection:
        connection.execute(...)       # one transaction, committed on leaving, rolled back on an exception

No call to Stripe belongs inside `write()`: it would hold a lock for as long as the network pleases.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Column, Connection, Engine, Select, Table, bindparam, func, text
from sqlalchemy.dialects import postgresql, sqlite

from paydesk.billing.store.engine import WRITES, create_engine
from paydesk.billing.store.tables import Tables, tables_of
from paydesk.errors import WouldWaitForItself

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from paydesk.billing.store.orm import Orm

# PostgreSQL's codes: the lock was waited for too long, and we were the one of two who waited for each other.
_LOCK_NOT_AVAILABLE, _DEADLOCK_DETECTED = "55P03", "40P01"

# Well before PostgreSQL looks for transactions that wait for each other, which it does after a second.
_GIVE_WAY = text("SET LOCAL lock_timeout = '300ms'")


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
        self._upserts: dict[tuple[object, ...], Any] = {}

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
        return len(self.new_of(connection, table, rows, next(iter(table.primary_key))))

    def new_of(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], column: Column[Any]
    ) -> list[Any]:
        """Insert the rows that no unique constraint already holds; answers that column of those that were new."""
        if not rows:
            return []
        statement = self._insert(table).on_conflict_do_nothing().returning(column)
        return list(connection.scalars(statement, [dict(row) for row in rows]))

    def upsert(
        self,
        connection: Connection,
        table: Table,
        *rows: Mapping[str, Any],
        on: Sequence[str],
        keep: Sequence[str] = (),
    ) -> None:
        """Insert rows of the same columns, or overwrite those that are alike in `on`, their `keep` columns excepted.

        On PostgreSQL many rows cost one round trip.
        """
        if rows:
            statement = self._upsert(table, tuple(rows[0]), tuple(on), tuple(keep))
            connection.execute(statement, [dict(row) for row in rows])

    def _upsert(self, table: Table, columns: tuple[str, ...], on: tuple[str, ...], keep: tuple[str, ...]) -> Any:
        """The statement, which costs more to build than to send, and of which there are few."""
        key = (table.name, columns, on, keep)
        if key not in self._upserts:
            insert = self._insert(table)
            changed = {name: insert.excluded[name] for name in columns if name not in on and name not in keep}
            self._upserts[key] = insert.on_conflict_do_update(index_elements=list(on), set_=changed)
        return self._upserts[key]

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def among(self, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """Whether the column is one of the values. However many there are, the statement is the same on PostgreSQL."""
        wanted = list(values)
        if not self.is_postgresql:
            return column.in_(wanted)
        return column == func.any(bindparam(column.name, wanted, type_=ARRAY(column.type), unique=True))

    def not_among(self, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """Whether the column is none of the values."""
        wanted = list(values)
        if not self.is_postgresql:
            return column.not_in(wanted)
        return column != func.all(bindparam(column.name, wanted, type_=ARRAY(column.type), unique=True))

    def give_way(self, connection: Connection) -> None:
        """In this transaction, do not wait for what another one has locked: an error soon, for which see `is_busy`.

        Who holds many locks and waits for one more may be waited for in turn. On SQLite there is one lock for all.
        """
        if self.is_postgresql:
            connection.execute(_GIVE_WAY)

    def is_busy(self, error: BaseException) -> bool:
        """Whether a transaction that gives way failed for no other reason."""
        return getattr(getattr(error, "orig", None), "sqlstate", None) in (_LOCK_NOT_AVAILABLE, _DEADLOCK_DETECTED)

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
