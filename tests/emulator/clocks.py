"""What tests on a test clock do again and again."""

from __future__ import annotations

import stripe
from stripe.test_helpers import TestClock

# 31 January 2030, noon: the day from which months are hardest to count.
START = 1_896_091_200
HOUR = 3600
DAY = 24 * HOUR


def clock_at(client: stripe.StripeClient, frozen_time: int = START, **more: str) -> TestClock:
    """A new clock that stands at this time."""
    return client.v1.test_helpers.test_clocks.create({"frozen_time": frozen_time, **more})  # type: ignore[typeddict-item]


def advance(client: stripe.StripeClient, clock: TestClock, to: int) -> TestClock:
    """Advance a clock, and come back when it has arrived."""
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to})
    return arrived(client, clock)


def arrived(client: stripe.StripeClient, clock: TestClock) -> TestClock:
    """The clock, as soon as it stands still."""
    seen = client.v1.test_helpers.test_clocks.retrieve(clock.id)
    while seen.status == "advancing":
        seen = client.v1.test_helpers.test_clocks.retrieve(clock.id)
    return seen
