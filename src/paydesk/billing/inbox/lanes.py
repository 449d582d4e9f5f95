"""Lanes: who may work on which events, and for how long.

Events about one thing share a lane, and a lane is worked on by one worker at a time. A worker leases it; a lease
expires, so a lane whose worker died is offered again. A worker that was only slow finds, before it writes, that its
token is no longer the lane's, and throws its work away.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from paydesk.billing.inbox.retry import after_outage
from paydesk.billing.store.states import UNFINISHED, in_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from paydesk.billing.store.store import Store

LEASE = timedelta(seconds=30)

# A living worker renews its leases, but not for ever: a thread that hangs must let go too.
LEASE_MAX = timedelta(minutes=5)


class LeaseLost(Exception):
    """Somebody else has the lane by now. Whatever was read under this lease may be old."""

    def __init__(self, lane: str) -> None:
        super().__init__(f"The lane {lane} was taken over while Stripe was answering.")


@dataclass(frozen=True)
class Lease:
    """The right to write what a lane's events are about. `failures` counts Stripe's silences in a row."""

    lane: str
    token: int
    taken_at: datetime
    failures: int


class DueLane(NamedTuple):
    """A lane in which something is due. `is_known`: it has a row."""

    lane: str
    is_known: bool


class Lanes:
    """The lanes of one store, seen by one worker process (`owner`)."""

    def __init__(self, store: Store, owner: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._lanes = store.tables.lanes
        self._events = store.tables.events
        self._owner = owner
        self._now = now
        self._held: dict[str, Lease] = {}
        self._held_lock = threading.Lock()

    def due(self, number: int, *, besides: Collection[str] = ()) -> list[DueLane]:
        """The free lanes whose events have waited longest, of so many events. `besides` names lanes to leave out."""
        events, lanes, now = self._events, self._lanes, self._now()
        is_free = or_(lanes.c.lane.is_(None), and_(self._is_unleased(now), lanes.c.due_at <= now))
        waiting = (
            select(events.c.lane, lanes.c.lane.is_not(None).label("is_known"))
            .select_from(events.outerjoin(lanes, lanes.c.lane == events.c.lane))
            .where(in_state(events, *UNFINISHED), events.c.next_at <= now, is_free)
            .order_by(events.c.next_at, events.c.seq)
            .limit(number)
        )
        if besides:
            waiting = waiting.where(self._store.not_among(events.c.lane, besides))
        with self._store.read() as connection:
            return list(dict.fromkeys(DueLane(*row) for row in connection.execute(waiting)))

    def lock(self, connection: Connection, lanes: Iterable[DueLane]) -> list[str]:
        """Those of the lanes that are still free. Nobody else works on them until this transaction ends.

        What is done within one transaction needs no lease.
        """
        table, now, wanted = self._lanes, self._now(), {lane.lane: lane for lane in lanes}
        # All who lock several lanes do it in one order.
        new = [{"lane": lane, "due_at": now, "lease_token": 0} for lane in sorted(wanted) if not wanted[lane].is_known]
        if new:
            insert = (postgresql if self._store.is_postgresql else sqlite).insert(table)
            connection.execute(insert.on_conflict_do_nothing(), new)
        is_free = (self._store.among(table.c.lane, wanted), self._is_unleased(now), table.c.due_at <= now)
        free = select(table.c.lane, table.c.lease_owner).where(*is_free).order_by(table.c.lane)
        rows = connection.execute(self._store.locked(free, skip_locked=True)).all()
        if overslept := [row.lane for row in rows if row.lease_owner is not None]:
            # Whoever had it may still come to write what was read back then. The next token is not theirs.
            nobodys = {"lease_owner": None, "lease_expires_at": None, "lease_token": table.c.lease_token + 1}
            connection.execute(update(table).where(self._store.among(table.c.lane, overslept)).values(**nobodys))
        return [row.lane for row in rows]

    def take(self, connection: Connection, lanes: Sequence[str]) -> list[Lease]:
        """Lease lanes that are locked, in the order given."""
        if not lanes:
            return []
        table, now = self._lanes, self._now()
        ours = {"lease_owner": self._owner, "lease_expires_at": now + LEASE, "lease_token": table.c.lease_token + 1}
        statement = update(table).where(self._store.among(table.c.lane, lanes)).values(**ours)
        taken = connection.execute(statement.returning(table.c.lane, table.c.lease_token, table.c.failures))
        rows = {row.lane: row for row in taken}
        return self._keep([Lease(lane, rows[lane].lease_token, now, rows[lane].failures) for lane in lanes])

    def claim(self, lane: str, *, is_due_only: bool = False) -> Lease | None:
        """Lease this lane, if it is free."""
        # Its events are not locked on the way: whoever applies one holds its lane, and we would wait for each other.
        with self._store.write() as connection:
            return self._claim(connection, lane, is_due_only=is_due_only)

    def hold(self, connection: Connection, lease: Lease) -> None:
        """Make sure, inside the writing transaction, that the lane is still ours; nobody else can take it until then.

        Raises LeaseLost. A lease that ran out but that nobody took is still good: nobody wrote meanwhile.
        """
        if not self._update(connection, lease, lease_expires_at=self._now() + LEASE):
            raise LeaseLost(lease.lane)

    def hold_those(self, connection: Connection, leases: Iterable[Lease]) -> set[str]:
        """The same for several leases: the lanes that are still ours."""
        return self._ours(connection, leases)

    def release_those(self, connection: Connection, held: Iterable[str]) -> None:
        """Give lanes back that are held in this transaction. Their work is done when it commits."""
        free = {"lease_owner": None, "lease_expires_at": None, "failures": 0, "due_at": self._now()}
        connection.execute(update(self._lanes).where(self._store.among(self._lanes.c.lane, held)).values(**free))

    def release(self, connection: Connection, lease: Lease) -> None:
        """Give the lane back. Its work is done when this transaction commits."""
        self._update(connection, lease, lease_owner=None, lease_expires_at=None, failures=0, due_at=self._now())

    def let_go(self, lease: Lease) -> None:
        """Give the lane back unchanged, with nothing done."""
        with self._store.write() as connection:
            self._update(connection, lease, lease_owner=None, lease_expires_at=None)

    def back_off(self, lease: Lease) -> datetime:
        """Give the lane back and leave it alone for a while; answers until when."""
        until = after_outage(lease.failures + 1, self._now())
        with self._store.write() as connection:
            failures = lease.failures + 1
            self._update(connection, lease, lease_owner=None, lease_expires_at=None, failures=failures, due_at=until)
        return until

    def forget(self, lease: Lease) -> None:
        """Stop renewing the lease. Comes after release, back_off, or an error that prevented both."""
        with self._held_lock:
            if self._held.get(lease.lane) == lease:
                del self._held[lease.lane]

    def renew(self) -> None:
        """Lengthen the leases held here that are not too old. A living worker calls this every few seconds."""
        now = self._now()
        with self._held_lock:
            held = [lease for lease in self._held.values() if now - lease.taken_at < LEASE_MAX]
        if held:
            with self._store.write() as connection:
                # What somebody has locked is just being written, or taken over: neither waits for us.
                ours = self._ours(connection, held, skip_locked=True)
                mine = update(self._lanes).where(self._store.among(self._lanes.c.lane, ours))
                connection.execute(mine.values(lease_expires_at=now + LEASE))

    def leave_to_the_parent(self) -> None:
        """After a fork: nothing is held here yet. The lock may have been copied in the middle of somebody's use."""
        self._held, self._held_lock = {}, threading.Lock()

    def _claim(self, connection: Connection, lane: str, *, is_due_only: bool) -> Lease | None:
        lanes, now = self._lanes, self._now()
        insert = (postgresql if self._store.is_postgresql else sqlite).insert(lanes)
        statement = (
            insert.values(
                lane=lane,
                due_at=now,
                lease_owner=self._owner,
                lease_token=1,
                lease_expires_at=now + LEASE,
            )
            .on_conflict_do_update(
                index_elements=["lane"],
                set_={
                    "lease_owner": insert.excluded.lease_owner,
                    "lease_token": lanes.c.lease_token + 1,
                    "lease_expires_at": insert.excluded.lease_expires_at,
                },
                where=and_(self._is_unleased(now), lanes.c.due_at <= now) if is_due_only else self._is_unleased(now),
            )
            .returning(lanes.c.lease_token, lanes.c.failures)
        )
        taken = connection.execute(statement).first()
        if taken is None:
            return None
        (lease,) = self._keep([Lease(lane, taken.lease_token, now, taken.failures)])
        return lease

    def _keep(self, leases: list[Lease]) -> list[Lease]:
        """Renew them from now on."""
        with self._held_lock:
            self._held |= {lease.lane: lease for lease in leases}
        return leases

    def _ours(self, connection: Connection, leases: Iterable[Lease], *, skip_locked: bool = False) -> set[str]:
        """Lock those of the lanes that are still ours; answers which."""
        table, tokens = self._lanes, {lease.lane: lease.token for lease in leases}
        mine = (self._store.among(table.c.lane, tokens), table.c.lease_owner == self._owner)
        # All who lock several lanes do it in one order.
        query = select(table.c.lane, table.c.lease_token).where(*mine).order_by(table.c.lane)
        rows = connection.execute(self._store.locked(query, skip_locked=skip_locked)).all()
        return {row.lane for row in rows if tokens[row.lane] == row.lease_token}

    def _is_unleased(self, now: datetime) -> ColumnElement[bool]:
        expires_at = self._lanes.c.lease_expires_at
        return or_(expires_at.is_(None), expires_at <= now)

    def _update(self, connection: Connection, lease: Lease, **values: Any) -> bool:
        lanes = self._lanes
        ours = and_(lanes.c.lane == lease.lane, lanes.c.lease_owner == self._owner, lanes.c.lease_token == lease.token)
        return connection.execute(update(lanes).where(ours).values(**values)).rowcount == 1
