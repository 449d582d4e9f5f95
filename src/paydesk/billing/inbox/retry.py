"""Retrying: when to try again, and when to stop and call a person."""

from __future__ import annotations

from datetime import datetime, timedelta

# Twenty tries at these distances span half a day: long enough for an outage, short enough to be noticed.
ATTEMPTS_MAX = 20
PAUSE_FIRST = timedelta(seconds=10)
PAUSE_MAX = timedelta(hours=1)

PARKED_PAUSE_FIRST = timedelta(seconds=1)
# Stripe itself forgets an event after this long; then nobody can say any more what it was about.
PARKED_MAX = timedelta(days=30)

LANE_PAUSE_FIRST = timedelta(seconds=2)
LANE_PAUSE_MAX = timedelta(minutes=5)


def after_failure(attempts: int, now: datetime) -> datetime | None:
    """When to try again what has now failed `attempts` times; None once it is dead."""
    if attempts >= ATTEMPTS_MAX:
        return None
    return now + _growing(PAUSE_FIRST, attempts, PAUSE_MAX)


def after_parking(attempts: int, received_at: datetime, now: datetime) -> datetime | None:
    """When to look again whether what a parked event waits for has come; None once nobody expects it any more."""
    if now - received_at >= PARKED_MAX:
        return None
    return now + _growing(PARKED_PAUSE_FIRST, attempts, PAUSE_MAX)


def after_outage(failures: int, now: datetime) -> datetime:
    """When to ask Stripe again for a lane that it has now left unanswered `failures` times. There is no last time."""
    return now + _growing(LANE_PAUSE_FIRST, failures, LANE_PAUSE_MAX)


def _growing(first: timedelta, times: int, longest: timedelta) -> timedelta:
    return min(first * 2 ** min(times - 1, 30), longest) if times > 0 else first
