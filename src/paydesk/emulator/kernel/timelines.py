"""Timelines: the times of test clocks, which stand still until they are told to advance.

A sandbox's time runs by itself. What lives on a test clock lives in a time of its own,
with its own part of the agenda and its own identifiers, so that what happens on one
clock depends neither on the time of day nor on what else the sandbox is doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.sandboxes import Counter

if TYPE_CHECKING:
    import sqlite3

    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

# What the resource does when a clock has reached its target, and when it cannot go on.
ARRIVED: Final = "timeline.arrived"
BROKE: Final = "timeline.broke"

UNDERWAY: Final = 429


class Underway(StripeError):
    """429: a clock is being advanced, and nobody else may change what lives on it meanwhile."""

    def __init__(self, clock: str) -> None:
        super().__init__(f"Test clock advancement underway - cannot perform modifications: {clock}", status=UNDERWAY)


@dataclass
class Timeline:
    """Where a test clock stands, and where it is going: None when it stands still.

    `counter` counts the identifiers minted in what happens by itself on it. A broken one stands still for good.
    """

    clock: str
    now: int
    target: int | None
    counter: Counter
    is_broken: bool = False

    @property
    def until(self) -> int:
        """Up to when things may happen on it."""
        return self.now if self.target is None else self.target

    def seed(self, sandbox: Sandbox) -> str:
        """What its identifiers are made of."""
        return f"{sandbox.seed}:{self.clock}"


def read(db: sqlite3.Connection, sandbox: Sandbox, clock: str) -> Timeline | None:
    """A clock's timeline; None when there is no such clock any more."""
    row = db.execute(
        "SELECT now, target, minted, is_broken FROM timelines WHERE sandbox = ? AND clock = ?", (sandbox.number, clock)
    ).fetchone()
    if row is None:
        return None
    now, target, minted, is_broken = row
    return Timeline(clock, now, target, Counter(minted, minted), bool(is_broken))


def keep(db: sqlite3.Connection, sandbox: Sandbox, timeline: Timeline) -> None:
    """Write down where a timeline has come to."""
    db.execute(
        "UPDATE timelines SET now = ?, target = ?, minted = ?, is_broken = ? WHERE sandbox = ? AND clock = ?",
        (
            timeline.now,
            timeline.target,
            timeline.counter.minted,
            timeline.is_broken,
            sandbox.number,
            timeline.clock,
        ),
    )


def begin(world: World, clock: str, now: int) -> None:
    """A new timeline, standing at this time."""
    world.db.execute("INSERT INTO timelines (sandbox, clock, now) VALUES (?, ?, ?)", (world.sandbox.number, clock, now))


def set_out(world: World, clock: str, target: int) -> None:
    """Let a timeline advance to this time, as soon as this transaction is over."""
    world.db.execute(
        "UPDATE timelines SET target = ? WHERE sandbox = ? AND clock = ?", (target, world.sandbox.number, clock)
    )
    world.wake()


def end(world: World, clock: str) -> None:
    """Forget a timeline, and everything that was still to happen on it."""
    place = (world.sandbox.number, clock)
    world.db.execute("DELETE FROM timelines WHERE sandbox = ? AND clock = ?", place)
    world.db.execute("DELETE FROM agenda WHERE sandbox = ? AND clock = ?", place)
