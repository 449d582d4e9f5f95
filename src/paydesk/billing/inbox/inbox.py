"""The inbox as the desk holds it: receive, refresh, and work, in threads or at once."""

from __future__ import annotations

import os
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from paydesk.billing.inbox.apply import Applier
from paydesk.billing.inbox.effects import Effects
from paydesk.billing.inbox.group_commit import GroupCommit
from paydesk.billing.inbox.jobs import LaneJobs
from paydesk.billing.inbox.lanes import Lanes, Lease, LeaseLost
from paydesk.billing.inbox.lookout import Lookout
from paydesk.billing.inbox.reading_list import ReadingList
from paydesk.billing.inbox.receive import Receipt, Receiver
from paydesk.billing.inbox.worker import Bell, Worker, wait_until
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.labels import relabel
from paydesk.billing.mirror.refs import IN_ANOTHERS_LANE
from paydesk.billing.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from paydesk.billing.facts import Fact
    from paydesk.billing.inbox.handlers import Handlers
    from paydesk.billing.inbox.signature import Signatures
    from paydesk.billing.inbox.worker import Patrol
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.mirror.refs import Json, Ref
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# How long somebody who wants to know now waits for a worker that is busy with the same thing.
REFRESH_WAIT_SECONDS = 5.0

# Stripe allows 100 reads a second in live mode and 25 in test mode, and takes a tenth of a second for one.
READS_AT_ONCE, READS_AT_ONCE_IN_TEST_MODE = 6, 3

LANE_THREADS = 2
EFFECT_THREADS = 1


class Inbox:
    """Events in, rows and effects out. Safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        stripe: Stripe,
        handlers: Handlers,
        signatures: Signatures,
        plans: PlanFinder,
        *,
        livemode: bool,
        now: Callable[[], datetime],
        chores: Sequence[Callable[[], object]] = (),
        watch: Watch | None = None,
    ) -> None:
        """`chores` are done by the worker at its start and every minute, and by `drain` each time."""
        watch = watch or Watch()
        self._store = store
        self._bell = Bell()
        self.lanes = Lanes(store, f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}", now)
        self.effects = Effects(store, handlers, now, watch)
        self._plans = plans
        self._is_labelled = False
        self._chores = (self.effects.register, self._relabel, *chores)
        parts = (store, stripe, self.lanes, self.effects, plans, now)
        self._applier = Applier(*parts, watch=watch)
        self._patient = Applier(*parts, watch=watch, is_background=True)
        self._reads_at_once = READS_AT_ONCE if livemode else READS_AT_ONCE_IN_TEST_MODE
        self._pool: ThreadPoolExecutor | None = None
        self._patrols: list[Patrol] = []
        self._commits = GroupCommit(store, self._bell.ring)
        self._receiver = Receiver(signatures, self._commits, livemode=livemode, now=now, watch=watch)
        self._worker: Worker | None = None
        self._worker_pid = os.getpid()

    def receive(self, body: bytes, header: str | None) -> Receipt:
        """Keep a webhook; see Receiver.receive."""
        return self._receiver.receive(body, header)

    async def receive_async(self, body: bytes, header: str | None) -> Receipt:
        """Keep a webhook without blocking the event loop; see Receiver.receive."""
        return await self._receiver.receive_async(body, header)

    def keep(self, events: Iterable[Json]) -> int:
        """Keep events that we fetched from Stripe ourselves; see Receiver.keep."""
        return self._receiver.keep(events)

    def refresh(self, ref: Ref, *, lane: str | None = None) -> bool:
        """Read an object from Stripe now, and apply it exactly as a webhook about it would.

        `lane` is named where it is not the object's own id: a subscription's and an invoice's is their customer, a
        dispute's is its payment intent, a price's its product.

        Answers False if a worker kept the lane busy for too long; what it is doing will be there soon. Raises
        StripeUnavailable, or StripeRefused if Stripe will not show an object.
        """
        if lane is None and ref.type in IN_ANOTHERS_LANE:
            raise ValueError(f"The lane of the {ref.type} {ref.id} is not its own: name it.")
        return self._refresh(self._applier, ref, lane or ref.id)

    def bring_in_line(self, ref: Ref, lane: str, *, listed: Json | None = None, is_history: bool = False) -> bool:
        """The same in the background, for an object that nobody waits for; see Applier.apply_now for the rest."""
        return self._refresh(self._patient, ref, lane, listed=listed, is_history=is_history)

    @contextmanager
    def alone_in(self, lane: str) -> Iterator[bool]:
        """Nobody else writes what the lane's events are about meanwhile; False if somebody keeps it busy."""
        lease = self._lease(lane)
        try:
            yield lease is not None
        finally:
            if lease is not None:
                self.lanes.let_go(lease)
                self.lanes.forget(lease)

    def _lease(self, lane: str) -> Lease | None:
        lease: Lease | None = None

        def is_leased() -> bool:
            nonlocal lease
            lease = self.lanes.claim(lane)
            return lease is not None

        wait_until(is_leased, REFRESH_WAIT_SECONDS)
        return lease

    def _refresh(self, applier: Applier, ref: Ref, lane: str, **options: Any) -> bool:
        lease = self._lease(lane)
        if lease is None:
            return False
        try:
            applier.apply_now(lease, [ref], **options)
        except LeaseLost as lost:
            logger.info("%s", lost)
            return False
        self._bell.ring()
        return True

    def name(self, connection: Connection, fact: Fact) -> None:
        """Keep a fact that the app brought about, with the work for its handlers, in the caller's transaction."""
        self.effects.of_facts(connection, [fact], lane=fact.about)
        self._store.notify(connection)

    def ring(self) -> None:
        """Wake this process's worker: something was committed."""
        self._bell.ring()

    def drain(self) -> None:
        """Do everything that is due now, in this thread, until nothing is left: for tests and scripts."""
        for chore in self._chores:
            chore()
        while self.apply_due() or self.effects.run_due():
            pass

    def _relabel(self) -> None:
        """The catalog is another one only after a restart."""
        if not self._is_labelled:
            relabel(self._store, self._plans)
            self._is_labelled = True

    def apply_due(self, *, is_background: bool = False) -> bool:
        """Work on some lanes that have something due; answers whether there were any."""
        return (self._patient if is_background else self._applier).apply_due()

    def patrol(self, patrol: Patrol) -> None:
        """Have the worker do this too, at its start and every minute, beside its other work.

        It may take long: it is called with a function that says whether the worker is to stop.
        """
        self._patrols.append(patrol)

    def renew(self) -> None:
        """Keep what is being worked on here from being offered to others. The worker does this by itself."""
        self.lanes.renew()
        self.effects.renew()

    def start(self, *, lane_threads: int = LANE_THREADS, effect_threads: int = EFFECT_THREADS) -> None:
        """Start the worker's threads in this process, unless they run here. A fork copies no threads."""
        if self._worker_pid != os.getpid():
            # What the parent is doing is the parent's to renew: if it dies, others are to take it over.
            self.lanes.leave_to_the_parent()
            self.effects.leave_to_the_parent()
        if self._worker is None or self._worker_pid != os.getpid():
            self._worker_pid = os.getpid()
            self.effects.register()
            self._pool = ThreadPoolExecutor(self._reads_at_once, "paydesk-read")
            lanes = LaneJobs(self._applier, ReadingList(), self._pool)
            jobs = [lanes.look, *[lanes.read] * lane_threads, *[self._effect_job()] * effect_threads]
            self._worker = Worker(
                self._store,
                self._bell,
                jobs=jobs,
                renew=self.renew,
                chores=self._chores,
                patrols=self._patrols,
            )
            self._worker.start()

    def _effect_job(self) -> Callable[[], bool]:
        lookout = Lookout(self.effects.claim, is_eager=True)

        def work() -> bool:
            claimed = lookout.find()
            if claimed is None:
                return False
            self._bell.ring()  # there may be more
            self.effects.run(claimed)
            return True

        return work

    def stop(self) -> None:
        """Stop the worker; what it was doing is finished first."""
        if self._worker:
            self._worker.stop()
            self._worker = None
        if self._pool:
            self._pool.shutdown()
            self._pool = None

    def close(self) -> None:
        """Stop the worker and the thread that keeps webhooks. The inbox cannot be used afterwards."""
        self.stop()
        self._commits.close()
