"""Chance: what the seed decides, and how much of each evil there is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Rates:
    """How likely each fault is, each time it could strike."""

    # On the way from Stripe to the app.
    delivery_twice: float = 0.0
    delivery_lost: float = 0.0
    delivery_swallowed: float = 0.0
    delivery_bent: float = 0.0
    # On the way from the app to Stripe, and back.
    api_silent: float = 0.0
    api_error: float = 0.0
    api_busy: float = 0.0
    answer_lost: float = 0.0
    answer_late: float = 0.0
    # The database.
    database_error: float = 0.0
    statement_error: float = 0.0
    commit_lost: float = 0.0
    # The app and its machines.
    handler_error: float = 0.0
    crash: float = 0.0
    power: float = 0.0
    clock_step: float = 0.0


CALM = Rates()
STORMY = Rates(
    delivery_twice=0.15,
    delivery_lost=0.08,
    delivery_swallowed=0.03,
    delivery_bent=0.03,
    api_silent=0.03,
    api_error=0.04,
    api_busy=0.03,
    answer_lost=0.08,
    answer_late=0.08,
    database_error=0.01,
    statement_error=0.015,
    commit_lost=0.006,
    handler_error=0.1,
    crash=0.012,
    power=0.004,
    clock_step=0.01,
)

# By how much somebody's clock is wrong: a little, longer than a lease, longer than a webhook is believed.
SKEWS_SECONDS = (-400, -90, -20, -2, 0, 0, 2, 20, 90, 400)

# Some worlds are calm, and each storm has its own weather.
WEATHERS = (0.0, 0.5, 1.0, 1.0, 2.0)


class Chance:
    """Everything that is left to chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        weather = self.random.choice(WEATHERS)
        self.rates = Rates(**{name: rate * weather for name, rate in vars(STORMY).items()})

    def strikes(self, evil: str) -> bool:
        """Whether this one strikes now."""
        rate: float = getattr(self.rates, evil)
        return rate > 0 and self.random.random() < rate

    def calm_down(self) -> None:
        """From now on nothing fails any more."""
        self.rates = CALM
