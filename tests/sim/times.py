"""Time and secrets of a universe, in place of the machine's, wherever the library asks for them by itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from paydesk.billing.inbox import worker

if TYPE_CHECKING:
    from tests.sim.universe import Universe


class _Clock:
    """What of the `time` module somebody who waits needs."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe

    def monotonic(self) -> float:
        return self._universe.now

    def sleep(self, seconds: float) -> None:
        # Whoever polls is not to poll a thousand times.
        self._universe.sleep(max(seconds, 0.5))


@contextmanager
def of(universe: Universe) -> Iterator[None]:
    """While a universe runs, what is random is its own, and who waits waits in its time."""
    random = Random(universe.seed)

    def token_hex(size: int = 16) -> str:
        return random.randbytes(size).hex()

    def token_urlsafe(size: int = 16) -> str:
        return random.randbytes(size).hex()

    replaced: dict[str, Any] = {"token_hex": token_hex, "token_urlsafe": token_urlsafe}
    with patch.multiple(secrets, **replaced), patch.object(worker, "time", _Clock(universe)):
        yield
