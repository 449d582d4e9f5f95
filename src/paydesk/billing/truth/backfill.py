"""Backfilling: everything Stripe lists is held against the mirror, and what is not so is brought in line.

A list is only a doorbell, as an event is: by the time it is read, a webhook may have told of something newer. So an
object that is not here as listed is read again under its lane's lease. Only what was never written here is taken as it
was listed, since there is nothing it could be older than. What Stripe no longer lists is asked for by its id, and
leaves a tombstone if it is gone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.inbox.history import EVENTS
from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.read import Ask
from paydesk.billing.mirror.refs import lane_of
from paydesk.billing.truth.kinds import KINDS, Kind
from paydesk.errors import AnotherIsAtIt, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.inbox.lanes import Lease
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.compare import Comparer
    from paydesk.billing.truth.pages import Pages
    from paydesk.billing.truth.walks import Walk, Walks

logger = get_logger(__name__)

BACKFILL = "backfill"

# One that was interrupted is gone on with for so long. Later, what was looked at first is old.
RESUMED_FOR = timedelta(days=1)

# Of rows that Stripe did not list, so many at a time.
ROWS = 100

# Objects brought in line between two signs of life: each may take a call and a wait for its lane.
SIGN_EVERY = 10

# What was before us: of these, facts are named that the app may mail about.
_OF_HISTORY = frozenset({"subscription", "invoice", "dispute"})


class Backfill:
    """The walk through all of Stripe's lists, by one process at a time."""

    def __init__(
        self,
        store: Store,
        stripe: Stripe,
        pages: Pages,
        inbox: Inbox,
        walks: Walks,
        comparer: Comparer,
        *,
        livemode: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._ask = Ask(stripe, is_background=True)
        self._pages = pages
        self._inbox = inbox
        self._walks = walks
        self._comparer = comparer
        self._livemode = livemode
        self._now = now

    def run(self, tables: Collection[str], *, on_step: Callable[[Walk], None]) -> list[Walk]:
        """Go through these lists, or on through those that an interrupted run has left; answers how each ended.

        Raises StripeUnavailable, StripeRefused or LeaseLost, and AnotherIsAtIt.
        """
        with self._walks.leased(BACKFILL) as lease:
            if lease is None:
                raise AnotherIsAtIt(BACKFILL)
            kinds = [kind for kind in KINDS if kind.name in tables]
            self._begin(lease, kinds)
            return [self._finished(lease, kind, on_step) for kind in kinds]

    def _begin(self, lease: Lease, kinds: Sequence[Kind]) -> None:
        """Make every walk due, unless some are: then an earlier run was interrupted, and is gone on with."""
        walks = [self._walks.get(kind.name) for kind in kinds]
        is_resumed = any(walk.state != "idle" for walk in walks)
        for walk in walks:
            is_fresh = walk.finished_at is not None and self._now() - walk.finished_at < RESUMED_FOR
            if walk.state == "idle" and not (is_resumed and is_fresh):
                self._walks.save(lease, replace(walk, state="due"))

    def _finished(self, lease: Lease, kind: Kind, on_step: Callable[[Walk], None]) -> Walk:
        walk = self._walks.get(kind.name)
        while walk.state != "idle":
            walk = self._missing(lease, kind, walk) if walk.state == "missing" else self._listed(lease, kind, walk)
            on_step(walk)
        return walk

    def _listed(self, lease: Lease, kind: Kind, walk: Walk) -> Walk:
        """One page of the list."""
        cursor = walk.cursor if walk.is_under_way else None
        page = self._pages.after(kind.path, cursor, expand=kind.expand, **kind.params)
        if page is None or not walk.is_under_way:
            walk = walk.begun()  # anew, if the object at which it stood is gone at Stripe
        if page is None:
            return self._walks.save(lease, walk)
        states = [state for state in page.objects if kind.concerns(state)]
        found = self._bring_in_line(lease, kind, states)
        walk = replace(
            walk,
            state="walking" if page.has_more else "missing",
            cursor=page.objects[-1]["id"] if page.has_more else None,
            looked_at=walk.looked_at + len(page.objects),
            found=walk.found + found,
        )
        return self._walks.save(lease, walk, met=[state["id"] for state in page.objects])

    def _bring_in_line(self, lease: Lease, kind: Kind, states: Sequence[Json]) -> int:
        """Whatever is not here as listed; answers how many."""
        for state in states:
            if kind.mirrored.complete:
                kind.mirrored.complete(self._ask, state)
        by_id = {state["id"]: state for state in states}
        drifts = self._comparer.compare(kind, states)
        since = self._walks.get(EVENTS).since or 0
        for number, drift in enumerate(drifts, start=1):
            state = by_id[drift.id]
            ref = kind.ref(state)
            # Part of a payment: what was listed is not what is read.
            is_own = ref.type == kind.mirrored.type and ref.type != "checkout.session"
            self._refresh(
                kind,
                state,
                listed=state if drift.problem == "missing" and is_own else None,
                is_history=ref.type in _OF_HISTORY and state["created"] < since,
            )
            if number % SIGN_EVERY == 0:
                self._walks.hold(lease)
        return len(drifts)

    def _missing(self, lease: Lease, kind: Kind, walk: Walk) -> Walk:
        """Some of the rows that Stripe did not list: deleted, or hidden on a test clock."""
        rows = self._unmet(kind, walk)
        found = 0
        for number, row in enumerate(rows, start=1):
            self._refresh(kind, kind.as_object(row) | {"id": row[kind.mirrored.key]})
            found += self._comparer.is_live(kind, row[kind.mirrored.key]) is False
            if number % SIGN_EVERY == 0:
                self._walks.hold(lease)
        walk = replace(walk, looked_at=walk.looked_at + len(rows), found=walk.found + found)
        if len(rows) < ROWS:
            return self._walks.finish(lease, walk)
        return self._walks.save(lease, replace(walk, cursor=rows[-1][kind.mirrored.key]))

    def _unmet(self, kind: Kind, walk: Walk) -> Sequence[RowMapping]:
        tables, key = self._store.tables, kind.mirrored.key
        table, sightings = kind.mirrored.table(tables), tables.sightings
        met = exists().where(sightings.c.walk == walk.name, sightings.c.id == table.c[key])
        query = select(table).where(
            table.c[key].is_not(None),
            table.c[key] > (walk.cursor or ""),
            table.c.deleted_at.is_(None),
            kind.of_mode(tables, livemode=self._livemode),
            ~met,
        )
        with self._store.read() as connection:
            return connection.execute(query.order_by(table.c[key]).limit(ROWS)).mappings().all()

    def _refresh(self, kind: Kind, state: Json, *, listed: Json | None = None, is_history: bool = False) -> None:
        try:
            self._inbox.bring_in_line(kind.ref(state), lane_of(state), listed=listed, is_history=is_history)
        except (StripeUnavailable, SQLAlchemyError, LeaseLost):
            raise
        except Exception:
            # One object that cannot be written is no reason to leave all others as they are.
            logger.exception("The %s %s cannot be brought in line", kind.mirrored.type, state["id"])
