"""The agenda: what happens by itself, in the order in which it is due."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kernel import Kernel
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

T0 = 1_800_000_000


class Alarms:
    """A resource of the tests' own: alarms that note when they rang, and one that cannot ring before it is mended."""

    def __init__(self) -> None:
        self.rang: list[tuple[str, int]] = []
        self.is_broken = True
        self.KINDS = (Kind("alarm", "al_"),)
        self.ROUTES = ()
        self.TASKS = {"ring": self._ring, "break": self._break}

    def _ring(self, world: World, subject: str) -> None:
        self.rang.append((subject, world.now - T0))

    def _break(self, world: World, subject: str) -> None:
        world.add(Document({"id": subject, "object": "alarm"}))
        if self.is_broken:
            raise RuntimeError("this alarm is broken")
        self._ring(world, subject)


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def kernel(alarms: Alarms) -> Iterator[Kernel]:
    kernel = Kernel(Store(None), [alarms], now=lambda: T0)
    yield kernel
    kernel.store.close()


def test_a_pushed_clock_plays_each_thing_at_its_own_time(kernel: Kernel, alarms: Alarms) -> None:
    """A year in a second, in order; things due at one moment happen in the order they were planned."""
    sandbox = kernel.sandboxes.open("clock", livemode=False)
    for subject, seconds in (("c", 30), ("a", 10), ("b", 10), ("never", 100)):
        _plan(kernel, sandbox, subject, seconds)

    played = _push(kernel, sandbox, 60)

    assert played == 3
    assert alarms.rang == [("a", 10), ("b", 10), ("c", 30)]
    assert kernel.sandboxes.now(sandbox) == T0 + 60


def test_a_task_that_fails_stops_nothing_and_is_tried_again(kernel: Kernel, alarms: Alarms) -> None:
    """What it wrote is undone, what comes after it happens, and it is not forgotten."""
    sandbox = kernel.sandboxes.open("broken", livemode=False)
    kernel.within(sandbox, lambda world: world.schedule(world.now + 10, "break", "al_1"))
    kernel.within(sandbox, lambda world: world.schedule(world.now + 20, "ring", "b"))

    _push(kernel, sandbox, 30)
    assert alarms.rang == [("b", 20)]
    assert kernel.within(sandbox, lambda world: world.find("alarm", "al_1")) is None

    alarms.is_broken = False
    _push(kernel, sandbox, 60)
    assert alarms.rang == [("b", 20), ("al_1", 90)]


def test_what_an_earlier_version_planned_still_happens(alarms: Alarms, tmp_path: Path) -> None:
    """A folder is opened by whatever version comes later; test clocks are newer than the agenda."""
    with contextlib.closing(sqlite3.connect(tmp_path / "local-stripe.db")) as db, db:
        db.execute(
            "CREATE TABLE agenda (seq INTEGER PRIMARY KEY, sandbox INTEGER NOT NULL, due INTEGER NOT NULL, "
            "task TEXT NOT NULL, subject TEXT NOT NULL)"
        )
        db.execute("CREATE INDEX agenda_by_due ON agenda (sandbox, due, seq)")
        db.execute("INSERT INTO agenda (sandbox, due, task, subject) VALUES (1, ?, 'ring', 'old')", (T0 + 5,))

    kernel = Kernel(Store(tmp_path), [alarms], now=lambda: T0)
    sandbox = kernel.sandboxes.open("first", livemode=False)
    _plan(kernel, sandbox, "new", 10)
    _push(kernel, sandbox, 60)
    kernel.store.close()

    assert alarms.rang == [("old", 5), ("new", 10)]


def _plan(kernel: Kernel, sandbox: Sandbox, subject: str, seconds: int) -> None:
    kernel.within(sandbox, lambda world: world.schedule(world.now + seconds, "ring", subject))


def _push(kernel: Kernel, sandbox: Sandbox, seconds: int) -> int:
    target = kernel.sandboxes.now(sandbox) + seconds
    played = kernel.agenda.play(sandbox, target)
    kernel.agenda.set_clock(sandbox, target)
    return played
