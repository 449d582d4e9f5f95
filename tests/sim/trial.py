"""A trial: one seed, from an empty database to the verdict."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests.sim import verdict
from tests.sim.universe import Universe


@dataclass(frozen=True)
class Outcome:
    """How a universe ended: what is wrong with it, and what happened in it."""

    seed: int
    faults: tuple[str, ...]
    history: tuple[str, ...]

    def story(self, lines: int = 200) -> str:
        """What somebody reads who looks for the mistake: the end of the history, then the faults."""
        return "\n".join([f"seed {self.seed}", *self.history[-lines:], *(f"WRONG: {fault}" for fault in self.faults)])


def database(folder: Path) -> Path:
    """An empty, migrated database of the app, with the app's own table; every universe gets a copy."""
    path = folder / "template.db"
    store = Store.open(f"sqlite:///{path}")
    migrate(store)
    with store.write() as connection:
        connection.execute(text("CREATE TABLE told (fact TEXT, key TEXT)"))
    store.close()
    return path


def run(seed: int, template: Path) -> Outcome:
    """Let a universe happen, and judge it. Whatever it raises is a fault, too."""
    universe = Universe(seed, template)
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
