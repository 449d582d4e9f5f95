"""History: where ours begins. Of what happened at Stripe before that, nobody here was to hear.

An app may be put beside an account that is years old. What it then sees for the first time happened to people who were
welcomed, billed and thanked long ago.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import func, select

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from paydesk.billing.facts import Fact
    from paydesk.billing.store.store import Store

# The walk through Stripe's events, which keeps what was found out here once.
EVENTS = "events"

# A trace of ours bears this machine's stamp, and Stripe's clock may be another. And where the first thing ever heard is
# an update, what it updates may have been made a moment before it.
SKEW_SECONDS = 3600


class History:
    """What was before us, as one transaction sees it."""

    def __init__(self, store: Store, connection: Connection, now: datetime) -> None:
        self._store = store
        self._connection = connection
        self._now = now

    def has(self, fact: Fact) -> bool:
        """Whether a fact happened before our history begins, and by more than a difference of clocks."""
        happened_at = fact.happened_at
        if happened_at is None or (self._now - happened_at).total_seconds() < SKEW_SECONDS:
            return False
        return self._begins is not None and happened_at.timestamp() < self._begins - SKEW_SECONDS

    @cached_property
    def _begins(self) -> int | None:
        """Where ours begins, by Stripe's stamps; None where there is no trace of any."""
        walks = self._store.tables.walks
        since: int | None = self._connection.scalar(select(walks.c.since).where(walks.c.name == EVENTS))
        return since if since is not None else min(traces(self._store, self._connection), default=None)


def traces(store: Store, connection: Connection) -> Iterator[int]:
    """The first traces that this database has of us: an event, an order, a customer, a call."""
    tables = store.tables
    heard: int | None = connection.scalar(select(func.min(tables.events.c.created)))
    if heard is not None:
        yield heard
    mine = tables.customers.c.user_id.is_not(None)
    for query in (
        select(func.min(tables.attempts.c.created_at)),
        select(func.min(tables.orders.c.created_at)),
        select(func.min(tables.customers.c.created_at)).where(mine),
    ):
        made_at: datetime | None = connection.scalar(query)
        if made_at is not None:
            yield int(made_at.timestamp()) - SKEW_SECONDS
