"""The agenda: everything that happens by itself, in the order in which it is due.

A pushed clock plays what it passes one by one, each at its own time, so that a year
takes seconds and always goes the same way. Test clocks have their own part of it, and
play it when they are advanced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, Protocol

from paydesk.emulator.kernel import timelines

if TYPE_CHECKING:
    import sqlite3

    from paydesk.emulator.kernel.clock import Now
    from paydesk.emulator.kernel.sandboxes import Sandbox, Sandboxes
    from paydesk.emulator.kernel.store import Store
    from paydesk.emulator.kernel.timelines import Timeline
    from paydesk.emulator.kernel.world import World

log = logging.getLogger("paydesk.local")

# A task that fails is a mistake of ours: it must neither stop the clock nor be forgotten.
RETRY_SECONDS = 60
# A task that met a test clock on its way waits for it.
WAIT_SECONDS = 1
# So many tasks share a commit, and then it is the turn of whoever asked meanwhile.
TASKS_AT_ONCE = 25

# What a resource does when its time has come: the world, and the subject it was scheduled with.
Task = Callable[["World", str], None]


class Opens(Protocol):
    """Opens a sandbox in a transaction: at a time of its own, or on a timeline."""

    def __call__(
        self,
        db: sqlite3.Connection,
        sandbox: Sandbox,
        *,
        wall: int | None = None,
        playing: Timeline | None = None,
    ) -> World: ...


class Step(Enum):
    """How far a test clock has come: more is to happen at the same moment, the moment is over, or there is no more."""

    MORE = auto()
    MOMENT = auto()
    DONE = auto()


class Planned(NamedTuple):
    """One entry."""

    seq: int
    due: int
    task: str
    subject: str


class Agenda:
    """What is due, in all sandboxes of one server."""

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        tasks: Mapping[str, Task],
        now: Now,
        *,
        world: Opens,
        tell: Callable[[World], None],
    ) -> None:
        """`world` opens a sandbox in a transaction, `tell` is called after each task."""
        self._store = store
        self._sandboxes = sandboxes
        self._tasks = tasks
        self._now = now
        self._world = world
        self._tell = tell
        # Called with the time, by the machine's clock, at which something newly planned is due.
        self.watchers: list[Callable[[int], None]] = []

    # Sandboxes' own time

    def seconds_until_due(self) -> float | None:
        """How long until something is due in a sandbox's own time; None when nothing is."""
        (due,) = self._store.db.execute(
            "SELECT min((SELECT min(due) FROM agenda WHERE sandbox = s.number AND clock IS NULL) - s.ahead) "
            "FROM sandboxes s"
        ).fetchone()
        return None if due is None else max(0.0, due - self._now())

    def next_due(self, sandbox: Sandbox) -> int | None:
        """When the next thing in a sandbox's own time is due; None when nothing is."""
        (due,) = self._store.db.execute(
            "SELECT min(due) FROM agenda WHERE sandbox = ? AND clock IS NULL", (sandbox.number,)
        ).fetchone()
        return None if due is None else int(due)

    def play_due(self) -> int:
        """Do a handful of what is due in each sandbox. Says how many things there were: none, when nothing is left."""
        numbers = self._store.db.execute(
            "SELECT s.number FROM sandboxes s WHERE EXISTS "
            "(SELECT 1 FROM agenda a WHERE a.sandbox = s.number AND a.clock IS NULL AND a.due <= ? + s.ahead)",
            (int(self._now()),),
        ).fetchall()
        sandboxes = [self._sandboxes.numbered(number) for (number,) in numbers]
        return sum(self.play(sandbox, self._sandboxes.now(sandbox)) for sandbox in sandboxes)

    def play(self, sandbox: Sandbox, until: int, *, holds: Callable[[int], bool] = lambda moment: False) -> int:
        """Do a handful of what is due in a sandbox up to a time, each at its own. Says how many things there were.

        `holds` tells whether time must not go on to a moment yet.
        """
        played = 0
        try:
            while played < TASKS_AT_ONCE:
                planned = self._first(sandbox, None, until)
                if planned is None or (played and planned.due > self._sandboxes.now(sandbox) and holds(planned.due)):
                    break
                self._do(sandbox, planned, until)
                played += 1
        finally:
            self._store.commit()
        return played

    def set_clock(self, sandbox: Sandbox, moment: int) -> None:
        """Make it this time in a sandbox, when everything due until then has been played."""
        with self._store.transaction() as db:
            self._sandboxes.set_clock(db, sandbox, moment)
        # What is still planned has come nearer.
        for watcher in self.watchers:
            watcher(int(self._now()))

    # Test clocks

    def behind(self) -> list[tuple[Sandbox, str]]:
        """The test clocks on which something is due, or that are on their way somewhere."""
        rows = self._store.db.execute(
            "SELECT t.sandbox, t.clock FROM timelines t WHERE t.is_broken = 0 AND (t.target IS NOT NULL OR EXISTS "
            "(SELECT 1 FROM agenda a WHERE a.sandbox = t.sandbox AND a.clock = t.clock AND a.due <= t.now))"
        ).fetchall()
        return [(self._sandboxes.numbered(number), clock) for number, clock in rows]

    def step(self, sandbox: Sandbox, clock: str) -> Step:
        """Do a handful of what is due on a test clock at its next moment; when there is nothing more, it arrives."""
        timeline = timelines.read(self._store.db, sandbox, clock)
        if timeline is None or timeline.is_broken:
            return Step.DONE
        moment: int | None = None
        try:
            for _ in range(TASKS_AT_ONCE):
                planned = self._first(sandbox, clock, timeline.until)
                if planned is None and moment is None:
                    self._arrive(sandbox, timeline)
                    return Step.DONE
                if planned is None or moment not in (None, max(planned.due, timeline.now)):
                    return Step.MOMENT
                moment = max(planned.due, timeline.now)
                if not self._do_on(sandbox, timeline, planned, moment):
                    return Step.DONE
        finally:
            self._store.commit()
        return Step.MORE

    # One thing

    def _first(self, sandbox: Sandbox, clock: str | None, until: int) -> Planned | None:
        row = self._store.db.execute(
            "SELECT seq, due, task, subject FROM agenda WHERE sandbox = ? AND clock IS ? AND due <= ? "
            "ORDER BY due, seq LIMIT 1",
            (sandbox.number, clock, until),
        ).fetchone()
        return None if row is None else Planned(*row)

    def _do(self, sandbox: Sandbox, planned: Planned, until: int) -> None:
        self._sandboxes.promise_ids(sandbox)
        try:
            with self._store.unit() as db:
                # What is late happens now; what lies ahead happens at its own time.
                moment = max(planned.due, self._sandboxes.now(sandbox))
                self._sandboxes.set_clock(db, sandbox, moment)
                world = self._world(db, sandbox, wall=moment)
                self._perform(world, planned)
        except timelines.Underway:
            self._postpone(sandbox, planned, until + WAIT_SECONDS)
        except Exception:
            log.exception(
                "%s of %s failed; it is tried again in %d seconds", planned.task, planned.subject, RETRY_SECONDS
            )
            self._postpone(sandbox, planned, until + RETRY_SECONDS)
        else:
            self._tell(world)

    def _postpone(self, sandbox: Sandbox, planned: Planned, due: int) -> None:
        self._sandboxes.reread_clock(sandbox)
        with self._store.unit() as db:
            db.execute("UPDATE agenda SET due = ? WHERE seq = ?", (due, planned.seq))

    def _do_on(self, sandbox: Sandbox, timeline: Timeline, planned: Planned, moment: int) -> bool:
        """Do a thing on a test clock; false when it failed, and with it the clock."""
        came_from, minted = timeline.now, timeline.counter.minted
        try:
            with self._store.unit() as db:
                timeline.now = moment
                world = self._world(db, sandbox, playing=timeline)
                self._perform(world, planned)
                timelines.keep(db, sandbox, timeline)
        except Exception:
            log.exception("%s of %s failed; %s stops for good", planned.task, planned.subject, timeline.clock)
            timeline.now, timeline.counter.minted = came_from, minted
            timeline.is_broken = True
            self._stand(sandbox, timeline, timelines.BROKE)
            return False
        self._tell(world)
        return True

    def _arrive(self, sandbox: Sandbox, timeline: Timeline) -> None:
        if timeline.target is not None:
            timeline.now = timeline.target
            self._stand(sandbox, timeline, timelines.ARRIVED)

    def _stand(self, sandbox: Sandbox, timeline: Timeline, task: str) -> None:
        timeline.target = None
        with self._store.unit() as db:
            world = self._world(db, sandbox, playing=timeline)
            self._tasks[task](world, timeline.clock)
            timelines.keep(db, sandbox, timeline)
        self._tell(world)

    def _perform(self, world: World, planned: Planned) -> None:
        world.db.execute("DELETE FROM agenda WHERE seq = ?", (planned.seq,))
        self._tasks[planned.task](world, planned.subject)
