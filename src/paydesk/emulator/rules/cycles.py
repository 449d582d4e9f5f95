"""Billing cycles: when a price that is due again and again is due.

A cycle hangs on its anchor: every boundary is counted from there, so that a month that has no 31st ends
a period on its last day, and the next one that has ends it on the 31st again. All moments are seconds since 1970,
all days are UTC's, as at Stripe: no clock is ever put forward or back.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

_DAY: Final = 24 * 3600
_SECONDS: Final = {"day": _DAY, "week": 7 * _DAY}
_MONTHS: Final = {"month": 1, "year": 12}


@dataclass(frozen=True)
class Cycle:
    """Every `count` times `interval` (`day`, `week`, `month`, `year`), seen from `anchor`.

    `day` is the day of the month that is meant, where the anchor's own month was too short for it.
    """

    anchor: int
    interval: str
    count: int
    day: int | None = None

    def boundary(self, index: int) -> int:
        """The moment that many periods after the anchor; before it, for negative ones."""
        seconds = _SECONDS.get(self.interval)
        if seconds is not None:
            return self.anchor + index * self.count * seconds
        return plus_months(self.anchor, index * self.count * _MONTHS[self.interval], day=self.day)

    def after(self, moment: int) -> int:
        """The first boundary after a moment."""
        return self.boundary(self._index(moment) + 1)

    def holding(self, moment: int) -> tuple[int, int]:
        """The period that a moment lies in: its first moment, and the first one after it."""
        index = self._index(moment)
        return self.boundary(index), self.boundary(index + 1)

    def counted_from(self, start: int) -> Cycle:
        """The same rhythm from another moment on: still on the day of the month that is meant, if it is that day."""
        day = self.day or datetime.fromtimestamp(self.anchor, UTC).day
        return replace(self, anchor=start, day=day if plus_months(start, 0, day=day) == start else None)

    def _index(self, moment: int) -> int:
        """Of the boundaries that are not after a moment, the last."""
        seconds = _SECONDS.get(self.interval)
        if seconds is not None:
            return (moment - self.anchor) // (self.count * seconds)
        start, then = datetime.fromtimestamp(self.anchor, UTC), datetime.fromtimestamp(moment, UTC)
        months = (then.year - start.year) * 12 + then.month - start.month
        index = months // (self.count * _MONTHS[self.interval])
        # Within its month the moment may still lie before the boundary, or (a shorter month) after the next one.
        while self.boundary(index) > moment:
            index -= 1
        while self.boundary(index + 1) <= moment:
            index += 1
        return index


def of_price(price: Mapping[str, Any], anchor: int, *, day: int | None = None) -> Cycle:
    """The cycle of a recurring price, on this anchor."""
    recurring = price["recurring"]
    return Cycle(anchor, recurring["interval"], recurring["interval_count"], day)


def are_aligned(rhythms: Collection[tuple[str, int]]) -> bool:
    """Whether each of these (an interval, and how many of it) is a multiple of the shortest.

    Months have no fixed number of days: only single days fit into them.
    """
    days = {_SECONDS[interval] * count // _DAY for interval, count in rhythms if interval in _SECONDS}
    months = {_MONTHS[interval] * count for interval, count in rhythms if interval in _MONTHS}
    if not days:
        return all(one % min(months) == 0 for one in months)
    return all(one % min(days) == 0 for one in days) and (not months or min(days) == 1)


def plus_months(moment: int, months: int, *, day: int | None = None) -> int:
    """So many months later, on the same day, or on the month's last where it is too short for it."""
    start = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return int(start.replace(year=year, month=month + 1, day=min(day or start.day, last)).timestamp())


def first_anchor(start: int, config: Mapping[str, Any], *, by_year: bool) -> int:
    """The first moment from `start` on that a `billing_cycle_anchor_config` describes; `by_year`, its month counts.

    Parts of the time of day that are not given are those of `start`.
    """
    begun = datetime.fromtimestamp(start, UTC)
    clock = {
        name: getattr(begun, name) if config.get(name) is None else config[name]
        for name in ("hour", "minute", "second")
    }
    wanted = config.get("month") if by_year else None
    months = begun.year * 12 + begun.month - 1
    while True:
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        found = datetime(year, month + 1, min(config["day_of_month"], last), **clock, tzinfo=UTC)
        if int(found.timestamp()) >= start and wanted in (None, month + 1):
            return int(found.timestamp())
        months += 1
