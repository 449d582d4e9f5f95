"""The reading list: lanes for which Stripe must be asked, once no more events come for them.

A checkout makes half a dozen events within a moment. Who reads at the first of them must read again for those that come
while Stripe answers; who waits until they have come reads once. Nothing is leased meanwhile: somebody who cannot wait,
such as the thanks page, takes the lane as if nobody had thought of it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# So long nothing has come for a lane when it is read for. Of a webhook's effect nobody notices.
QUIET_SECONDS = 0.1

# It is read for by then, also where events never cease.
PATIENCE_SECONDS = 1.0

# What is not on the list is found again when there is room.
LISTED_MAX = 1000


@dataclass(frozen=True)
class Listed:
    """A lane to read for. `newest` is the last event seen in it; one that is in trouble is worked on by itself."""

    lane: str
    newest: int
    since_seconds: float
    ripe_at_seconds: float
    is_in_trouble: bool = False


class ReadingList:
    """One list for all threads of a process. The lanes on it, and those just taken from it, are left alone."""

    def __init__(
        self, *, sleep: Callable[[float], None] = time.sleep, now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._now_seconds = now_seconds
        self._listed: dict[str, Listed] = {}
        self._taken: dict[str, Listed] = {}
        self._lock = threading.Lock()

    @property
    def lanes(self) -> list[str]:
        """The lanes that are on the list, or being worked on by who took them from it."""
        with self._lock:
            return [*self._listed, *self._taken]

    def add(self, lane: str, newest: int, *, is_in_trouble: bool = False) -> None:
        """Have the lane read for, soon. One that is in trouble need not become quiet."""
        now = self._now_seconds()
        with self._lock:
            before = self._taken.pop(lane, None) or self._listed.get(lane)
            if before is None and len(self._listed) >= LISTED_MAX:
                return
            since = before.since_seconds if before is not None else now
            ripe_at = now if is_in_trouble else min(now + QUIET_SECONDS, since + PATIENCE_SECONDS)
            self._listed[lane] = Listed(lane, newest, since, ripe_at, is_in_trouble)

    def take(self, number: int) -> list[Listed]:
        """So many lanes that are ripe, the first ones first; while there are only others, wait for them.

        What is taken is left alone until it is `done`, or added again.
        """
        while True:
            with self._lock:
                waiting = sorted(self._listed.values(), key=lambda each: each.ripe_at_seconds)
                now = self._now_seconds()
                ripe = [each for each in waiting[:number] if each.ripe_at_seconds <= now]
                for each in ripe:
                    self._taken[each.lane] = self._listed.pop(each.lane)
            if ripe or not waiting:
                return ripe
            self._sleep(waiting[0].ripe_at_seconds - now)

    def done(self, lanes: Iterable[Listed]) -> None:
        """These were worked on, or somebody else does: what comes for them from now on is found anew."""
        with self._lock:
            for each in lanes:
                if self._taken.get(each.lane) is each:
                    del self._taken[each.lane]

    def is_ripe(self, listed: Listed, newest: int) -> bool:
        """Whether it is to be read for now: nothing came while it was on the list, or it has been there for long."""
        return newest == listed.newest or self._now_seconds() >= listed.since_seconds + PATIENCE_SECONDS
