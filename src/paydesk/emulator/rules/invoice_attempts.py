"""When an invoice is collected: the first time, and again after a failure."""

from __future__ import annotations

from typing import Final

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

# A draft rests for an hour, in which it can still be changed, before it is finalised and collected by itself.
RESTS_SECONDS: Final = _HOUR
FINALIZES_AFTER_SECONDS: Final = RESTS_SECONDS + 1

# Stripe chooses the times of its eight tries within two weeks itself; the first was seen after 32 hours.
RETRIES_AFTER_SECONDS: Final = (32 * _HOUR, 3 * _DAY, 5 * _DAY, 7 * _DAY, 9 * _DAY, 11 * _DAY, 13 * _DAY)


def counts(attempts: int, *, is_automatic: bool) -> bool:
    """Whether another attempt adds to `attempt_count`: any first one does, then only those made by the schedule."""
    return is_automatic or attempts == 0


def next_attempt(finalized_at: int, attempts: int, now: int) -> int | None:
    """When an invoice is tried again after this many attempts; None when it is given up."""
    if attempts > len(RETRIES_AFTER_SECONDS):
        return None
    return max(finalized_at + RETRIES_AFTER_SECONDS[max(attempts, 1) - 1], now + _HOUR)
