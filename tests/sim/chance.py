"""Chance: what the seed decides, and how much of each evil there is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Rates:
    """How likely each fault is, each time it could strike."""

    delivery_twice: float = 0.0
    delivery_lost: float = 0.0
    delivery_bent: float = 0.0
    answer_lost: float = 0.0
    answer_late: float = 0.0
    api_silent: float = 0.0
    api_error: float = 0.0
    api_busy: float = 0.0
    database_error: float = 0.0
    commit_lost: float = 0.0
    handler_error: float = 0.0
    crash: float = 0.0


CALM = Rates()
STORMY = Rates(
    delivery_twice=0.15,
    delivery_lost=0.08,
    delivery_bent=0.03,
    answer_lost=0.08,
    answer_late=0.12,
    api_silent=0.03,
    api_error=0.04,
    api_busy=0.03,
    database_error=0.01,
    commit_lost=0.006,
    handler_error=0.1,
    crash=0.012,
)


class Chance:
    """Everything that is left to chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        # Some worlds are calm, and each storm has its own weather.
        weather = self.random.choice((0.0, 0.5, 1.0, 1.0, 2.0))
        self.rates = Rates(**{name: rate * weather for name, rate in vars(STORMY).items()})

    def strikes(self, evil: str) -> bool:
        """Whether this one strikes now."""
        rate: float = getattr(self.rates, evil)
        return rate > 0 and self.random.random() < rate

    def calm_down(self) -> None:
        """From now on nothing fails any more."""
        self.rates = CALM
