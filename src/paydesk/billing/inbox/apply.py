"""Applying: the events of some lanes become rows, facts and effects.

What the events say by themselves, or nobody needs to know more of, is written at once, for many lanes in one
transaction. The other lanes are leased in it. Each object their events speak of is read from Stripe, once, with no
transaction open; then a transaction makes sure that the lanes are still ours, writes what was read, and marks exactly
the events noted before. A read that began after an event was noted cannot be older than it: their order and number do
not matter.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from paydesk.billing.inbox.asking import Asker
from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.inbox.rounds import Rounds, known_of
from paydesk.billing.inbox.write import Writer
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.sheet import Sheet
from paydesk.billing.watch import Watch
from paydesk.errors import StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from concurrent.futures import Executor
    from contextvars import Context
    from datetime import datetime

    from paydesk.billing.inbox.effects import Effects
    from paydesk.billing.inbox.lanes import DueLane, Lanes, Lease
    from paydesk.billing.inbox.rounds import Round
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json, Ref
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store
    from paydesk.billing.watch import Act

logger = get_logger(__name__)

# As many as one transaction stays short with, however many are waiting.
LANES_MAX = 64

# Other processes may be at the first ones. Then there are others to work on.
LOOKED_AT_MAX = 4 * LANES_MAX

# Each may wait for Stripe. What is not taken is there for other threads and machines meanwhile.
LEASES_MAX = 16


@dataclass
class Found:
    """What was made of some lanes: those to read for, leased or to be left until later; and those to do one by one."""

    leased: list[Round] = field(default_factory=list)
    unread: list[Round] = field(default_factory=list)
    in_trouble: list[str] = field(default_factory=list)


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
        watch: Watch | None = None,
    ) -> None:
        """`is_background`: nobody waits for what is done, so each call to Stripe leaves others the way."""
        self._store = store
        self._lanes = lanes
        self._now = now
        self._watch = watch or Watch()
        self._rounds = Rounds(store, now)
        self._asker = Asker(store, stripe, self._rounds, is_background=is_background)
        self._writer = Writer(store, lanes, effects, plans, now)

    def apply_due(self) -> bool:
        """Work on some lanes that have something due, in this thread; answers whether there were any."""
        found = self.look(lambda _: True)
        if found is not None:
            self.read(found.leased)
            self.work_alone(found.in_trouble)
        return found is not None

    def look(self, is_to_lease: Callable[[Round], bool], *, besides: Collection[str] = ()) -> Found | None:
        """Look for lanes in which something is due, and write what is told; None if there are none."""
        due = self._lanes.due(LOOKED_AT_MAX, besides=besides)
        for lanes in (due[start : start + LANES_MAX] for start in range(0, len(due), LANES_MAX)):
            found = self.look_at(lanes, is_to_lease)
            if found is not None:
                return found
        return None

    def look_at(self, lanes: Sequence[DueLane], is_to_lease: Callable[[Round], bool]) -> Found | None:
        """Write the lanes for which nobody must be asked, and lease some of the others; None if no lane is free."""
        if not lanes:
            return None
        with self._watch.during("apply") as act:
            return self._look_at(act, lanes, is_to_lease)

    def _look_at(self, act: Act, lanes: Sequence[DueLane], is_to_lease: Callable[[Round], bool]) -> Found | None:
        leased: list[Round] = []
        try:
            with self._store.write() as connection:
                self._store.give_way(connection)
                free = self._lanes.lock(connection, lanes)
                if not free:
                    act.outcome = "nothing"
                    return None
                sheet = Sheet(self._store, connection)
                rounds = self._rounds.of(sheet, free)
                unread = [each for each in rounds if each.unread]
                told = [each for each in rounds if not each.unread]
                self._writer.write(sheet, told)
                leased = [each for each in unread if is_to_lease(each)][:LEASES_MAX]
                leases = self._lanes.take(connection, [each.lane for each in leased])
                for each, lease in zip(leased, leases, strict=True):
                    each.lease = lease
        except Exception as error:
            self._forget(leased)
            if isinstance(error, OperationalError) and not self._store.is_busy(error):
                raise  # the database's trouble, not theirs
            logger.debug("%d lanes are worked on one by one: %s", len(lanes), error)
            act.outcome = "in_trouble"
            return Found(in_trouble=[lane.lane for lane in lanes])
        self._tell(act, "told", told)
        return Found(leased, [each for each in unread if each.lease is None])

    def read(self, rounds: Sequence[Round], pool: Executor | None = None) -> None:
        """Ask Stripe what leased rounds need, several at once if there is a pool, and write them together."""
        if not rounds:
            return
        try:
            with self._watch.during("apply") as act:
                # What is told of a call in the pool's threads belongs to what is told of this.
                contexts = [copy_context() for _ in rounds]
                asked = (pool.map if pool is not None else map)(self._is_answered_in, contexts, rounds)
                answered = [each for each, is_answered in zip(rounds, asked, strict=True) if is_answered]
                self._tell(act, "read", self._write(answered))
        except OperationalError:
            for each in rounds:
                self._give_back(lease_of(each))
            raise
        finally:
            self._forget(rounds)

    def work_alone(self, lanes: Iterable[str]) -> None:
        """Work on these lanes one by one, as far as they are free and something is due in them."""
        for lane in lanes:
            lease = self._lanes.claim(lane, is_due_only=True)
            if lease is None:
                continue
            try:
                self._work_alone(lease)
            except OperationalError:
                self._give_back(lease)
                raise
            finally:
                self._lanes.forget(lease)

    def apply_now(
        self, lease: Lease, refs: Sequence[Ref], *, listed: Json | None = None, is_history: bool = False
    ) -> None:
        """Read these objects of the lane and write them, with whatever else waits in the lane.

        `listed` is the only object as one of Stripe's lists showed it a moment ago: where nothing was ever written of
        it, there is nothing it could be older than. `is_history`: what it says happened before us, and nobody is told.

        Raises StripeUnavailable, StripeRefused, or LeaseLost; then nothing was written.
        """
        try:
            with self._watch.during("apply", lane=lease.lane) as act:
                own = self._note(lease, refs, listed, is_history=is_history)
                self._asker.ask(own)
                self._writer.write_alone(own, lease)
                self._tell(act, "alone", [own])
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

    def _note(
        self, lease: Lease, asked: Sequence[Ref] = (), listed: Json | None = None, *, is_history: bool = False
    ) -> Round:
        """Note what waits in a leased lane, and what is to be done."""
        with self._store.read() as connection:
            sheet = Sheet(self._store, connection, is_writing=False)
            (own,) = self._rounds.of(sheet, [lease.lane], asked)
            own.lease = lease
            for visit in own.visits:
                # Of what events wait for, people are to hear, however old it is.
                visit.is_history = is_history and visit.is_asked and not visit.events
                is_first = listed is not None and visit.is_asked and not visit.events
                if is_first and not known_of(sheet, [visit.ref]):
                    visit.answer, visit.state = "apply", listed
            self._rounds.add_parents(sheet, [own])
        return own

    def _is_answered(self, each: Round) -> bool:
        """Whether Stripe has answered all that the round asks. If not, its lane is left alone for a while."""
        try:
            self._asker.ask(each)
        except StripeUnavailable as silence:
            until = self._lanes.back_off(lease_of(each))
            logger.warning("%s waits until %s: %s", each.lane, until.isoformat(timespec="seconds"), silence)
            return False
        return True

    def _is_answered_in(self, context: Context, each: Round) -> bool:
        return context.run(self._is_answered, each)

    def _tell(self, act: Act, outcome: str, rounds: Sequence[Round]) -> None:
        """Tell what was written, and how long each event had to wait for it."""
        now = self._now()
        lags = [(now - event.received_at).total_seconds() for each in rounds for event in each.applied]
        act.outcome = outcome
        act.about |= {"lanes": len(rounds), "events": len(lags), "lags": lags}

    def _write(self, rounds: Sequence[Round]) -> list[Round]:
        """Write them together, or each by itself if anything is wrong with one of them; answers those written."""
        if len(rounds) > 1:
            try:
                lost = self._writer.write_read(rounds)
            except Exception as error:
                if isinstance(error, OperationalError) and not self._store.is_busy(error):
                    raise  # the database's trouble, not theirs
                logger.debug("%d lanes are written one by one: %s", len(rounds), error)
            else:
                for each in lost:
                    logger.info("%s", LeaseLost(each.lane))
                return [each for each in rounds if each not in lost]
        return [each for each in rounds if self._write_alone(each)]

    def _work_alone(self, lease: Lease) -> None:
        try:
            own = self._note(lease)
        except OperationalError:
            raise
        except Exception as error:
            self._leave_alone(lease, error)
        else:
            with self._watch.during("apply", lane=lease.lane) as act:
                is_written = self._is_answered(own) and self._write_alone(own)
                self._tell(act, "alone", [own] if is_written else [])

    def _write_alone(self, each: Round) -> bool:
        lease = lease_of(each)
        try:
            self._writer.write_alone(each, lease)
        except LeaseLost as lost:
            logger.info("%s", lost)
        except OperationalError:
            raise
        except Exception as error:
            self._leave_alone(lease, error)
        else:
            return True
        return False

    def _leave_alone(self, lease: Lease, error: Exception) -> None:
        """Not even what is wrong can be written down. The lane's events wait, and all others go on."""
        until = self._lanes.back_off(lease)
        what = "%s cannot be worked on, and waits until %s"
        logger.error(what, lease.lane, until.isoformat(timespec="seconds"), exc_info=error)

    def _give_back(self, lease: Lease) -> None:
        """After the database failed: if it is well again, the lane need not wait for its lease to run out."""
        with suppress(SQLAlchemyError):
            self._lanes.let_go(lease)

    def _forget(self, rounds: Iterable[Round]) -> None:
        for each in rounds:
            if each.lease is not None:
                self._lanes.forget(each.lease)


def lease_of(each: Round) -> Lease:
    """The lease of a round that has one."""
    if each.lease is None:
        raise AssertionError(f"{each.lane} is read for, and not leased")
    return each.lease
