"""Verifying: is every row here as Stripe says? And if not, what is the difference?

Lists are quick and a moment old, so what differs from one is only a suspect. Each suspect is looked at closely: alone
in its lane, so that nobody writes meanwhile, and read from Stripe by its id. What only waits for its event is given
some time first: a mirror a second behind is not a broken one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.read import Ask, read
from paydesk.billing.mirror.refs import Ref, lane_of
from paydesk.billing.truth.compare import Drift
from paydesk.billing.truth.kinds import KINDS, Kind
from paydesk.billing.truth.ledger import Finding, Ledger
from paydesk.errors import StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, RowMapping

    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.compare import Comparer
    from paydesk.billing.truth.pages import Pages

logger = get_logger(__name__)

ROWS = 100

# Between the first look and the close one, a webhook that is on its way arrives and is applied.
PAUSE_SECONDS = 2.0

# Where events wait to be applied, so many pauses more.
PATIENCE = 5

OnStep = Callable[[str, int, int, bool], None]


@dataclass(frozen=True)
class Verified:
    """What verifying found, of `looked_at` objects. `is_true` is what you wanted to know."""

    looked_at: int
    drifts: tuple[Drift, ...]
    findings: tuple[Finding, ...]

    @property
    def is_true(self) -> bool:
        return not self.findings and all(drift.is_repaired for drift in self.drifts)


class Verify:
    """The comparison of everything here with everything at Stripe."""

    def __init__(
        self,
        store: Store,
        stripe: Stripe,
        pages: Pages,
        inbox: Inbox,
        comparer: Comparer,
        *,
        livemode: bool,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._stripe = stripe
        self._ask = Ask(stripe, is_background=True)
        self._pages = pages
        self._inbox = inbox
        self._comparer = comparer
        self._ledger = Ledger(store, livemode=livemode, now=now)
        self._livemode = livemode
        self._sleep = sleep

    def run(self, tables: Collection[str], since: datetime | None, *, is_repairing: bool, on_step: OnStep) -> Verified:
        """Look at these tables, or at what was made since then in them. Raises StripeUnavailable or StripeRefused."""
        looked_at, suspects = 0, []
        kinds = {kind.name: kind for kind in KINDS if kind.name in tables}
        for kind in kinds.values():
            seen, found = self._suspects(kind, since, on_step)
            looked_at += seen
            suspects += found
        if suspects:
            self._sleep(PAUSE_SECONDS)
        drifts = [drift for each in suspects if (drift := self._closely(kinds[each.kind], each)) is not None]
        drifts = self._without_the_late(kinds, drifts)
        findings = self._ledger.findings(since=since)
        if is_repairing:
            drifts = [self._repaired(kinds[drift.kind], drift) for drift in drifts]
            self._put_right(findings)
            findings = self._ledger.findings(since=since)
        return Verified(looked_at, tuple(drifts), tuple(findings))

    def _suspects(self, kind: Kind, since: datetime | None, on_step: OnStep) -> tuple[int, list[Drift]]:
        """Whatever is not as listed, and what is not listed at all."""
        params: dict[str, Any] = dict(kind.params)
        if since is not None:
            params["created"] = {"gte": int(since.astimezone(UTC).timestamp())}
        met: set[str] = set()
        suspects: list[Drift] = []
        cursor, has_more = None, True
        while has_more:
            page = self._pages.after(kind.path, cursor, expand=kind.expand, **params)
            if page is None:
                cursor = None  # the object at which we stood is gone: once more from the top
                continue
            states = [state for state in page.objects if kind.concerns(state) and state["id"] not in met]
            for state in states:
                if kind.mirrored.complete:
                    kind.mirrored.complete(self._ask, state)
            suspects += self._comparer.compare(kind, states)
            met |= {state["id"] for state in page.objects}
            has_more = page.has_more
            cursor = page.objects[-1]["id"] if page.objects else None
            on_step(kind.name, len(met), len(suspects), False)
        number = len(met)
        for row in self._unlisted(kind, met, since):
            state = kind.as_object(row) | {"id": row[kind.mirrored.key]}
            suspects.append(Drift(kind.name, state["id"], "gone", lane_of(state)))
            number += 1
        on_step(kind.name, number, len(suspects), True)
        return number, suspects

    def _unlisted(self, kind: Kind, met: Collection[str], since: datetime | None) -> Iterator[RowMapping]:
        """The rows that Stripe did not list: deleted, made up, or hidden on a test clock."""
        tables, key = self._store.tables, kind.mirrored.key
        table = kind.mirrored.table(tables)
        chosen: list[ColumnElement[bool]] = [table.c[key].is_not(None), table.c.deleted_at.is_(None)]
        chosen.append(kind.of_mode(tables, livemode=self._livemode))
        if since is not None:
            chosen.append(table.c.created_at >= since)
        last = ""
        while True:
            query = select(table).where(*chosen, table.c[key] > last).order_by(table.c[key]).limit(ROWS)
            with self._store.read() as connection:
                rows = connection.execute(query).mappings().all()
            yield from (row for row in rows if row[key] not in met)
            if len(rows) < ROWS:
                return
            last = rows[-1][key]

    def _closely(self, kind: Kind, suspect: Drift) -> Drift | None:
        """What is really wrong, if anything is: read by its id, while nobody else can write it."""
        if suspect.problem == "missing" and self._comparer.is_live(kind, suspect.id) is None:
            return suspect
        with self._inbox.alone_in(suspect.lane):
            state = read(self._stripe, kind.mirrored, suspect.id, is_background=True)
            if state is None or state.get("deleted"):
                is_live = self._comparer.is_live(kind, suspect.id)
                return replace(suspect, problem="gone", differences=()) if is_live else None
            return next(iter(self._comparer.compare(kind, [state])), None)

    def _without_the_late(self, kinds: Mapping[str, Kind], drifts: list[Drift]) -> list[Drift]:
        """What is still not so after the events that wait have had their time."""
        for _ in range(PATIENCE):
            late = [drift for drift in drifts if self._is_awaited(drift.lane)]
            if not late:
                break
            self._sleep(PAUSE_SECONDS)
            again = [self._closely(kinds[drift.kind], drift) for drift in late]
            drifts = [drift for drift in drifts if drift not in late] + [drift for drift in again if drift is not None]
        return drifts

    def _is_awaited(self, lane: str) -> bool:
        """Whether an event waits in the lane that nobody has tried in vain."""
        events = self._store.tables.events
        fresh = (events.c.lane == lane, events.c.state == "received", events.c.attempts == 0)
        with self._store.read() as connection:
            return connection.execute(select(events.c.seq).where(*fresh).limit(1)).first() is not None

    def _repaired(self, kind: Kind, drift: Drift) -> Drift:
        """The drift, after it was tried to be put right the way a webhook would."""
        state = read(self._stripe, kind.mirrored, drift.id, is_background=True)
        known = state if state is not None and not state.get("deleted") else {"object": kind.mirrored.type}
        ref = kind.ref({**known, "id": drift.id})
        try:
            self._inbox.bring_in_line(ref, drift.lane)
        except (StripeUnavailable, SQLAlchemyError, LeaseLost):
            raise
        except Exception:
            logger.exception("The %s %s cannot be brought in line", kind.mirrored.type, drift.id)
        return replace(drift, is_repaired=self._closely(kind, drift) is None)

    def _put_right(self, findings: list[Finding]) -> None:
        for finding in findings:
            if finding.session_id is not None:
                self._inbox.bring_in_line(Ref("checkout.session", finding.session_id), finding.session_id)
