"""Income: what subscriptions bring in a month, month by month, and how many of them end.

The mirror is asked, and nobody else. What is meant by the words stands here, and on the page that shows the numbers.

*Monthly recurring revenue* (MRR) of a currency at a moment: what each subscription that was live then costs each time,
brought to a month. A year is twelve months, a week a 52nd of a year, a day a 365th. It is what the prices say, before
discounts and taxes. A subscription is *live* from its beginning, or from the end of its trial, until it ends; one whose
payment is missing is live, one that is unpaid, paused or was never begun is not. Where the cost depends on use, a
subscription is counted and brings nothing. For moments in the past, what a subscription costs now, or cost when it
ended, is taken: the mirror has no memory of earlier plans.

*Churn* of a month: of the subscriptions that were live when it began, the share that ended in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from paydesk.billing.store.store import Store

MONTHS = 12

# How many of these are in a month.
PER_MONTH = {"day": Fraction(365, 12), "week": Fraction(52, 12), "month": Fraction(1), "year": Fraction(1, 12)}
_RHYTHM = re.compile(r"(?:(?P<count>[0-9]+) )?(?P<interval>day|week|month|year)s?")

# Of these, no money comes in.
NOT_LIVE = ("incomplete", "incomplete_expired", "unpaid", "paused")


@dataclass(frozen=True)
class Life:
    """A subscription from its first paid day to its last; what it costs in a month, or None where that depends."""

    begun_at: datetime
    ended_at: datetime | None
    currency: str | None
    monthly_minor: Fraction | None

    def is_live(self, moment: datetime) -> bool:
        return self.begun_at <= moment and (self.ended_at is None or self.ended_at > moment)


@dataclass(frozen=True)
class Month:
    """How it stood at the end of a month, or stands now in the one that is under way.

    `revenue_minor` is the MRR by currency, rounded to the smallest unit. `churn` is None where nothing was live at the
    beginning.
    """

    begins_at: datetime
    ends_at: datetime
    is_under_way: bool
    revenue_minor: Mapping[str, int]
    live: int
    uncounted: int
    begun: int
    ended: int
    churn: Fraction | None


class Income:
    """Reads lives from the mirror."""

    def __init__(self, store: Store, *, livemode: bool, now: Callable[[], datetime]) -> None:
        self._store = store
        self._livemode = livemode
        self._now = now

    def months(self, number: int = MONTHS) -> list[Month]:
        """The last so many months, the one under way included, oldest first."""
        now = self._now()
        lives = self._lives()
        return [_month(lives, begins_at, ends_at, now) for begins_at, ends_at in months_until(now, number)]

    def _lives(self) -> list[Life]:
        table = self._store.tables.subscriptions
        columns = (
            table.c.created_at,
            table.c.trial_ends_at,
            table.c.ended_at,
            table.c.currency,
            table.c.amount_minor,
            table.c.billed_every,
        )
        ours = (
            table.c.livemode == self._livemode,
            table.c.deleted_at.is_(None),
            table.c.status.not_in(NOT_LIVE),
        )
        with self._store.read() as connection:
            found = connection.execute(select(*columns).where(*ours)).all()
        lives = [
            Life(
                max(row.created_at, row.trial_ends_at or row.created_at),
                row.ended_at,
                row.currency,
                monthly(row.amount_minor, row.billed_every),
            )
            for row in found
        ]
        return [life for life in lives if life.ended_at is None or life.ended_at > life.begun_at]


def monthly(amount_minor: int | None, billed_every: str | None) -> Fraction | None:
    """What an amount is in a month that is charged every "month", "3 months", "year"."""
    rhythm = _RHYTHM.fullmatch(billed_every or "")
    if amount_minor is None or rhythm is None:
        return None
    return amount_minor * PER_MONTH[rhythm["interval"]] / int(rhythm["count"] or 1)


def months_until(now: datetime, number: int) -> Sequence[tuple[datetime, datetime]]:
    """The last so many months of the calendar, in UTC, from their first moment to the next one's."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    firsts = [_months_later(first, 1 - back) for back in range(number + 1)]
    return [(begins_at, ends_at) for ends_at, begins_at in pairwise(firsts)][::-1]


def _months_later(first: datetime, months: int) -> datetime:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return first.replace(year=year, month=month + 1)


def _month(lives: Sequence[Life], begins_at: datetime, ends_at: datetime, now: datetime) -> Month:
    is_under_way = ends_at > now
    moment = now if is_under_way else ends_at
    live = [life for life in lives if life.is_live(moment)]
    at_first = [life for life in lives if life.is_live(begins_at)]
    left = sum(life.ended_at is not None and life.ended_at <= moment for life in at_first)
    return Month(
        begins_at=begins_at,
        ends_at=ends_at,
        is_under_way=is_under_way,
        revenue_minor=_revenue(live),
        live=len(live),
        uncounted=sum(life.monthly_minor is None for life in live),
        begun=sum(begins_at < life.begun_at <= moment for life in lives),
        ended=sum(life.ended_at is not None and begins_at < life.ended_at <= moment for life in lives),
        churn=Fraction(left, len(at_first)) if at_first else None,
    )


def _revenue(live: Iterable[Life]) -> dict[str, int]:
    """Added up exactly, and rounded once, half a unit up."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for life in live:
        if life.monthly_minor is not None and life.currency is not None:
            sums[life.currency] += life.monthly_minor
    return {currency: int(amount + Fraction(1, 2)) for currency, amount in sorted(sums.items())}
