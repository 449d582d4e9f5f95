"""Truth, as the desk holds it: what was missed is fetched, on demand and by the worker on its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from paydesk.billing.inbox.history import EVENTS
from paydesk.billing.inbox.prune import Prune, Pruned
from paydesk.billing.mirror.refs import lane_of
from paydesk.billing.truth.backfill import Backfill
from paydesk.billing.truth.compare import Comparer
from paydesk.billing.truth.kinds import KINDS, NAMES
from paydesk.billing.truth.pages import Pages
from paydesk.billing.truth.reports import Reports
from paydesk.billing.truth.sweep import DAYS_MAX, Sweep
from paydesk.billing.truth.verify import Verified, Verify
from paydesk.billing.truth.walks import Walk, Walks
from paydesk.errors import AnotherIsAtIt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.verify import OnStep


@dataclass(frozen=True)
class Synced:
    """What a sync did.

    `events_found` had never arrived, of `events_looked_at` that Stripe lists. `found` objects were not here as they are
    at Stripe, of `looked_at`, and were brought in line.
    """

    events_looked_at: int
    events_found: int
    looked_at: int = 0
    found: int = 0


class Truth:
    """Brings what is here in line with Stripe."""

    def __init__(
        self,
        store: Store,
        stripe: Stripe,
        inbox: Inbox,
        plans: PlanFinder,
        *,
        livemode: bool,
        keep_days: int | None = None,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`keep_days`: how long a worker keeps what is done; for ever, if nothing is said."""
        pages = Pages(stripe)
        walks = Walks(store, inbox.lanes, now)
        comparer = Comparer(store, plans, now)
        self._store = store
        self._inbox = inbox
        self._sweep = Sweep(store, pages, inbox, walks, now=now)
        self._backfill = Backfill(store, stripe, pages, inbox, walks, comparer, livemode=livemode, now=now)
        self._verify = Verify(store, stripe, pages, inbox, comparer, livemode=livemode, now=now, sleep=sleep)
        self._prune = Prune(store, now)
        self.reports = Reports(store, now)
        inbox.patrol(self._sweep.if_due)
        if keep_days is not None:
            inbox.patrol(partial(self._prune.every_hour, keep_days))

    def sync(
        self,
        *,
        days: int | None = None,
        tables: Iterable[str] = NAMES,
        on_step: Callable[[Walk], None] = lambda _: None,
    ) -> Synced:
        """Fetch what never arrived, and bring the mirror in line; see Paydesk.sync."""
        if days is not None and not 1 <= days <= DAYS_MAX:
            raise ValueError(f"Stripe lists the events of {DAYS_MAX} days: days must be between 1 and {DAYS_MAX}.")
        chosen = checked(tables)
        swept = self._sweep.run(days=days, on_page=on_step)
        if swept is None:
            raise AnotherIsAtIt(EVENTS)
        self._apply()
        walks = self._backfill.run(chosen, on_step=on_step) if chosen else []
        self._apply()
        looked_at, found = sum(walk.looked_at for walk in walks), sum(walk.found for walk in walks)
        return Synced(swept.looked_at, swept.found, looked_at, found)

    def verify(
        self,
        *,
        repair: bool = False,
        since: datetime | None = None,
        tables: Iterable[str] = NAMES,
        on_step: OnStep = lambda *_: None,
    ) -> Verified:
        """Hold the mirror against Stripe; see Paydesk.verify."""
        chosen = checked(tables)

        def verify(on_step: OnStep) -> Verified:
            return self._verify.run(chosen, since, is_repairing=repair, on_step=on_step)

        is_whole = since is None and set(chosen) == set(NAMES)
        return self.reports.of(verify, on_step) if is_whole else verify(on_step)

    def read_again(self, table: str, key: object) -> bool:
        """Have one row say what Stripe says now; see Paydesk.read_again."""
        (kind,) = (kind for kind in KINDS if kind.name == checked([table])[0])
        rows = kind.mirrored.table(self._store.tables)
        with self._store.read() as connection:
            row = connection.execute(select(rows).where(rows.c.id == key)).mappings().first()
        if row is None or row[kind.mirrored.key] is None:
            return False
        subject = kind.as_object(row)
        return self._inbox.bring_in_line(kind.ref(subject), lane_of(subject))

    def prune(self, days: int) -> Pruned:
        """Forget what is done and long past; see Paydesk.prune."""
        return self._prune.run(days)

    def _apply(self) -> None:
        while self._inbox.apply_due(is_background=True):
            pass


def checked(tables: Iterable[str]) -> list[str]:
    """The tables, if all of them are mirrored. Raises ValueError."""
    chosen = list(tables)
    if strange := sorted(set(chosen) - set(NAMES)):
        raise ValueError(f"{strange[0]!r} is no mirrored table. There are: {', '.join(NAMES)}.")
    return chosen
