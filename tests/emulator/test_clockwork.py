"""The clockwork: time goes on for everybody, costs no more when much is planned, and stops when it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from paydesk.emulator.clockwork import Clockwork
from paydesk.emulator.deliveries.outbox import Outbox
from paydesk.emulator.deliveries.sender import Sender
from paydesk.emulator.kernel.kernel import Kernel
from paydesk.emulator.kernel.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.kernel.world import World

T0 = 1_800_000_000
STEPS_AT_ONCE = 10


class Bells:
    """A resource of the tests' own: bells that ring."""

    def __init__(self) -> None:
        self.rang: list[str] = []
        self.KINDS = ()
        self.ROUTES = ()
        self.TASKS = {"ring": lambda world, subject: self.rang.append(subject)}


@pytest.fixture
def bells() -> Bells:
    return Bells()


@pytest.fixture
def kernel(bells: Bells) -> Iterator[Kernel]:
    kernel = Kernel(Store(None), [bells], now=lambda: T0)
    yield kernel
    kernel.store.close()


def test_a_full_agenda_costs_no_more_for_each_thing(kernel: Kernel, bells: Bells) -> None:
    """Ten thousand things are planned, and the next one is found as if there were ten, counted in SQLite's steps."""
    costs = []
    for number, count in enumerate((10, 10_000)):
        sandbox = kernel.sandboxes.open(f"bells {number}", livemode=False)

        def plan(world: World, count: int = count) -> None:
            for seconds in range(1, count + 1):
                world.schedule(world.now + seconds, "ring", f"bell {seconds}")

        kernel.within(sandbox, plan)
        steps = [0]

        def count_step(steps: list[int] = steps) -> int:
            steps[0] += STEPS_AT_ONCE
            return 0

        kernel.store.db.set_progress_handler(count_step, STEPS_AT_ONCE)
        kernel.agenda.play_due()
        assert kernel.agenda.play(sandbox, kernel.sandboxes.now(sandbox) + 10) == 10
        kernel.store.db.set_progress_handler(None, 0)
        costs.append(steps[0])

    assert bells.rang == [f"bell {seconds}" for seconds in range(1, 11)] * 2
    assert costs[1] < costs[0] * 2


def test_a_pushed_clock_rings_every_bell(kernel: Kernel, bells: Bells) -> None:
    """And a server that is told to stop at that very moment stops."""
    sandbox = kernel.sandboxes.open("bells", livemode=False)

    def plan(world: World) -> None:
        for at in range(100, 1, -1):
            world.schedule(T0 + at, "ring", str(at))

    kernel.within(sandbox, plan)

    async def live() -> int:
        sender = Sender(kernel, Outbox())
        clockwork = Clockwork(kernel, sender)
        running = [asyncio.create_task(part) for part in (clockwork.run(), sender.run())]
        await asyncio.sleep(0)
        played = await clockwork.push(sandbox, 60)
        for task in running:
            task.cancel()
        async with asyncio.timeout(20):
            await asyncio.gather(*running, return_exceptions=True)
        return played

    assert asyncio.run(live()) == 59
    assert bells.rang == [str(at) for at in range(2, 61)]
