"""Sweeping: the events that happened at Stripe and never arrived here are fetched from its list.

A webhook can be lost: an endpoint that was not there yet, an address with a typo, an outage longer than Stripe's
patience. Whether an event has arrived, its id says and nothing else. The list is walked from its newest event back to
the newest one of the last sweep, and a good deal further, since an event may be listed later than its stamp says. What
is not in the inbox by then is put there, by the same insert as a webhook.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from paydesk.billing.inbox.history import EVENTS, traces
from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.log import get_logger
from paydesk.billing.truth.pages import PAGE
from paydesk.billing.truth.walks import Walk
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.inbox.lanes import Lease
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.pages import Page, Pages
    from paydesk.billing.truth.walks import Walks

logger = get_logger(__name__)

# The worker's own sweep. Webhooks come within seconds, so this is about those that never come.
EVERY = timedelta(minutes=5)

# Events are in the list within moments of their stamp. This is many times as long.
OVERLAP_SECONDS = 30 * 60

# Most sweeps find nothing, and see that on this page.
FIRST_PAGE = 20

# Stripe lists events for so long.
DAYS_MAX = 30
_DAY_SECONDS = 24 * 3600


class Sweep:
    """The sweep of Stripe's events, as often as wanted, by one process at a time."""

    def __init__(self, store: Store, pages: Pages, inbox: Inbox, walks: Walks, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._pages = pages
        self._inbox = inbox
        self._walks = walks
        self._now = now

    def if_due(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Sweep if nobody has for some minutes. The worker calls this on every machine; one of them does it."""
        last = self._walks.get(EVENTS).finished_at
        if last is not None and self._now() - last < EVERY:
            return
        try:
            swept = self.run(is_stopping=is_stopping)
        except (StripeUnavailable, StripeRefused) as error:
            logger.warning("The sweep for events that never arrived waits: %s", error)
        except LeaseLost as lost:
            logger.info("%s", lost)
        else:
            if swept and swept.found:
                logger.warning("%d events had never arrived. They were fetched, and are worked on now.", swept.found)

    def run(
        self,
        *,
        days: int | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
        on_page: Callable[[Walk], None] = lambda _: None,
    ) -> Walk | None:
        """Fetch what never arrived; answers how the walk ended, or None if another process is at it.

        `days` looks so far back, whatever was swept before. Raises StripeUnavailable, StripeRefused or LeaseLost; what
        was fetched by then is kept, and the next sweep goes on from there.
        """
        with self._walks.leased(EVENTS) as lease:
            if lease is None:
                return None
            walk = self._walks.get(EVENTS)
            if days is not None:
                walk = replace(walk, state="idle")  # what another one left half-way went less far, or further: anew
            resumed, walk = walk, self._to_end(lease, walk, days, is_stopping, on_page)
            if resumed.is_under_way and not walk.is_under_way:
                # It began before whatever has happened since: that is looked for as well.
                newer = self._to_end(lease, walk, None, is_stopping, on_page)
                walk = replace(newer, looked_at=walk.looked_at + newer.looked_at, found=walk.found + newer.found)
            return walk

    def _to_end(
        self,
        lease: Lease,
        walk: Walk,
        days: int | None,
        is_stopping: Callable[[], bool],
        on_page: Callable[[Walk], None],
    ) -> Walk:
        is_over = False
        while not (is_over or is_stopping()):
            walk, is_over = self._step(lease, walk, days)
            on_page(walk)
        return self._walks.finish(lease, walk) if is_over else walk

    def _step(self, lease: Lease, walk: Walk, days: int | None) -> tuple[Walk, bool]:
        """One page, looked at and committed; answers whether it was the last."""
        is_first = not walk.is_under_way
        limit = FIRST_PAGE if is_first and walk.anchor_id is not None else PAGE
        page = self._pages.after("/v1/events", None if is_first else walk.cursor, limit=limit)
        if page is None:
            return walk, True  # so old that Stripe forgets it: what comes after it is forgotten too
        if is_first:
            walk = self._begun(walk, page, days)
        found = self._receive([event for event in page.objects if event["created"] >= (walk.since or 0)])
        walk, is_over = after_page(walk, page)
        return self._walks.save(lease, replace(walk, found=walk.found + found)), is_over

    def _begun(self, walk: Walk, page: Page, days: int | None) -> Walk:
        """The walk at its first page: from where history begins to the newest event there is."""
        newest = page.objects[0] if page.objects else {"id": None, "created": None}
        since = walk.since if walk.since is not None else self._birth(newest["created"])
        until = None if walk.anchor_id else since
        if days is not None:
            until = (newest["created"] or self._seconds()) - days * _DAY_SECONDS
            since = min(since, until)
        return replace(walk.begun(), since=since, until=until, newest_id=newest["id"], newest_at=newest["created"])

    def _birth(self, newest_at: int | None) -> int:
        """Where our history begins, by Stripe's stamps: nobody here was to hear of anything before.

        That is the first trace that this database has of us, or, where there is none yet, now.
        """
        with self._store.read() as connection:
            stamps = [*traces(self._store, connection)]
        if newest_at is not None:
            stamps.append(newest_at)
        return min(stamps, default=self._seconds() - _DAY_SECONDS)

    def _seconds(self) -> int:
        return int(self._now().timestamp())

    def _receive(self, events: list[Json]) -> int:
        """Keep those that are not here, as if they were delivered now; answers how many."""
        table = self._store.tables.events
        ids = [event["id"] for event in events]
        with self._store.read() as connection:
            # One that is here and dead stays dead: this is not Stripe asking again.
            known = set(connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))
        return self._inbox.keep(event for event in events if event["id"] not in known)


def after_page(walk: Walk, page: Page) -> tuple[Walk, bool]:
    """Where the walk is after this page, and whether it is over.

    | it goes on until                                          | because                                           |
    |-----------------------------------------------------------|---------------------------------------------------|
    | there is no more                                          | Stripe shows thirty days                          |
    | it has passed `until`                                     | somebody wants so much, or history begins there   |
    | it met the anchor, and is well beyond the anchor's stamp  | all before was seen by the last sweep             |
    """
    if not page.objects:
        return walk, True
    last = page.objects[-1]
    has_met = walk.anchor_id in [event["id"] for event in page.objects]
    walk = replace(
        walk,
        state="passed" if has_met else walk.state,
        cursor=last["id"],
        looked_at=walk.looked_at + len(page.objects),
    )
    if not page.has_more:
        return walk, True
    if walk.until is not None:
        return walk, last["created"] < walk.until
    return walk, walk.state == "passed" and last["created"] < (walk.anchor_at or 0) - OVERLAP_SECONDS
