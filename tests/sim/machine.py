"""A machine: one process of the app, on the database that all of them share. It can die at any commit."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from paydesk import Paydesk
from paydesk.billing.store.engine import WRITES
from paydesk.billing.stripe_api import StripeApi
from tests.sim import app
from tests.sim.baton import Machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from paydesk.billing.catalog import Catalog
    from paydesk.billing.settings import Settings
    from tests.sim.universe import Universe


class AppProcess(Machine):
    """A desk with the app's handlers, whose every commit is watched."""

    def __init__(self, name: str, universe: Universe, settings: Settings, catalog: Catalog) -> None:
        super().__init__(name)
        self._universe = universe
        # By how much its clock is wrong.
        self.skew = timedelta(0)
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
        self.desk = Paydesk(settings, catalog=catalog, stripe_api=api, now=self.moment)
        app.listen(self.desk, universe)
        self._watch()
        # Not later, among others: it is done under a lock, and whoever waits for one passes no baton.
        self.desk.open()

    def moment(self) -> datetime:
        """The time, as this machine's clock shows it."""
        return self._universe.moment() + self.skew

    def jobs(self) -> dict[str, Callable[[], object]]:
        """What its worker's threads have to do now, by name."""
        # The worker's jobs, one at a time and by hand.
        desk, outside, now = self.desk, self._universe.outside, self.moment()
        inbox, jobs = desk._inbox, dict[str, Any]()  # noqa: SLF001 - as above
        if outside.is_event_due(now):
            jobs["apply"] = inbox.apply_due
        if outside.is_effect_due(now):
            jobs["effect"] = inbox.effects.run_due
        if outside.is_attempt_stale(now):
            jobs["finish"] = desk._attempts.finish_stale  # noqa: SLF001 - as above
        return jobs

    def rounds(self) -> list[tuple[str, Callable[[], object]]]:
        """What its worker does every few seconds or minutes, whether there is something to do or not."""
        return [("renew", self.desk._inbox.renew), ("sweep", self.desk._truth._sweep.if_due)]  # noqa: SLF001 - as above

    def close(self) -> None:
        """Let go of what a process holds. After a crash the system does it."""
        self.desk._inbox.close()  # noqa: SLF001 - a dead process finishes nothing; `close` would
        self.desk.store.close()

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
                    raise failed("commit", universe)
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


class _Compiled(dict[Any, Any]):
    """Statements, compiled once for all engines of a kind. By itself, SQLAlchemy tells engines apart."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


_COMPILED = _Compiled()


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
        universe = self._universe
        actor = universe.baton.current()
        universe.baton.pause()
        if universe.strikes("database_error", "begin"):
            raise failed("begin", universe)
        connection = self._plain.__enter__()
        self._machine.writing.add(actor)
        if universe.strikes("statement_error", "a statement"):
            _break_off(connection, universe)
        return connection

    def __exit__(self, *error: Any) -> bool | None:
        universe = self._universe
        try:
            answer = self._plain.__exit__(*error)
        finally:
            self._machine.writing.discard(universe.baton.current())
        if error[0] is None:
            universe.maybe_crash(self._machine, "after a commit")
            if universe.strikes("commit_lost", "commit"):
                raise failed("commit", universe)
            universe.baton.pause()
        return answer


def _break_off(connection: Connection, universe: Universe) -> None:
    """Let the connection be lost at one of the next statements: on PostgreSQL it really is."""
    plain, left = connection.execute, universe.chance.random.randrange(4)

    def execute(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            if not universe.outside.is_postgresql:
                raise failed("statement", universe)
            universe.outside.kill(connection)
        return plain(*arguments, **options)

    connection.__dict__["execute"] = execute


def failed(what: str, universe: Universe) -> OperationalError:
    """What the engine says when it cannot, in one of its ways."""
    ways: tuple[Exception, ...] = (
        (
            psycopg.errors.SerializationFailure("could not serialize access due to concurrent update"),
            psycopg.errors.DeadlockDetected("deadlock detected"),
            psycopg.OperationalError("the connection is lost"),
        )
        if universe.outside.is_postgresql
        else (sqlite3.OperationalError("database is locked"), sqlite3.OperationalError("disk I/O error"))
    )
    return OperationalError(what, {}, universe.chance.random.choice(ways))
