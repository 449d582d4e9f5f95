"""Lookouts: of the threads that an event wakes, one looks for work. The others would only find the same.

Between two looks there is a moment. What arrives in it comes together, and many events at once cost little more than
one; after a quiet time the first look is at once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Work = TypeVar("Work")

# Nobody who waits for a webhook's effect notices, and under load it is dozens of events.
MOMENT_SECONDS = 0.025


class Lookout(Generic[Work]):
    """One lookout for all threads of a process that do the same kind of work."""

    def __init__(
        self,
        look: Callable[[], Work | None],
        *,
        is_eager: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` answers None if there is nothing to do. One that is eager looks again at once after finding."""
        self._look = look
        self._is_eager = is_eager
        self._sleep = sleep
        self._now_seconds = now_seconds
        self._rests_until = now_seconds()
        self._looking = threading.Lock()

    def find(self) -> Work | None:
        """What there is to do; None also for whoever comes while another thread is looking.

        Whoever found something rings for the others: more may have come while they were sent away.
        """
        if not self._looking.acquire(blocking=False):
            return None
        try:
            if (rest := self._rests_until - self._now_seconds()) > 0:
                self._sleep(rest)
            found = self._look()
            if found is None or not self._is_eager:
                self._rests_until = self._now_seconds() + MOMENT_SECONDS
            return found
        finally:
            self._looking.release()
