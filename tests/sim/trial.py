"""A trial: one seed, from an empty database to the verdict."""

from __future__ import annotations

import logging
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import text

from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests.postgres import Databases as PostgresDatabases
from tests.postgres import Server
from tests.sim import verdict
from tests.sim.app import TABLE
from tests.sim.universe import Universe


@dataclass(frozen=True)
class Outcome:
    """How a universe ended: what is wrong with it, and what happened in it."""

    seed: int
    faults: tuple[str, ...]
    history: tuple[str, ...]

    def summary(self) -> str:
        """One line."""
        return f"seed {self.seed}: {self.faults[0]}" + (
            f" (and {len(self.faults) - 1} more)" if self.faults[1:] else ""
        )

    def story(self, lines: int = 5_000) -> str:
        """What somebody reads who looks for the mistake: what everybody did in order, then what is wrong."""
        return "\n".join([f"seed {self.seed}", *self.history[-lines:], *(f"WRONG: {fault}" for fault in self.faults)])


class Databases(Protocol):
    """Where universes get an empty, migrated database from."""

    def fresh(self) -> AbstractContextManager[str]:
        """The URL of one, for as long as the block runs."""

    def close(self) -> None: ...


def on_postgres(server: Server) -> Databases:
    """Databases on a PostgreSQL."""
    return PostgresDatabases(server, prepare)


def run_in(databases: Databases, seed: int) -> Outcome:
    """A universe in a database of its own."""
    with databases.fresh() as url:
        return run(seed, url)


def prepare(url: str) -> None:
    """Make the app's tables in an empty database, with the app's own; every universe gets a copy."""
    store = Store.open(url)
    migrate(store)
    with store.write() as connection:
        connection.execute(text(TABLE))
    store.close()


class Files:
    """SQLite files for universes, on memory: what is flushed to disk is not what is tested here."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
        self._folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="paydesk-sim-")
        self._template = Path(self._folder.name) / "template.db"
        prepare(f"sqlite:///{self._template}")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An empty database, for as long as the block runs."""
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            path = Path(folder) / "app.db"
            shutil.copyfile(self._template, path)
            yield f"sqlite:///{path}"

    def close(self) -> None:
        self._folder.cleanup()


def run(seed: int, database_url: str) -> Outcome:
    """Let a universe happen in an empty database, and judge it. Whatever it raises is a fault, too."""
    universe = Universe(seed, database_url)
    try:
        with _quiet():
            universe.run()
            found = verdict.faults(universe)
    except Exception:
        found = [traceback.format_exc()]
    finally:
        universe.close()
    return Outcome(seed, tuple(found), tuple(universe.history))


@contextmanager
def _quiet() -> Iterator[None]:
    """What goes wrong on purpose is no news."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
