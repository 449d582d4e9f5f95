"""Applying: the events of some lanes become rows, facts and effects.

What the events say by themselves, or nobody needs to know more of, is written at once, for many lanes in one
transaction. The other lanes are leased. Each object their events speak of is read from Stripe, once, with no
transaction open; then a transaction makes sure that the lane is still ours, writes what was read, and marks exactly the
events noted before. A read that began after an event was noted cannot be older than it: their order and number do not
matter.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.inbox.rounds import Rounds, known_of
from paydesk.billing.inbox.write import Writer
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.read import read
from paydesk.billing.mirror.sheet import Sheet
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from paydesk.billing.inbox.effects import Effects
    from paydesk.billing.inbox.lanes import DueLane, Lanes, Lease
    from paydesk.billing.inbox.rounds import Round
    from paydesk.billing.inbox.visits import Visit
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json, Ref
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# As many as one transaction stays short with, however many are waiting.
LANES_MAX = 64

# Other processes may be at the first ones. Then there are others to work on.
LOOKED_AT_MAX = 4 * LANES_MAX


class Applier:
    """Works on lanes."""

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
        self._rounds = Rounds(store, now)
        self._writer = Writer(store, lanes, effects, plans, now)
        self._is_background = is_background

    def apply_due(self) -> bool:
        """Work on some lanes that have something due; answers whether there were any."""
        leases = self.begin()
        if leases is not None:
            self.finish(leases)
        return leases is not None

    def begin(self) -> Iterable[Lease] | None:
        """Do what is done at once; answers leases for what needs a call, or None if there was nothing to do."""
        due = self._lanes.due(LOOKED_AT_MAX)
        for lanes in (due[start : start + LANES_MAX] for start in range(0, len(due), LANES_MAX)):
            leases = self._write_what_is_told(lanes)
            if leases is not None:
                return leases
        return None

    def finish(self, leases: Iterable[Lease]) -> None:
        """Work on leased lanes, one after the other, also where the database failed one of them."""
        trouble: SQLAlchemyError | None = None
        for lease in leases:
            try:
                self._apply(lease)
            except SQLAlchemyError as error:
                trouble = error
        if trouble is not None:
            raise trouble

    def apply_now(
        self, lease: Lease, refs: Sequence[Ref], *, listed: Json | None = None, is_history: bool = False
    ) -> None:
        """Read these objects of the lane and write them, with whatever else waits in the lane.

        `listed` is the only object as one of Stripe's lists showed it a moment ago: where nothing was ever written of
        it, there is nothing it could be older than. `is_history`: what it says happened before us, and nobody is told.

        Raises StripeUnavailable, StripeRefused, or LeaseLost; then nothing was written.
        """
        try:
            own = self._look(lease, refs, listed, is_history=is_history)
            self._read(own)
            self._writer.write_leased(own, lease)
        except StripeUnavailable:
            self._lanes.let_go(lease)
            raise
        except SQLAlchemyError:
            self._give_back(lease)
            raise
        finally:
            self._lanes.forget(lease)
        for visit in own.visits:
            if visit.is_asked and visit.outcome == "failed" and visit.error:
                raise visit.error

    def _write_what_is_told(self, lanes: Sequence[DueLane]) -> Iterable[Lease] | None:
        """Write the lanes for which nobody must be asked; answers leases for the others, or None if no lane is free."""
        leases: list[Lease] = []
        try:
            with self._store.write() as connection:
                self._store.give_way(connection)
                free = self._lanes.lock(connection, lanes)
                if not free:
                    return None
                sheet = Sheet(self._store, connection)
                rounds = self._rounds.of(sheet, free)
                self._writer.write(sheet, [each for each in rounds if not each.unread])
                leases = self._lanes.take(connection, [each.lane for each in rounds if each.unread])
        except Exception as error:
            for lease in leases:
                self._lanes.forget(lease)
            if isinstance(error, OperationalError) and not self._store.is_busy(error):
                raise  # the database's trouble, not theirs
            logger.debug("%d lanes are worked on one by one: %s", len(lanes), error)
            claims = (self._lanes.claim(lane.lane, is_due_only=True) for lane in lanes)
            return (lease for lease in claims if lease is not None)
        return leases

    def _apply(self, lease: Lease) -> None:
        """Work on one leased lane."""
        try:
            own = self._look(lease)
            self._read(own)
            self._writer.write_leased(own, lease)
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

    def _give_back(self, lease: Lease) -> None:
        """After the database failed: if it is well again, the lane need not wait for its lease to run out."""
        with suppress(SQLAlchemyError):
            self._lanes.let_go(lease)

    def _look(
        self, lease: Lease, asked: Sequence[Ref] = (), listed: Json | None = None, *, is_history: bool = False
    ) -> Round:
        """Note what waits in a leased lane, and what is to be done."""
        with self._store.read() as connection:
            sheet = Sheet(self._store, connection, is_writing=False)
            (own,) = self._rounds.of(sheet, [lease.lane], asked)
            for visit in own.visits:
                # Of what events wait for, people are to hear, however old it is.
                visit.is_history = is_history and visit.is_asked and not visit.events
                is_first = listed is not None and visit.is_asked and not visit.events
                if is_first and not known_of(sheet, [visit.ref]):
                    visit.answer, visit.state = "apply", listed
            self._rounds.add_parents(sheet, [own])
        return own

    def _read(self, of: Round) -> None:
        """Ask Stripe for what the round needs, parents that are missing included. Raises StripeUnavailable."""
        while unread := of.unread:
            for visit in unread:
                self._ask(visit)
            with self._store.read() as connection:
                self._rounds.add_parents(Sheet(self._store, connection, is_writing=False), [of])

    def _ask(self, visit: Visit) -> None:
        visit.has_been_read = True
        try:
            is_background = self._is_background or visit.is_late
            visit.state = read(self._stripe, visit.mirrored, visit.ref.id, is_background=is_background)
        except StripeRefused as refusal:
            if refusal.status == 401:
                # It is the key that is refused, so this is no object's fault: everything waits for a better one.
                raise StripeUnavailable(refusal.doing, refusal.message, tries=1) from refusal
            visit.outcome, visit.error = "failed", refusal
