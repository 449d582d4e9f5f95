"""Timelines: what lives on a test clock happens in that clock's time, and in nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk.emulator.kernel import timelines
from paydesk.emulator.kernel.agenda import TASKS_AT_ONCE, Step
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kernel import Kernel, Options
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

T0 = 1_800_000_000
# Where the tests' clock stands.
C0 = 1_900_000_000


class Plants:
    """A resource of the tests' own: plants that live on a clock, are watered, and note it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int, int]] = []
        self.KINDS = (Kind("plant", "pl_", filters=("bed",)), Kind("event", "evt_"))
        self.ROUTES = ()
        self.TASKS = {
            "water": self._water,
            "wilt": self._wilt,
            timelines.ARRIVED: self._noting("arrived"),
            timelines.BROKE: self._noting("broke"),
        }

    def _water(self, world: World, subject: str) -> None:
        plant = world.get("plant", subject)
        plant["watered"] = [*plant["watered"], world.mint("drop_")]
        world.save(plant, "plant.watered")
        self._noting("water")(world, subject)

    def _wilt(self, world: World, subject: str) -> None:
        plant = world.get("plant", subject)
        plant["watered"] = []
        world.save(plant)
        raise RuntimeError("this plant wilted")

    def _noting(self, what: str) -> Callable[[World, str], None]:
        def note(world: World, subject: str) -> None:
            self.seen.append((what, subject, world.now - C0, world.wall - T0))

        return note


@pytest.fixture
def plants() -> Plants:
    return Plants()


@pytest.fixture
def kernel(plants: Plants) -> Iterator[Kernel]:
    kernel = Kernel(Store(None), [plants], Options(seed="garden"), now=lambda: T0)
    yield kernel
    kernel.store.close()


@pytest.fixture
def garden(kernel: Kernel) -> Sandbox:
    """A sandbox with a clock, a plant on it, and one in the open."""
    garden = kernel.sandboxes.open("garden", livemode=False)

    def plant(world: World) -> None:
        timelines.begin(world, "clock_1", C0)
        _plant(world)
        world.add(Document({"id": "pl_out", "object": "plant", "bed": "a", "watered": [], "test_clock": None}))

    kernel.within(garden, plant)
    return garden


@pytest.mark.parametrize(
    "read",
    [
        lambda world: world.find("plant", "pl_in"),
        lambda world: world.get("plant", "pl_in"),
        lambda world: list(world.having("plant", "bed", "a")),
        lambda world: world.enter("clock_1"),
    ],
    ids=["find", "get", "having", "enter"],
)
def test_whoever_reads_what_lives_on_a_clock_is_in_its_time(
    kernel: Kernel, garden: Sandbox, read: Callable[[World], Any]
) -> None:
    """Nobody has to ask for it; what is not on a clock moves nobody, and the wall shows what it showed."""

    def look(world: World) -> list[int | str | None]:
        world.find("plant", "pl_out")
        before = world.now
        read(world)
        return [before, world.now, world.wall, world.clock]

    assert kernel.within(garden, look) == [T0, C0, T0, "clock_1"]


def test_a_clock_plays_what_was_planned_on_it_and_nobody_else_does(
    kernel: Kernel, garden: Sandbox, plants: Plants
) -> None:
    """In order, each thing at its own time; the sandbox's clock may be pushed past it without effect."""
    for seconds in (30, 10, 20, 90):
        _plan(kernel, garden, "pl_in", seconds)
    _push(kernel, garden, 1000)
    assert plants.seen == []

    _set_out(kernel, garden, 60)
    _play(kernel, garden)

    assert plants.seen == [
        ("water", "pl_in", 10, 1000),
        ("water", "pl_in", 20, 1000),
        ("water", "pl_in", 30, 1000),
        ("arrived", "clock_1", 60, 1000),
    ]
    assert kernel.agenda.behind() == []


def test_what_is_due_at_once_happens_on_a_clock_that_stands_still(
    kernel: Kernel, garden: Sandbox, plants: Plants
) -> None:
    """No advance is needed for what has no time to wait for."""
    _plan(kernel, garden, "pl_in", 0)
    assert kernel.agenda.behind() == [(garden, "clock_1")]

    _play(kernel, garden)

    assert plants.seen == [("water", "pl_in", 0, 0)]
    assert kernel.agenda.behind() == []


def test_what_goes_by_the_wall_is_planned_by_the_wall(kernel: Kernel, garden: Sandbox, plants: Plants) -> None:
    """A bank does not know of test clocks. What it brings about on one happens at the clock's time."""

    def plan(world: World) -> None:
        world.get("plant", "pl_in")
        world.schedule(world.wall + 5, "water", "pl_in", by_wall=True)

    kernel.within(garden, plan)
    _push(kernel, garden, 10)

    assert plants.seen == [("water", "pl_in", 0, 5)]


def test_nobody_changes_what_lives_on_a_clock_that_is_on_its_way(
    kernel: Kernel, garden: Sandbox, plants: Plants
) -> None:
    """Reading is free; a write is refused whole; what goes by the wall waits until the clock has arrived."""
    kernel.within(garden, lambda world: world.schedule(world.wall, "water", "pl_in"))
    _set_out(kernel, garden, 60)

    def write(world: World) -> None:
        world.add(Document({"id": "pl_new", "object": "plant", "bed": "b", "watered": []}))
        world.save(world.get("plant", "pl_in"))

    with pytest.raises(timelines.Underway):
        kernel.within(garden, write)
    assert kernel.within(garden, lambda world: world.find("plant", "pl_new")) is None
    assert kernel.within(garden, lambda world: world.get("plant", "pl_in")["watered"]) == []
    kernel.agenda.play_due()
    assert plants.seen == []

    _play(kernel, garden)
    _push(kernel, garden, 10)
    assert [what for what, *_ in plants.seen] == ["arrived", "water"]


def test_a_mistake_of_ours_stops_a_clock_for_good(kernel: Kernel, garden: Sandbox, plants: Plants) -> None:
    """It stands where it had come to; what went wrong is undone, and nothing after it happens."""
    _plan(kernel, garden, "pl_in", 10)
    kernel.within(garden, lambda world: _schedule(world, "wilt", "pl_in", 20))
    _plan(kernel, garden, "pl_in", 30)
    _set_out(kernel, garden, 60)

    _play(kernel, garden)

    assert [entry[:3] for entry in plants.seen] == [("water", "pl_in", 10), ("broke", "clock_1", 10)]
    assert len(kernel.within(garden, lambda world: world.get("plant", "pl_in")["watered"])) == 1
    assert kernel.agenda.behind() == []


def test_what_happens_on_a_clock_mints_the_same_whatever_else_goes_on(plants: Plants) -> None:
    """An advance runs in the background: what others do meanwhile changes no identifier of it."""
    drops = []
    for others in (0, 7):
        kernel = Kernel(Store(None), [plants], Options(seed="garden"), now=lambda: T0)
        garden = kernel.sandboxes.open("garden", livemode=False)
        kernel.within(garden, lambda world: timelines.begin(world, "clock_1", C0))
        kernel.within(garden, _plant)
        for seconds in (10, 20):
            _plan(kernel, garden, "pl_in", seconds)
        _set_out(kernel, garden, 60)
        while kernel.agenda.step(garden, "clock_1") is not Step.DONE:
            for _ in range(others):
                kernel.within(garden, lambda world: world.mint("x_"))
        drops.append(kernel.within(garden, lambda world: world.get("plant", "pl_in")["watered"]))
        kernel.store.close()

    assert drops[0] == drops[1]
    assert len(set(drops[0])) == 2


def test_the_moments_of_a_clock_are_told_apart(kernel: Kernel, garden: Sandbox) -> None:
    """So that what is told of one can be delivered before the next; many things at once are done by the handful."""
    for seconds in (10, *[20] * (TASKS_AT_ONCE + 1)):
        _plan(kernel, garden, "pl_in", seconds)
    _set_out(kernel, garden, 60)

    assert _play(kernel, garden) == [Step.MOMENT, Step.MORE, Step.MOMENT, Step.DONE]


def _plant(world: World) -> None:
    world.add(Document({"id": "pl_in", "object": "plant", "bed": "a", "watered": [], "test_clock": "clock_1"}))


def _schedule(world: World, task: str, subject: str, seconds: int) -> None:
    world.get("plant", subject)
    world.schedule(world.now + seconds, task, subject)


def _plan(kernel: Kernel, sandbox: Sandbox, subject: str, seconds: int) -> None:
    kernel.within(sandbox, lambda world: _schedule(world, "water", subject, seconds))


def _set_out(kernel: Kernel, sandbox: Sandbox, seconds: int) -> None:
    kernel.within(sandbox, lambda world: timelines.set_out(world, "clock_1", C0 + seconds))


def _play(kernel: Kernel, sandbox: Sandbox) -> list[Step]:
    steps = [kernel.agenda.step(sandbox, "clock_1")]
    while steps[-1] is not Step.DONE:
        steps.append(kernel.agenda.step(sandbox, "clock_1"))
    return steps


def _push(kernel: Kernel, sandbox: Sandbox, seconds: int) -> None:
    target = kernel.sandboxes.now(sandbox) + seconds
    while kernel.agenda.play(sandbox, target):
        pass
    kernel.agenda.set_clock(sandbox, target)
