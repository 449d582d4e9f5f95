"""Listening: hearing from PostgreSQL that another process has committed something to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from paydesk.billing.store.store import Store


@contextmanager
def listening(store: Store) -> Iterator[Callable[[float], bool]]:
    """A function that waits up to so many seconds, and answers whether something was heard.

    Takes a connection of its own: one that listens cannot serve anything else. Raises psycopg.OperationalError.
    """
    import psycopg
    from psycopg import sql

    arguments, options = store.engine.dialect.create_connect_args(store.engine.url)
    with psycopg.connect(*arguments, **{**options, "autocommit": True}) as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(store.channel)))

        def heard(seconds: float) -> bool:
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))

        yield heard
