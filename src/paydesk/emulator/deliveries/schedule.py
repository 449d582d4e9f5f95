"""When a delivery that failed is tried again: soon, then ever later, then no more.

Stripe publishes the spans (three days in live mode, three retries over a few hours
in test mode) and not the delays; these are ours.
"""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE

TEST_DELAYS_SECONDS = (MINUTE, HOUR, 3 * HOUR)
LIVE_DELAYS_SECONDS = (
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    10 * HOUR,
    12 * HOUR,
    12 * HOUR,
    12 * HOUR,
    8 * HOUR,
)


def delay_after(attempts: int, *, livemode: bool) -> int | None:
    """Seconds to wait after so many failed attempts; None: it was the last."""
    delays = LIVE_DELAYS_SECONDS if livemode else TEST_DELAYS_SECONDS
    return delays[attempts - 1] if attempts <= len(delays) else None
