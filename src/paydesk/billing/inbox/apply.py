"""Applying: the events of one lane become rows, facts and effects.

First the lane's waiting events are noted. Then each object they speak of is read from Stripe, once, with no transaction
open. Then one transaction makes sure that the lane is still ours, writes what was read, and marks exactly the noted
events. A read that began after an event was noted cannot be older than it: their order and number do not matter.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from paydesk.billing.inbox.lanes import Lease, LeaseLost
from paydesk.billing.inbox.retry import after_failure, after_parking
from paydesk.billing.inbox.visits import BY_TYPE, Noted, Visit, choose, noted_in, rank
from paydesk.billing.log import get_logger, redact
from paydesk.billing.mirror.decide import Known
from paydesk.billing.mirror.mirrored import Parked, Writing
from paydesk.billing.mirror.read import read
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from paydesk.billing.facts import Fact
    from paydesk.billing.inbox.effects import Effects
    from paydesk.billing.inbox.lanes import Lanes
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json, Ref
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# A lane rarely has more than a burst waiting. What is left over is noted in the next round.
NOTED_MAX = 500

# Each may be a call, one after the other: a round ends well before its lease does, also at a slow Stripe.
VISITS_MAX = 50


class Applier:
    """Works on leased lanes."""

    def __init__(
        self,
        store: Store,
        stripe: Stripe,
        lanes: Lanes,
        effects: Effects,
        plans: PlanFinder,
        now: Callable[[], datetime],
        *,
        is_background: bool = False,
    ) -> None:
        """`is_background`: nobody waits for what is done, so each call to Stripe leaves others the way."""
        self._store = store
        self._stripe = stripe
        self._lanes = lanes
        self._effects = effects
        self._plans = plans
        self._now = now
        self._is_background = is_background

    def apply_due(self) -> bool:
        """Work on one lane that has something due; answers whether there was one."""
        lease = self._lanes.claim_due()
        if lease is None:
            return False
        try:
            self._apply(lease, [])
        except StripeUnavailable as silence:
            until = self._lanes.back_off(lease)
            logger.warning("%s waits until %s: %s", lease.lane, until.isoformat(timespec="seconds"), silence)
        except LeaseLost as lost:
            logger.info("%s", lost)
        except SQLAlchemyError:
            self._give_back(lease)
            raise
        finally:
            self._lanes.forget(lease)
        return True

    def apply_now(
        self, lease: Lease, refs: Sequence[Ref], *, listed: Json | None = None, is_history: bool = False
    ) -> None:
        """Read these objects of the lane and write them, with whatever else waits in the lane.

        `listed` is the only object as one of Stripe's lists showed it a moment ago: where nothing was ever written of
        it, there is nothing it could be older than. `is_history`: what it says happened before us, and nobody is told.

        Raises StripeUnavailable, StripeRefused, or LeaseLost; then nothing was written.
        """
        try:
            self._apply(lease, refs, listed, is_history=is_history)
        except StripeUnavailable:
            self._lanes.let_go(lease)
            raise
        except SQLAlchemyError:
            self._give_back(lease)
            raise
        finally:
            self._lanes.forget(lease)

    def _give_back(self, lease: Lease) -> None:
        """After the database failed: if it is well again, the lane need not wait for its lease to run out."""
        with suppress(SQLAlchemyError):
            self._lanes.let_go(lease)

    def _apply(
        self, lease: Lease, asked: Sequence[Ref], listed: Json | None = None, *, is_history: bool = False
    ) -> None:
        waiting = self._note(lease.lane)
        strays = [event for event in waiting if event.lane != lease.lane]
        visits = self._visits([event for event in waiting if event.lane == lease.lane], asked)
        for visit in visits:
            visit.is_asked = visit.ref in asked
            # Of what events wait for, people are to hear, however old it is.
            visit.is_history = is_history and visit.is_asked and not visit.events
            if listed is not None and visit.is_asked and not visit.events and not self._is_known(visit.ref):
                visit.answer, visit.state = "apply", listed
            if visit.answer == "read":
                self._read(visit)
        refs = {visit.ref for visit in visits}
        visits = self._with_parents(visits)
        noted = [event for event in waiting if event.lane == lease.lane and (event.ref is None or event.ref in refs)]
        with self._store.write() as connection:
            self._lanes.hold(connection, lease)
            effects = 0
            for visit in visits:
                facts = self._write(connection, visit)
                effects += self._effects.of_facts(connection, facts, lane=lease.lane, is_told=not visit.is_history)
            effects += self._mark(connection, noted, visits)
            self._send_home(connection, strays)
            self._lanes.release(connection, lease)
            if asked and effects:
                self._store.notify(connection)  # whoever asked may have no worker in its own process
        for visit in visits:
            if visit.ref in asked and visit.outcome == "failed" and visit.error:
                raise visit.error

    def _note(self, lane: str) -> list[Noted]:
        events = self._store.tables.events
        waiting = (
            select(events)
            .where(events.c.lane == lane, events.c.state.in_(("received", "parked")), events.c.next_at <= self._now())
            .order_by(events.c.seq)
            .limit(NOTED_MAX)
        )
        with self._store.read() as connection:
            return [noted_in(row) for row in connection.execute(waiting)]

    def _visits(self, noted: Iterable[Noted], asked: Iterable[Ref]) -> list[Visit]:
        """Each object once, parents first, with what to do about it. Those that are too many come in the next round."""
        visits = {ref: Visit(ref) for ref in asked}
        for event in noted:
            if event.ref and (event.ref in visits or len(visits) < VISITS_MAX):
                visits.setdefault(event.ref, Visit(event.ref)).events.append(event)
        ordered = sorted(visits.values(), key=rank)
        with self._store.read() as connection:
            for visit in ordered:
                if visit.ref not in asked:
                    choose(visit, self._known(connection, visit.ref))
        return ordered

    def _with_parents(self, visits: list[Visit]) -> list[Visit]:
        """The visits, and one more to each parent that is not here yet: a subscription does not wait for its owner."""
        found = {visit.ref: visit for visit in visits}
        for visit in visits:
            for ref in visit.mirrored.parents(visit.state) if visit.state else ():
                if ref not in found and not self._is_known(ref):
                    found[ref] = Visit(ref)
                    self._read(found[ref])
        return sorted(found.values(), key=rank)

    def _is_known(self, ref: Ref) -> bool:
        with self._store.read() as connection:
            return self._known(connection, ref) is not None

    def _known(self, connection: Connection, ref: Ref) -> Known | None:
        mirrored = BY_TYPE[ref.type]
        table = mirrored.table(self._store.tables)
        columns = (table.c.seen_at, table.c.payload_at, table.c.deleted_at)
        row = connection.execute(select(*columns).where(table.c[mirrored.key] == ref.id)).first()
        return Known(row.seen_at, row.payload_at, row.deleted_at is not None) if row else None

    def _read(self, visit: Visit) -> None:
        try:
            is_background = self._is_background or visit.is_late
            visit.state = read(self._stripe, visit.mirrored, visit.ref.id, is_background=is_background)
        except StripeRefused as refusal:
            if refusal.status == 401:
                # It is the key that is refused, so this is no object's fault: everything waits for a better one.
                raise StripeUnavailable(refusal.doing, refusal.message, tries=1) from refusal
            visit.outcome, visit.error = "failed", refusal

    def _write(self, connection: Connection, visit: Visit) -> list[Fact]:
        """Write one object, or leave everything as it was and note why."""
        if visit.outcome == "failed" or visit.answer == "ignore":
            return []
        payload_at = visit.seen_at if visit.answer == "apply" else None
        told = frozenset(event.type for event in visit.events)
        writing = Writing(self._store, connection, self._now(), self._plans, visit.seen_at, payload_at, told)
        try:
            with connection.begin_nested():
                facts = visit.mirrored.apply(writing, visit.state) if visit.state else []
                if visit.is_deleted or visit.state is None:
                    self._bury(connection, visit)
                elif visit.is_asked and not visit.state.get("deleted"):
                    self._dig_up(connection, visit)
        except Parked as reason:
            visit.outcome, visit.error = "parked", reason
        except OperationalError:
            raise  # the database's trouble, not this object's
        except Exception as error:
            visit.outcome, visit.error = "failed", error
        else:
            return facts
        return []

    def _bury(self, connection: Connection, visit: Visit) -> None:
        """Mark the row deleted. An object that neither Stripe nor we know may still come."""
        table = visit.mirrored.table(self._store.tables)
        row = table.c[visit.mirrored.key] == visit.ref.id
        if visit.state is None and not visit.mirrored.is_deletable:
            raise Parked(f"Stripe has no {visit.ref.type} {visit.ref.id}")
        if connection.execute(update(table).where(row).values(deleted_at=self._now())).rowcount == 0:
            raise Parked(f"Stripe has no {visit.ref.type} {visit.ref.id}, and neither have we")

    def _dig_up(self, connection: Connection, visit: Visit) -> None:
        """Stripe, asked for it by its id, shows an object that is said to be deleted here. No id is used again."""
        table = visit.mirrored.table(self._store.tables)
        buried = (table.c[visit.mirrored.key] == visit.ref.id, table.c.deleted_at.is_not(None))
        connection.execute(update(table).where(*buried).values(deleted_at=None))

    def _mark(self, connection: Connection, noted: Iterable[Noted], visits: Iterable[Visit]) -> int:
        """Write what became of each noted event; answers how many effects that gives."""
        by_ref = {visit.ref: visit for visit in visits}
        applied, effects = [], 0
        for event in noted:
            visit = by_ref[event.ref] if event.ref else None
            if visit is None or visit.outcome == "applied":
                applied.append(event.seq)
                effects += self._effects.of_event(connection, event.id, event.type)
            else:
                self._postpone(connection, event, visit)
        if applied:
            events = self._store.tables.events
            done = {"state": "applied", "applied_at": self._now(), "last_error": None}
            connection.execute(update(events).where(events.c.seq.in_(applied)).values(**done))
        return effects

    def _send_home(self, connection: Connection, strays: Iterable[Noted]) -> None:
        """An earlier version, which may still be running beside this one, kept some events in other lanes."""
        events = self._store.tables.events
        for stray in strays:
            connection.execute(update(events).where(events.c.seq == stray.seq).values(lane=stray.lane))

    def _postpone(self, connection: Connection, event: Noted, visit: Visit) -> None:
        attempts, now, error = event.attempts + 1, self._now(), visit.error
        if visit.outcome == "parked":
            again, state, reason = after_parking(attempts, event.received_at, now), "parked", str(error)
        else:
            again, state = after_failure(attempts, now), "received"
            reason = "".join(traceback.format_exception(error)) if error else ""
        what = "%s (%s) is given up: %s" if again is None else "%s (%s) is tried again later: %s"
        logger.log(40 if again is None else 30, what, event.id, event.type, error)
        events = self._store.tables.events
        change: dict[str, Any] = {
            "state": state if again else "dead",
            "attempts": attempts,
            "next_at": again or now,
            "last_error": redact(reason),
        }
        connection.execute(update(events).where(events.c.seq == event.seq).values(**change))
