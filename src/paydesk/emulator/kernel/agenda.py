"""The agenda: everything that happens by itself, in the order in which it is due.

A pushed clock plays what it passes one by one, each at its own time, so that a year
takes seconds and always goes the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from paydesk.emulator.kernel.errors import invalid

if TYPE_CHECKING:
    import sqlite3

    from paydesk.emulator.kernel.clock import Now
    from paydesk.emulator.kernel.sandboxes import Sandbox, Sandboxes
    from paydesk.emulator.kernel.store import Store
    from paydesk.emulator.kernel.world import World

log = logging.getLogger("paydesk.local")

# A task that fails is a mistake of ours: it must neither stop the clock nor be forgotten.
RETRY_SECONDS = 60

# What a resource does when its time has come: the world, and the subject it was scheduled with.
Task = Callable[["World", str], None]


class Agenda:
    """What is due, in all sandboxes of one server."""

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        tasks: Mapping[str, Task],
        now: Now,
        *,
        world: Callable[[sqlite3.Connection, Sandbox], World],
        tell: Callable[[World], None],
    ) -> None:
        """`world` opens a sandbox in a transaction, `tell` is called after each commit."""
        self._store = store
        self._sandboxes = sandboxes
        self._tasks = tasks
        self._now = now
        self._world = world
        self._tell = tell
        # Called with the time, by the machine's clock, at which something newly planned is due.
        self.watchers: list[Callable[[int], None]] = []

    def seconds_until_due(self) -> float | None:
        """How long until something is due; None when nothing is."""
        (due,) = self._store.db.execute(
            "SELECT min((SELECT min(due) FROM agenda WHERE sandbox = s.number) - s.ahead) FROM sandboxes s"
        ).fetchone()
        return None if due is None else max(0.0, due - self._now())

    def next_due(self, sandbox: Sandbox) -> int | None:
        """When the next thing in a sandbox is due, in its own time; None when nothing is."""
        (due,) = self._store.db.execute("SELECT min(due) FROM agenda WHERE sandbox = ?", (sandbox.number,)).fetchone()
        return None if due is None else int(due)

    def play_due(self) -> int:
        """Do everything that is due in any sandbox. Says how many things there were."""
        numbers = self._store.db.execute(
            "SELECT s.number FROM sandboxes s "
            "WHERE EXISTS (SELECT 1 FROM agenda a WHERE a.sandbox = s.number AND a.due <= ? + s.ahead)",
            (int(self._now()),),
        ).fetchall()
        sandboxes = [self._sandboxes.numbered(number) for (number,) in numbers]
        return sum(self._play(sandbox, self._sandboxes.now(sandbox)) for sandbox in sandboxes)

    def advance(self, sandbox: Sandbox, seconds: int) -> int:
        """Push a sandbox's clock forward by that much, doing what becomes due on the way. Says how many things."""
        if seconds < 0:
            raise invalid("A clock only goes forward: seconds must be 0 or more.", param="seconds")
        target = self._sandboxes.now(sandbox) + seconds
        played = self._play(sandbox, target)
        with self._store.transaction() as db:
            self._sandboxes.set_clock(db, sandbox, target)
        # What is still planned has come nearer.
        for watcher in self.watchers:
            watcher(int(self._now()))
        return played

    def _play(self, sandbox: Sandbox, until: int) -> int:
        played = 0
        while True:
            row = self._store.db.execute(
                "SELECT seq, due, task, subject FROM agenda WHERE sandbox = ? AND due <= ? ORDER BY due, seq LIMIT 1",
                (sandbox.number, until),
            ).fetchone()
            if row is None:
                return played
            seq, due, task, subject = row
            try:
                self._do(sandbox, seq, due, task, subject)
            except Exception:
                log.exception("%s of %s failed; it is tried again in %d seconds", task, subject, RETRY_SECONDS)
                self._sandboxes.reread_clock(sandbox)
                with self._store.transaction() as db:
                    db.execute("UPDATE agenda SET due = ? WHERE seq = ?", (until + RETRY_SECONDS, seq))
            played += 1

    def _do(self, sandbox: Sandbox, seq: int, due: int, task: str, subject: str) -> None:
        self._sandboxes.promise_ids(sandbox)
        with self._store.transaction() as db:
            # What is late happens now; what lies ahead happens at its own time.
            self._sandboxes.set_clock(db, sandbox, max(due, self._sandboxes.now(sandbox)))
            db.execute("DELETE FROM agenda WHERE seq = ?", (seq,))
            world = self._world(db, sandbox)
            self._tasks[task](world, subject)
        self._tell(world)
