"""Truth, as the desk holds it: what was missed is fetched, on demand and by the worker on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk.billing.truth.pages import Pages
from paydesk.billing.truth.sweep import DAYS_MAX, EVENTS, Sweep
from paydesk.billing.truth.walks import Walk, Walks
from paydesk.errors import AnotherIsAtIt

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.store.store import Store


@dataclass(frozen=True)
class Synced:
    """What a sync did. `events_found` had never arrived, of `events_looked_at` that Stripe lists."""

    events_looked_at: int
    events_found: int


class Truth:
    """Brings what is here in line with Stripe."""

    def __init__(self, store: Store, stripe: Stripe, inbox: Inbox, *, now: Callable[[], datetime]) -> None:
        pages = Pages(stripe)
        walks = Walks(store, inbox.lanes, now)
        self._inbox = inbox
        self._sweep = Sweep(store, pages, inbox, walks, now=now)
        inbox.patrol(self._sweep.if_due)

    def sync(self, *, days: int | None = None, on_step: Callable[[Walk], None] = lambda _: None) -> Synced:
        """Fetch what never arrived, and apply it; see Paydesk.sync."""
        if days is not None and not 1 <= days <= DAYS_MAX:
            raise ValueError(f"Stripe lists the events of {DAYS_MAX} days: days must be between 1 and {DAYS_MAX}.")
        swept = self._sweep.run(days=days, on_page=on_step)
        if swept is None:
            raise AnotherIsAtIt(EVENTS)
        while self._inbox.apply_due(is_background=True):
            pass
        return Synced(swept.looked_at, swept.found)
