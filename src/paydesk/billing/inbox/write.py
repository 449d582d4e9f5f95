"""Writing: rounds whose objects are known become rows, facts and effects, and their events are marked.

Rounds are written together: fifty lanes cost little more than one. If anything is wrong with one of them, none is
written, and each is written by itself: then one object's trouble stays that object's.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from paydesk.billing.inbox.effects import Named
from paydesk.billing.inbox.retry import after_failure, after_parking
from paydesk.billing.inbox.visits import BY_TYPE, rank
from paydesk.billing.log import get_logger, redact
from paydesk.billing.mirror.mirrored import Parked, Writing
from paydesk.billing.mirror.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from paydesk.billing.facts import Fact
    from paydesk.billing.inbox.effects import Effects
    from paydesk.billing.inbox.lanes import Lanes, Lease
    from paydesk.billing.inbox.rounds import Round
    from paydesk.billing.inbox.visits import Noted, Visit
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)


class Writer:
    """Writes rounds whose lanes are still ours."""

    def __init__(
        self, store: Store, lanes: Lanes, effects: Effects, plans: PlanFinder, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._events = store.tables.events
        self._lanes = lanes
        self._effects = effects
        self._plans = plans
        self._now = now

    def write(self, sheet: Sheet, rounds: Sequence[Round]) -> None:
        """Write rounds whose lanes are locked, together. If anything is wrong with one of them, it is raised."""
        visits = [(each.lane, visit) for each in rounds for visit in each.visits]
        visits.sort(key=lambda pair: rank(pair[1]))  # what others point at comes before them
        self._expect(sheet, (visit for _, visit in visits))
        named = [Named(lane, fact, not visit.is_history) for lane, visit in visits for fact in self._put(sheet, visit)]
        self._conclude(sheet.beside, rounds, named)

    def write_read(self, rounds: Sequence[Round]) -> list[Round]:
        """Write leased rounds together; answers those whose lanes were lost meanwhile, of which nothing is written.

        If anything is wrong with one of them, it is raised.
        """
        leases = [each.lease for each in rounds if each.lease is not None]
        with self._store.write() as connection:
            self._store.give_way(connection)
            held = self._lanes.hold_those(connection, leases)
            self.write(Sheet(self._store, connection), [each for each in rounds if each.lane in held])
            self._lanes.release_those(connection, held)
        return [each for each in rounds if each.lane not in held]

    def write_alone(self, each: Round, lease: Lease) -> None:
        """Write one. An object that cannot be written leaves its events waiting, and the others are written.

        Raises LeaseLost; then nothing was written.
        """
        with self._store.write() as connection:
            self._lanes.hold(connection, lease)
            sheet = Sheet(self._store, connection)
            self._expect(sheet, each.visits)
            named = [
                Named(each.lane, fact, not visit.is_history)
                for visit in each.visits
                for fact in self._try(sheet, connection, visit)
            ]
            effects = self._conclude(connection, [each], named)
            self._lanes.release(connection, lease)
            if effects and any(visit.is_asked for visit in each.visits):
                self._store.notify(connection)  # whoever asked may have no worker in its own process

    def _expect(self, sheet: Sheet, visits: Iterable[Visit]) -> None:
        """Say which rows will be asked for."""
        tables = self._store.tables
        for visit in visits:
            for ref in (visit.ref, *visit.parents) if visit.state else ():
                sheet.expect(BY_TYPE[ref.type].table(tables), ref.id)

    def _try(self, sheet: Sheet, connection: Connection, visit: Visit) -> list[Fact]:
        """Write one object, or leave everything as it was and note why."""
        try:
            with connection.begin_nested():
                facts = self._put(sheet, visit)
                sheet.write()
        except OperationalError:
            raise  # the database's trouble, not this object's
        except Parked as reason:
            visit.outcome, visit.error = "parked", reason
        except Exception as error:
            visit.fail(error)
        else:
            return facts
        sheet.discard()
        return []

    def _put(self, sheet: Sheet, visit: Visit) -> list[Fact]:
        """Put one object on the sheet, and name what is new about it."""
        if visit.outcome == "failed" or visit.answer == "ignore":
            return []
        payload_at = visit.seen_at if visit.answer == "apply" else None
        told = frozenset(event.type for event in visit.events)
        writing = Writing(sheet, self._now(), self._plans, visit.seen_at, payload_at, told)
        facts = visit.mirrored.apply(writing, visit.state) if visit.state else []
        if visit.is_deleted or visit.state is None:
            self._bury(sheet.database, visit)
        elif visit.is_asked and not visit.state.get("deleted"):
            self._dig_up(sheet.database, visit)
        return facts

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

    def _conclude(self, connection: Connection, rounds: Iterable[Round], named: Sequence[Named]) -> int:
        """Keep the facts and mark the events; answers how many effects that gives."""
        applied: list[Noted] = []
        for each in rounds:
            visits = {visit.ref: visit for visit in each.visits}
            done = {event.seq for event in each.applied}
            for event in each.noted:
                if event.seq in done:
                    applied.append(event)
                elif event.ref:
                    self._postpone(connection, event, visits[event.ref])
            self._send_home(connection, each.strays)
        effects = self._effects.of_round(connection, named, applied)
        if applied:
            marked = {"state": "applied", "applied_at": self._now(), "last_error": None}
            mine = self._store.among(self._events.c.seq, (event.seq for event in applied))
            connection.execute(update(self._events).where(mine).values(**marked))
        return effects

    def _send_home(self, connection: Connection, strays: Iterable[Noted]) -> None:
        for stray in strays:
            connection.execute(update(self._events).where(self._events.c.seq == stray.seq).values(lane=stray.lane))

    def _postpone(self, connection: Connection, event: Noted, visit: Visit) -> None:
        attempts, now, error = event.attempts + 1, self._now(), visit.error
        if visit.outcome == "parked":
            again, state, reason = after_parking(attempts, event.received_at, now), "parked", str(error)
        else:
            again, state = after_failure(attempts, now), "received"
            reason = "".join(traceback.format_exception(error)) if error else ""
        what = "%s (%s) is given up: %s" if again is None else "%s (%s) is tried again later: %s"
        logger.log(40 if again is None else 30, what, event.id, event.type, error)
        change: dict[str, Any] = {
            "state": state if again else "dead",
            "attempts": attempts,
            "next_at": again or now,
            "last_error": redact(reason),
        }
        connection.execute(update(self._events).where(self._events.c.seq == event.seq).values(**change))
