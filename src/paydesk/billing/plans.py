"""Plans: what is sold again every month or year, and what somebody who has one may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from paydesk.billing.offer import Offer
from paydesk.errors import IntervalRefused, SeatsRefused

if TYPE_CHECKING:
    from paydesk.billing.catalog_file import Entry

# Most plans are for one person: a catalog that sells seats says how many.
SEATS_MAX = 1
SEATS_CEILING = 999_999

# Stripe ends a trial after two years at the latest.
TRIAL_DAYS_MAX = 730


@dataclass(frozen=True)
class Plan:
    """Something sold again and again, at one of its `offers`: the first unless another rhythm is asked for.

    `features` holds what the plan allows, by code, with the words for it; `limits` how much of something.
    """

    code: str
    name: str
    offers: tuple[Offer, ...]
    description: str = ""
    seats_min: int = 1
    seats_max: int = SEATS_MAX
    trial_days: int | None = None
    features: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)

    def offer(self, interval: str | None = None) -> Offer:
        """The offer for "month", "year" or, where it is charged less often, "3 months". Raises IntervalRefused."""
        if interval is None:
            return self.offers[0]
        for offer in self.offers:
            if interval in (str(offer.every), offer.every.code if offer.every else None):
                return offer
        raise IntervalRefused(self.code, interval, known=[str(offer.every) for offer in self.offers])

    def checked_seats(self, seats: object) -> int:
        """The seats, if the plan may be bought with so many. Raises SeatsRefused."""
        is_whole = isinstance(seats, int) and not isinstance(seats, bool)
        if not is_whole or not self.seats_min <= cast("int", seats) <= self.seats_max:
            raise SeatsRefused(self.code, seats, minimum=self.seats_min, maximum=self.seats_max)
        return cast("int", seats)


def read_plan(entry: Entry) -> Plan | None:
    """The plan that stands in the file, or None once its mistakes are noted."""
    name = entry.text("name", length_max=250)
    rhythms = entry.rhythms("price")
    lookup_key = entry.text("lookup_key", default=entry.code, length_max=180) or entry.code
    description = entry.text("description", default="")
    seats_min = entry.number("seats_min", default=1, minimum=1, maximum=SEATS_CEILING)
    seats_max = entry.number("seats_max", default=max(SEATS_MAX, seats_min), minimum=1, maximum=SEATS_CEILING)
    if seats_max < seats_min:
        entry.refuse("seats_max", f"seats_max {seats_max} is less than seats_min {seats_min}")
    trial_days = entry.number("trial_days", default=0, minimum=1, maximum=TRIAL_DAYS_MAX)
    features = entry.words("features")
    limits = entry.numbers("limits")
    entry.refuse_unknown()
    if name is None or entry.mistakes:
        return None
    return Plan(
        code=entry.code,
        name=name,
        # The first is the plan's own and goes by its code, so that adding a second changes nothing about the first.
        offers=tuple(
            Offer(
                code=f"{entry.code}_{every.code}" if number else entry.code,
                sold=entry.code,
                money=money,
                lookup_key=f"{lookup_key}_{every.code}" if number else lookup_key,
                every=every,
            )
            for number, (money, every) in enumerate(rhythms)
        ),
        description=description or "",
        seats_min=seats_min,
        seats_max=seats_max,
        trial_days=trial_days or None,
        features=features,
        limits=limits,
    )
