"""Spans of time as people say them: `1month`, `10d`, `2 weeks 3 hours`, `P1M`.

A month is a month of the calendar, on the same day or on its last: a month after 31 January is the last of February.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from paydesk.emulator.rules.cycles import plus_months

_MONTHS: Final = {"y": 12, "mo": 1}
_SECONDS: Final = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
# Every unit a span can be given in, the longest first, by the names that people use.
UNITS: Final = {
    "years": "y",
    "months": "mo",
    "weeks": "w",
    "days": "d",
    "hours": "h",
    "minutes": "m",
    "seconds": "s",
}
_NAMES: Final = {
    **{name: unit for plural, unit in UNITS.items() for name in (plural, plural[:-1], unit)},
    "yr": "y",
    "yrs": "y",
    "mon": "mo",
    "mons": "mo",
    "wk": "w",
    "wks": "w",
    "hr": "h",
    "hrs": "h",
    "min": "m",
    "mins": "m",
    "sec": "s",
    "secs": "s",
}
_PART: Final = re.compile(r"\s*(?:,|and\b)?\s*(\d{1,9})\s*([a-z]+)\s*")
_ISO: Final = re.compile(
    r"P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?"
)


@dataclass(frozen=True)
class Span:
    """So many months of the calendar, and then so many seconds."""

    months: int = 0
    seconds: int = 0

    def after(self, moment: int) -> int:
        """The moment that much later, in seconds since 1970; days are UTC's, as at Stripe.

        Raises:
            OverflowError: No calendar goes so far.
        """
        try:
            return plus_months(moment, self.months) + self.seconds
        except ValueError:
            raise OverflowError(f"{self} after {moment} is in no calendar") from None


def of(**amounts: int) -> Span:
    """A span from amounts by the names of their units: `of(months=1, days=3)`."""
    units = [(UNITS[name], amount) for name, amount in amounts.items()]
    return Span(
        sum(amount * _MONTHS.get(unit, 0) for unit, amount in units),
        sum(amount * _SECONDS.get(unit, 0) for unit, amount in units),
    )


def read(text: str) -> Span | None:
    """What a text means, as people or ISO 8601 write it; None when it is no span."""
    amounts = _in_iso(text.strip()) or _in_words(text.strip().lower())
    return None if amounts is None else of(**amounts)


def _in_iso(text: str) -> dict[str, int] | None:
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    return {name: int(amount) for name, amount in zip(UNITS, found.groups(), strict=True) if amount}


def _in_words(text: str) -> dict[str, int] | None:
    amounts: dict[str, int] = {}
    place = 0
    names = {unit: name for name, unit in UNITS.items()}
    while place < len(text):
        part = _PART.match(text, place)
        unit = None if part is None else _NAMES.get(part[2])
        if part is None or unit is None:
            return None
        amounts[names[unit]] = amounts.get(names[unit], 0) + int(part[1])
        place = part.end()
    return amounts or None
