"""The clockwork: what is due happens when it is due, a handful at a time, while requests are answered in between.

Time that is pushed forward stops wherever something is due: it happens, and what it
tells of is delivered, before time goes on.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from paydesk.emulator.kernel.agenda import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.deliveries.sender import Sender
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.sandboxes import Sandbox

log = logging.getLogger("paydesk.local")

# How long it may sleep: a machine that was suspended must not miss what fell due.
LONGEST_SLEEP_SECONDS = 30.0
# A store that failed, because the disk is full for one, is asked again.
STORE_RETRY_SECONDS = 1.0
# A receiver that answers nothing for so long is no longer waited for by a test clock on its way.
PATIENCE_SECONDS = 2.0


class Clockwork:
    """Plays the agenda of one server, on its event loop."""

    def __init__(self, kernel: Kernel, sender: Sender) -> None:
        self._kernel = kernel
        self._sender = sender
        self._pushing: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._advancing: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._targets: dict[int, int] = {}

    async def run(self) -> None:
        """Do what is due when it is due, for ever; an advance that a crash broke off goes on."""
        is_sooner = asyncio.Event()
        wakes_at = 0.0

        def planned(due: int) -> None:
            if due < wakes_at:
                is_sooner.set()

        agenda, sandboxes = self._kernel.agenda, self._kernel.sandboxes
        agenda.watchers.append(planned)
        try:
            while True:
                is_sooner.clear()
                wait = STORE_RETRY_SECONDS
                with _store_may_fail():
                    while agenda.play_due():
                        await asyncio.sleep(0)
                    self._start_what_is_behind()
                    due_in = agenda.seconds_until_due()
                    wait = LONGEST_SLEEP_SECONDS if due_in is None else min(due_in, LONGEST_SLEEP_SECONDS)
                wakes_at = sandboxes.unpushed_now() + wait
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await is_sooner.wait()
        finally:
            playing = list(self._advancing.values())
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)

    async def push(self, sandbox: Sandbox, seconds: int) -> int:
        """Push a sandbox's clock forward. Says how many things happened meanwhile, deliveries not counted."""
        async with self._pushing[sandbox.number]:
            target = self._kernel.sandboxes.now(sandbox) + seconds
            self._targets[sandbox.number] = target
            try:
                return await self._push_to(sandbox, target)
            finally:
                del self._targets[sandbox.number]

    def target(self, sandbox: Sandbox) -> int | None:
        """Where a sandbox's clock is being pushed to; None when nobody pushes it."""
        return self._targets.get(sandbox.number)

    async def _push_to(self, sandbox: Sandbox, target: int) -> int:
        agenda, sandboxes, sender = self._kernel.agenda, self._kernel.sandboxes, self._sender
        played = 0
        while True:
            await sender.settle(sandbox)
            next_delivery = sender.next_due(sandbox)
            # What is late is due now; time never goes back for it.
            stop = max(target if next_delivery is None else min(next_delivery, target), sandboxes.now(sandbox))
            now_played = agenda.play(sandbox, stop, holds=lambda moment: sender.is_busy(sandbox, moment))
            if now_played:
                played += now_played
                await asyncio.sleep(0)
                continue
            agenda.set_clock(sandbox, stop)
            if stop >= target:
                await sender.settle(sandbox)
                return played

    def _start_what_is_behind(self) -> None:
        for sandbox, clock in self._kernel.agenda.behind():
            key = (sandbox.number, clock)
            if key not in self._advancing:
                self._advancing[key] = asyncio.create_task(self._play(sandbox, clock))

    async def _play(self, sandbox: Sandbox, clock: str) -> None:
        """Play a test clock until nothing is due on it any more."""
        is_patient = True
        try:
            with _store_may_fail():
                while (step := self._kernel.agenda.step(sandbox, clock)) is not Step.DONE:
                    if step is Step.MOMENT and is_patient:
                        is_patient = await self._sender.settle(sandbox, PATIENCE_SECONDS)
                    await asyncio.sleep(0)
        finally:
            # At once: what is planned from now on must find nobody at work.
            del self._advancing[(sandbox.number, clock)]


@contextmanager
def _store_may_fail() -> Iterator[None]:
    """A store that fails stops neither the time nor the server."""
    try:
        yield
    except sqlite3.Error:
        log.exception("The store failed under what is due; it is tried again")
