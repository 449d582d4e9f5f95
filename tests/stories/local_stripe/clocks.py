"""The two ways in which months go by: a test clock of Stripe's, and the sandbox's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import stripe

from tests.emulator.clocks import advance, clock_at
from tests.emulator.controls import Controls


def moment(text: str) -> int:
    """Seconds since 1970 of `2030-04-01 12:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Clock(Protocol):
    """Time that is told where to go."""

    customer: dict[str, str]
    """What makes a new customer live in this time."""

    def go(self, to: str) -> None:
        """Come back when everything that was due by then has happened, and was delivered."""


class OfTheTest:
    """A test clock: it stands still."""

    def __init__(self, client: stripe.StripeClient, controls: Controls, start: str) -> None:
        self._client = client
        self._clock = clock_at(client, moment(start))
        self.customer = {"test_clock": self._clock.id}

    def go(self, to: str) -> None:
        advance(self._client, self._clock, moment(to))


class OfTheSandbox:
    """The sandbox's own: it goes on, and is pushed."""

    def __init__(self, client: stripe.StripeClient, controls: Controls, start: str) -> None:
        self._controls = controls
        self.customer: dict[str, str] = {}
        self.go(start)

    def go(self, to: str) -> None:
        self._controls.post("/clock/advance", to=moment(to))
