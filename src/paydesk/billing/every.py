"""How often something is charged: every month, every three months, every year.

It is written behind a price: "$29/mo", "$290 per year", "30 EUR every 3 months".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Interval = Literal["day", "week", "month", "year"]

# Stripe bills at least every three years.
COUNT_MAX: Mapping[str, int] = MappingProxyType({"day": 1095, "week": 156, "month": 36, "year": 3})

_UNITS: Mapping[str, Interval] = {
    "d": "day",
    "day": "day",
    "wk": "week",
    "week": "week",
    "mo": "month",
    "month": "month",
    "yr": "year",
    "year": "year",
}
_ADVERBS: Mapping[str, Interval] = {
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_ADVERB = "|".join(_ADVERBS)
_SAYS_HOW_OFTEN = re.compile(
    rf"(?P<amount>.*?)(?:\s*(?:/|\s(?:per|every|an?)\s)\s*(?P<count>[0-9]+)?\s*(?P<unit>{_UNIT})s?|\s(?P<adverb>{_ADVERB}))",
    re.IGNORECASE,
)
_TRIES_TO_SAY = re.compile(r"/|\s(?:per|every)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Every:
    """Every `count` intervals."""

    interval: Interval
    count: int = 1

    def __str__(self) -> str:
        return self.interval if self.count == 1 else f"{self.count} {self.interval}s"

    @property
    def code(self) -> str:
        """As a part of names: "yearly", "3_months"."""
        if self.count > 1:
            return f"{self.count}_{self.interval}s"
        return next(adverb for adverb, interval in _ADVERBS.items() if interval == self.interval)


def split(text: str) -> tuple[str, Every | None]:
    """The amount in "$29/mo", and how often it is charged; None where that is not said.

    Raises ValueError with the reason, in words for whoever wrote it.
    """
    match = _SAYS_HOW_OFTEN.fullmatch(text.strip())
    if match is None:
        if _TRIES_TO_SAY.search(text):
            raise ValueError(f'{text!r} says how often in words nobody here knows. Write it like "$29/mo".')
        return text, None
    interval = _UNITS[match["unit"].lower()] if match["unit"] else _ADVERBS[match["adverb"].lower()]
    count = int(match["count"] or 1)
    if not 1 <= count <= COUNT_MAX[interval]:
        raise ValueError(f"{text!r} is charged every {count} {interval}s. Stripe takes 1 to {COUNT_MAX[interval]}.")
    return match["amount"], Every(interval, count)
