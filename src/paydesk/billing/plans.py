"""Plans: what is sold again every month or year, and what somebody who has one may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from paydesk.billing.offer import Offer, product_id
from paydesk.errors import IntervalRefused, SeatsRefused

if TYPE_CHECKING:
    from paydesk.billing.catalog_file import Entry

# Most plans are for one person: a catalog that sells seats says how many.
SEATS_MAX = 1
SEATS_CEILING = 999_999

MAIN_SLOT = "main"

# A card that expired is replaced within days; Stripe tries again for about two weeks.
GRACE_DAYS = 7
GRACE_DAYS_MAX = 90

# Stripe ends a trial after two years at the latest.
TRIAL_DAYS_MAX = 730


@dataclass(frozen=True)
class Plan:
    """Something sold again and again, at one of its `offers`: the first unless another rhythm is asked for.

    `features` holds what the plan allows, by code, with the words for it; `limits` how much of something, None for as
    much as one likes. Of all plans in one `slot` somebody has one at a time. While a payment is missing, what the plan
    allows is still allowed for `grace_days`. One that is `retired` is not sold any more; whoever has it keeps it.
    `usage` is what is charged beside it for what meters count, at each of its rhythms.
    """

    code: str
    name: str
    offers: tuple[Offer, ...]
    description: str = ""
    seats_min: int = 1
    seats_max: int = SEATS_MAX
    trial_days: int | None = None
    slot: str = MAIN_SLOT
    grace_days: int = GRACE_DAYS
    retired: bool = False
    features: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int | None] = field(default_factory=dict)
    usage: tuple[Offer, ...] = ()

    @property
    def prices(self) -> tuple[Offer, ...]:
        """Everything of it that has a price at Stripe."""
        return (*self.offers, *self.usage)

    def usage_beside(self, offer: Offer) -> tuple[Offer, ...]:
        """What is charged by use beside this offer: a subscription is charged all in one rhythm."""
        return tuple(each for each in self.usage if each.every == offer.every)

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


class PlanFinder:
    """Which plan a price at Stripe belongs to."""

    def __init__(self, plans: Mapping[str, Plan], ids_by_secret: Mapping[str, str]) -> None:
        """`ids_by_secret` holds the price ids that STRIPE_PRICE_<CODE> names, by upper-case code."""
        self._plans = plans
        offers = [offer for plan in plans.values() for offer in plan.offers]
        self._by_id = {ids_by_secret[offer.secret]: offer.sold for offer in offers if offer.secret in ids_by_secret}
        self._by_lookup_key = {offer.lookup_key: offer.sold for offer in offers}
        self._by_product = {product_id(code): code for code in plans}

    @property
    def slots(self) -> Mapping[str, str]:
        """The slot of each plan."""
        return {code: plan.slot for code, plan in self._plans.items()}

    def of(self, *, price_id: str | None, lookup_key: str | None, product_id: str | None) -> str | None:
        """The plan's code, or None if the price is not in the catalog.

        A price that was replaced has lost its lookup key, and is known by its product.
        """
        return (
            self._by_id.get(price_id or "")
            or self._by_lookup_key.get(lookup_key or "")
            or self._by_product.get(product_id or "")
        )

    def slot(self, code: str | None) -> str | None:
        """The slot that the plan takes; None for a plan that is not in the catalog."""
        plan = self._plans.get(code or "")
        return plan.slot if plan else None


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
    grace_days = entry.number("grace_days", default=GRACE_DAYS, minimum=0, maximum=GRACE_DAYS_MAX)
    retired = entry.flag("retired", default=False)
    slot = entry.code_of("slot", default=MAIN_SLOT)
    features = entry.words("features")
    limits = entry.limits("limits")
    rates = entry.rates("usage")
    entry.refuse_unknown()
    # The first is the plan's own and goes by its code, so that adding a second changes nothing about the first.
    offers = tuple(
        Offer(
            code=f"{entry.code}_{every.code}" if number else entry.code,
            sold=entry.code,
            money=money,
            lookup_key=f"{lookup_key}_{every.code}" if number else lookup_key,
            every=every,
        )
        for number, (money, every) in enumerate(rhythms)
    )
    usage = tuple(
        Offer(f"{each.code}_{meter}", entry.code, money, f"{each.lookup_key}_{meter}", each.every, meter, units)
        for each in offers
        for meter, (money, units) in rates.items()
    )
    if {each.money.currency for each in usage} - {each.money.currency for each in offers}:
        entry.refuse("usage", "what is used is charged in the currency of the plan's own price, on one invoice")
    if name is None or entry.mistakes:
        return None
    return Plan(
        code=entry.code,
        name=name,
        offers=offers,
        description=description or "",
        seats_min=seats_min,
        seats_max=seats_max,
        trial_days=trial_days or None,
        slot=slot,
        grace_days=grace_days,
        retired=retired,
        features=features,
        limits=limits,
        usage=usage,
    )
