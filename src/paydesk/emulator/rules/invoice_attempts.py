"""When an invoice is collected for the first time, and which attempts count. What follows a failure is dunning."""

from __future__ import annotations

from typing import Final

# A draft rests for an hour, in which it can still be changed, before it is finalised and collected by itself.
RESTS_SECONDS: Final = 3600
FINALIZES_AFTER_SECONDS: Final = RESTS_SECONDS + 1


def counts(attempts: int, *, is_automatic: bool) -> bool:
    """Whether another attempt adds to `attempt_count`: any first one does, then only those made by the schedule."""
    return is_automatic or attempts == 0
