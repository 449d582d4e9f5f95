"""A machine: one process of the app, on the database that all of them share. It can die at any commit."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from paydesk import (
    DisputeClosed,
    DisputeOpened,
    InvoicePaid,
    OrderFailed,
    OrderPaid,
    OrderRefunded,
    Paydesk,
    SubscriptionEnded,
    SubscriptionStarted,
)
from paydesk.billing.store.engine import WRITES
from paydesk.billing.stripe_api import StripeApi
from tests.sim.baton import Machine

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from paydesk.billing.catalog import Catalog
    from paydesk.billing.settings import Settings
    from tests.sim.universe import Universe

FACTS = (
    OrderPaid,
    OrderFailed,
    OrderRefunded,
    DisputeOpened,
    DisputeClosed,
    SubscriptionStarted,
    SubscriptionEnded,
    InvoicePaid,
)


class AppProcess(Machine):
    """A desk with the app's handlers, whose every commit is watched."""

    def __init__(self, name: str, universe: Universe, settings: Settings, catalog: Catalog) -> None:
        super().__init__(name)
        self._universe = universe
        # Who holds the database's only write lock.
        self.writing: set[Any] = set()
        api = StripeApi(
            SecretStr(universe.key),
            settings.stripe_api_base,
            tries_max=2,
            sleep=universe.sleep,
            now_seconds=lambda: universe.now,
            chance=universe.chance.random.random,
            http_client=universe.line,
        )
        self.desk = Paydesk(settings, catalog=catalog, stripe_api=api, now=universe.moment)
        for fact in FACTS:
            self.desk.on(fact)(self._handler(fact.__name__))
        self._watch()
        self.desk.open()

    def close(self) -> None:
        """Let go of what a process holds. After a crash the system does it."""
        self.desk._inbox.close()  # noqa: SLF001 - a dead process finishes nothing; `close` would
        self.desk.store.close()

    def _handler(self, name: str) -> Any:
        universe = self._universe

        def handler(fact: Any, db: Any) -> None:
            if universe.strikes("handler_error", name):
                raise RuntimeError("The app's handler failed before it wrote.")
            db.execute(text("INSERT INTO told (fact, key) VALUES (:fact, :key)"), {"fact": name, "key": fact.key})
            if universe.strikes("handler_error", name):
                raise RuntimeError("The app's handler failed after it wrote.")

        # Handlers are known by their names, in every process alike.
        handler.__name__ = handler.__qualname__ = f"tell_{name}"
        handler.__module__ = "app"
        return handler

    def _watch(self) -> None:
        """Pause around each transaction, and let the database fail, or the machine die, at each commit."""
        universe, store = self._universe, self.desk.store
        # Machines come and go by the dozen: what one has compiled, the next need not.
        for engine in (store.engine, store.writing, store.reading):
            engine.update_execution_options(compiled_cache=_COMPILED)

        def commit(connection: Connection) -> None:
            if not dict(connection.get_execution_options()).get(WRITES):
                return
            try:
                if universe.strikes("database_error", "commit"):
                    raise _failed("commit")
                universe.maybe_crash(self, "before a commit")
            except BaseException:
                # What the database does when its client is gone.
                connection.connection.rollback()
                raise

        event.listen(store.engine, "commit", commit)
        plain_write, plain_read = store.write, store.read
        watched: dict[str, Any] = {
            "read": lambda: _Read(plain_read(), self, universe),
            "write": lambda: _Write(plain_write(), self, universe),
        }
        store.__dict__.update(watched)


_COMPILED: dict[Any, Any] = {}


class _Read:
    """A look at the database. Others may move before it."""

    def __init__(self, plain: AbstractContextManager[Connection], machine: AppProcess, universe: Universe) -> None:
        self._plain = plain
        self._machine = machine
        self._universe = universe

    def __enter__(self) -> Connection:
        if self._universe.baton.current() not in self._machine.writing:
            self._universe.baton.pause()
        return self._plain.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._plain.__exit__(*error)


class _Write(_Read):
    """A write transaction: others may move before and after it, and whoever holds the lock does not stand still."""

    def __enter__(self) -> Connection:
        actor = self._universe.baton.current()
        self._universe.baton.pause()
        if self._universe.strikes("database_error", "begin"):
            raise _failed("begin")
        connection = self._plain.__enter__()
        self._machine.writing.add(actor)
        return connection

    def __exit__(self, *error: Any) -> bool | None:
        try:
            answer = self._plain.__exit__(*error)
        finally:
            self._machine.writing.discard(self._universe.baton.current())
        if error[0] is None:
            self._universe.maybe_crash(self._machine, "after a commit")
            if self._universe.strikes("commit_lost", "commit"):
                raise _failed("commit")
            self._universe.baton.pause()
        return answer


def _failed(what: str) -> OperationalError:
    return OperationalError(what, {}, sqlite3.OperationalError("the connection was lost"))
