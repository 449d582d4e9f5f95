"""Django's ORM beside the desk: a handler runs in Django's transaction, and is marked done in it.

What it writes through Django and the mark are one commit, on one connection: both are kept, or neither, whatever ends
the process in between.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections, connections, transaction
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from sqlalchemy import Dialect, Update


class DoneElsewhere(Exception):
    """The work was done, and marked so, by somebody else meanwhile."""


class DjangoOrm:
    """Transactions of one of DATABASES."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._here = threading.local()

    def run(self, work: Callable[[], object], mark: Update) -> None:
        """Do the work and mark it done in one transaction of Django's.

        Raises RuntimeError within a block of atomic(), which could undo both after we were sure of them.
        """
        # This thread lives as long as the process, and no request begins or ends in it.
        close_old_connections()
        connection = connections[self._alias]
        marking = _Marking(connection, mark)
        self._here.marking = marking
        try:
            with transaction.atomic(using=self._alias, durable=True):
                # SQLite gives the lock to write only to a transaction that has not read before somebody else wrote.
                # So what comes first in ours is a write. PostgreSQL would lock the row, which others renew meanwhile.
                is_first = connection.vendor == "sqlite"
                with connection.execute_wrapper(marking.first) if is_first else nullcontext():
                    work()
                marking.make()
        except DoneElsewhere:
            pass
        finally:
            del self._here.marking
            close_old_connections()

    def holds_lock(self) -> bool:
        """Whether a block of atomic() in this thread may have the lock: it is not to be told from outside."""
        connection = connections[self._alias]
        if not connection.in_atomic_block:
            return False
        marking: _Marking | None = getattr(self._here, "marking", None)
        if marking is None or marking.is_begun:
            return True
        # A handler's transaction has the lock from its first statement on, unless it is told to begin with it.
        return getattr(connection, "transaction_mode", None) not in (None, "DEFERRED")


class _Marking:
    """The mark of one effect, made once. While it cannot be made, nothing else is, whatever a handler catches."""

    def __init__(self, connection: BaseDatabaseWrapper, mark: Update) -> None:
        self.is_begun = False
        self._is_made = False
        self._is_under_way = False
        self._connection = connection
        self._sql, self._values = compiled(mark, dialect_of(connection))

    def make(self) -> None:
        # Its own statement is asked about too.
        if self._is_made or self._is_under_way:
            return
        self.is_begun = self._is_under_way = True
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(self._sql, self._values)
                if cursor.rowcount != 1:
                    raise DoneElsewhere
        finally:
            self._is_under_way = False
        self._is_made = True

    def first(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Django asks this around each statement."""
        self.make()
        return execute(sql, params, many, context)


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """SQLAlchemy's words for this database, with parameters as Django's cursors take them."""
    if connection.vendor == "postgresql":
        return postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy's is not typed
    return sqlite.dialect(paramstyle="format")


def compiled(statement: Update, dialect: Dialect) -> tuple[str, list[Any]]:
    """A statement of ours for Django's cursor: its text, and its values as the database has them."""
    made = statement.compile(dialect=dialect)
    values: list[Any] = []
    for name in made.positiontup or ():
        convert = made.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        value = made.params[name]
        values.append(convert(value) if convert is not None else value)
    return str(made), values
