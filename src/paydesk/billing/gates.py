"""Gates: what a user may do, by the plans they have.

    if desk.allows(user, "export"): ...
    if desk.allows(user, "projects", used=len(projects)): ...

One indexed query, and Stripe is never asked: what the mirror knows is what
counts. The catalog says what a plan allows; the subscription's state says
whether it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from paydesk.billing.facts.subscriptions import LIVE
from paydesk.errors import UnknownFeature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from paydesk.billing.catalog import Catalog
    from paydesk.billing.customers import Payer
    from paydesk.billing.plans import Plan
    from paydesk.billing.store.store import Store


@dataclass(frozen=True)
class Access:
    """What somebody may do: all that their `plans` allow, together.

    `on_hold` are plans they have that allow nothing for now, because a payment is missing or they are paused.
    """

    plans: tuple[Plan, ...]
    on_hold: tuple[Plan, ...] = ()

    def allows(self, code: str, *, used: int | None = None) -> bool:
        """Whether they have the plan or feature of this code, or have not used up the limit of this code."""
        return _allow(self.plans, code, used or 0)

    def is_on_hold(self, code: str) -> bool:
        """Whether they may not, and could if they paid what is missing, or ended the pause."""
        return not self.allows(code) and _allow(self.on_hold, code, 0)

    def limit(self, code: str) -> int | None:
        """How much they may have of something: the most that one of their plans gives. None is as much as they like."""
        return _limit(self.plans, code)


class Gates:
    """Finds out what somebody may do."""

    def __init__(self, store: Store, catalog: Catalog, *, livemode: bool, now: Callable[[], datetime]) -> None:
        table = store.tables.subscriptions
        theirs = (table.c.user_id == bindparam("user_id"), table.c.livemode == livemode)
        self._query = select(table.c.plan, table.c.status, table.c.past_due_since, table.c.heard_at).where(*theirs)
        self._store = store
        self._plans = catalog.plans
        self._now = now
        self._known = known_codes(catalog.plans.values())

    def of(self, user: Payer) -> Access:
        """What the user may do now."""
        with self._store.read() as connection:
            rows = connection.execute(self._query, {"user_id": str(user.id)}).all()
        now = self._now()
        plans: list[Plan] = []
        on_hold: list[Plan] = []
        for row in rows:
            if (plan := self._plans.get(row.plan)) is None:
                continue
            if counts(plan, row.status, row.past_due_since, max(now, row.heard_at or now)):
                plans.append(plan)
            elif row.status in LIVE:
                on_hold.append(plan)
        return Access(tuple(plans), tuple(on_hold))

    def check(self, code: str) -> None:
        """Raises UnknownFeature if no plan of the catalog could ever allow this."""
        if code not in self._known:
            raise UnknownFeature(code, known=self._known)


def _allow(plans: Iterable[Plan], code: str, used: int) -> bool:
    if any(code == plan.code or code in plan.features for plan in plans):
        return True
    limit = _limit(plans, code)
    return limit is None or limit > used


def _limit(plans: Iterable[Plan], code: str) -> int | None:
    limits = [plan.limits[code] for plan in plans if code in plan.limits]
    if None in limits:
        return None
    return max((limit for limit in limits if limit is not None), default=0)


def counts(plan: Plan, status: str, past_due_since: datetime | None, now: datetime) -> bool:
    """Whether a subscription in this state gives what its plan allows. `now` is Stripe's, as far as it is known.

    | status                                 | counts                                           |
    |----------------------------------------|--------------------------------------------------|
    | trialing, active                       | yes, also while it is cancelled and not yet over |
    | past_due                               | for the plan's days of grace                     |
    | unpaid, paused, incomplete, and all else | no                                             |
    """
    if status in ("trialing", "active"):
        return True
    if status != "past_due" or past_due_since is None:
        return False
    return max(now, past_due_since) < past_due_since + timedelta(days=plan.grace_days)


def known_codes(plans: Iterable[Plan]) -> frozenset[str]:
    """Everything a gate can be asked about: plans, features and limits."""
    return frozenset(code for plan in plans for code in (plan.code, *plan.features, *plan.limits))
