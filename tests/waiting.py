"""Waiting for what another process does: as short as possible, and never for ever."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# What is waited for takes milliseconds; a machine that is busy with other things gets this long.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.02

_nothing = threading.Event()


def until(seen: Callable[[], T], what: str, *, patience_seconds: float = PATIENCE_SECONDS) -> T:
    """What is seen, as soon as it is something; a failed test that says `what` was waited for, if it never is."""
    deadline = time.monotonic() + patience_seconds
    while not (found := seen()):
        assert time.monotonic() < deadline, f"waited {patience_seconds:.0f} seconds for {what}"
        _nothing.wait(PAUSE_SECONDS)
    return found
