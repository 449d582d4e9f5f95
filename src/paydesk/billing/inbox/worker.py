"""The worker: threads that apply events and run handlers as they become due.

A thread that finds nothing sleeps until somebody rings: this process received something, another one did (PostgreSQL
tells), or a second has passed, since something that was put off may be due by now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from paydesk.billing.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# It is told whether the worker is to stop.
Patrol = Callable[[Callable[[], bool]], object]

POLL_SECONDS = 1.0
AFTER_ERROR_SECONDS = 2.0
RENEW_SECONDS = 10.0
CHORE_SECONDS = 60.0


class Bell:
    """Wakes every thread that waits, and also one that was just about to wait."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._times = 0

    @property
    def times(self) -> int:
        """How often it has rung. Look at this first, then for work, then wait for the next ring."""
        return self._times

    def ring(self) -> None:
        with self._rung:
            self._times += 1
            self._rung.notify_all()

    def wait(self, times: int, timeout_seconds: float) -> None:
        """Sleep until it has rung more than `times` times."""
        with self._rung:
            self._rung.wait_for(lambda: self._times > times, timeout_seconds)


class Worker:
    """The threads of one process. `start` and `stop` may each be called once."""

    def __init__(
        self,
        store: Store,
        bell: Bell,
        *,
        jobs: Sequence[Callable[[], bool]],
        renew: Callable[[], None],
        chores: Sequence[Callable[[], object]],
        patrols: Sequence[Patrol] = (),
    ) -> None:
        """`jobs` each do one thing that is due, and answer whether there was one; each has a thread of its own.

        `chores` are called at the start and every minute, `renew` every few seconds. `patrols` are like chores, but may
        take long: each has a thread of its own.
        """
        self._store = store
        self._bell = bell
        self._jobs = jobs
        self._renew = renew
        self._chores = chores
        self._patrols = patrols
        self._is_stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number, job in enumerate(self._jobs, start=1):
            self._thread(f"paydesk-worker-{number}", self._repeat, job)
        self._thread("paydesk-renew", self._every, RENEW_SECONDS, [self._renew])
        if self._chores:
            self._thread("paydesk-chores", self._every, CHORE_SECONDS, self._chores)
        for number, patrol in enumerate(self._patrols, start=1):
            round_off = partial(patrol, self._is_stopping.is_set)
            self._thread(f"paydesk-patrol-{number}", self._every, CHORE_SECONDS, [round_off])
        if self._store.is_postgresql:
            self._thread("paydesk-listen", self._listen)

    def stop(self) -> None:
        """Let each thread finish what it is doing, and wait for that."""
        self._is_stopping.set()
        self._bell.ring()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _thread(self, name: str, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, job: Callable[[], bool]) -> None:
        while not self._is_stopping.is_set():
            rung = self._bell.times
            try:
                has_worked = job()
            except Exception:
                logger.exception("The worker stumbled and goes on in %s s", AFTER_ERROR_SECONDS)
                self._is_stopping.wait(AFTER_ERROR_SECONDS)
                continue
            if has_worked:
                self._bell.ring()  # events make effects: somebody else's thread may have something to do now
            else:
                self._bell.wait(rung, POLL_SECONDS)

    def _every(self, seconds: float, chores: Sequence[Callable[[], object]]) -> None:
        while not self._is_stopping.is_set():
            for chore in chores:
                try:
                    chore()
                except Exception:
                    logger.exception("A chore failed and is tried again in %s s", seconds)
            self._is_stopping.wait(seconds)

    def _listen(self) -> None:
        """Ring when another process has committed something for us."""
        import psycopg

        from paydesk.billing.store.listen import listening

        while not self._is_stopping.is_set():
            try:
                with listening(self._store) as heard:
                    while not self._is_stopping.is_set():
                        if heard(POLL_SECONDS):
                            self._bell.ring()
            except psycopg.OperationalError as error:
                logger.warning("No longer told of new events by PostgreSQL, polling meanwhile: %s", error)
                self._is_stopping.wait(AFTER_ERROR_SECONDS)


def wait_until(done: Callable[[], bool], timeout_seconds: float) -> bool:
    """Ask again and again, briefly apart, until it is done or the time is up; answers whether it is done."""
    deadline = time.monotonic() + timeout_seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
