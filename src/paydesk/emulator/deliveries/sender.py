"""The sender: every delivery that is due is attempted, many at once, and its outcome kept.

What is being sent is marked so in the database. A server that dies meanwhile sends it
again when it is back: at least once, and in no promised order, exactly as Stripe does.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.deliveries import attempts, secrets, signature
from paydesk.emulator.deliveries.attempts import Delivery, Outcome
from paydesk.emulator.deliveries.client import Client
from paydesk.emulator.kernel import clock, versions

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Outbox
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

log = logging.getLogger("paydesk.local")

AT_ONCE_MAX = 50
# One receiver that does not answer must not take the places of all others.
AT_ONCE_PER_ENDPOINT_MAX = 10
# A machine that was suspended must not miss what fell due.
LONGEST_SLEEP_SECONDS = 30.0

_WAITING = (
    "FROM deliveries d JOIN sandboxes s ON s.number = d.sandbox "
    "WHERE d.state = 'waiting' AND d.endpoint NOT IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True)
class Posting:
    """What one attempt sends."""

    event_type: str
    url: str
    body: bytes
    signature: str


@dataclass(frozen=True)
class Attempted:
    """What watchers are told of an attempt."""

    event: str
    event_type: str
    url: str
    attempt: int
    outcome: Outcome


class Sender:
    """Sends what the outbox wrote."""

    def __init__(
        self, kernel: Kernel, outbox: Outbox, *, anywhere: bool = False, timeout_seconds: float = 10.0
    ) -> None:
        self._kernel = kernel
        self._sandboxes = kernel.sandboxes
        self._outbox = outbox
        self._client = Client(anywhere=anywhere, timeout_seconds=timeout_seconds, connections_max=AT_ONCE_MAX)
        self._woken = asyncio.Event()
        self._outcome = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once: Counter[str] = Counter()
        # Called on the server's thread after every attempt.
        self.watchers: list[Callable[[Attempted], None]] = []

    async def run(self) -> None:
        """Send whatever is due, for ever."""
        with self._kernel.store.transaction() as db:
            db.execute("UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'")
        self._kernel.listeners.append(self._after_commit)
        try:
            while True:
                self._woken.clear()
                while claimed := self._claim():
                    for delivery in claimed:
                        self._start(delivery)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._seconds_until_due()):
                        await self._woken.wait()
        finally:
            self._kernel.listeners.remove(self._after_commit)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._client.close()

    async def answered(self, event: str, timeout_seconds: float) -> bool:
        """Wait until every endpoint has answered its first attempt at an event, one way or another.

        False when time ran out first. What a fault delays or loses is not waited for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._until(lambda: not self._is_unanswered(event))
        return not self._is_unanswered(event)

    async def settle(self, sandbox: Sandbox, patience_seconds: float | None = None) -> bool:
        """Wait until nothing that is due in a sandbox is left unsent.

        With patience: or until no receiver has answered for so long; false then.
        """
        self._woken.set()
        while self.is_busy(sandbox, self._sandboxes.now(sandbox)):
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._outcome.wait()
            except TimeoutError:
                return False
        return True

    def is_busy(self, sandbox: Sandbox, moment: int) -> bool:
        """Whether something in a sandbox is being sent, or is to be sent until that moment."""
        row = self._kernel.store.db.execute(
            "SELECT 1 FROM deliveries WHERE sandbox = ? "
            "AND (state = 'sending' OR (state = 'waiting' AND due <= ?)) LIMIT 1",
            (sandbox.number, moment),
        ).fetchone()
        return row is not None

    def next_due(self, sandbox: Sandbox) -> int | None:
        """When the next delivery of a sandbox is due, in its own time; None when none waits."""
        (due,) = self._kernel.store.db.execute(
            "SELECT min(due) FROM deliveries WHERE state = 'waiting' AND sandbox = ?", (sandbox.number,)
        ).fetchone()
        return None if due is None else int(due)

    # One attempt

    def _start(self, delivery: Delivery) -> None:
        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._at_once -= Counter([delivery.endpoint])
            self._woken.set()
            self._outcome.set()
            self._outcome = asyncio.Event()
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("The outcome of sending %s could not be kept", delivery.event, exc_info=error)

        task = asyncio.create_task(self._attempt(delivery))
        self._tasks.add(task)
        self._at_once[delivery.endpoint] += 1
        task.add_done_callback(done)

    async def _attempt(self, delivery: Delivery) -> None:
        sandbox = self._sandboxes.numbered(delivery.sandbox)
        posting = self._kernel.within(sandbox, lambda world: self._prepared(world, delivery))
        if posting is None:
            return
        try:
            outcome = await self._client.post(posting.url, posting.body, posting.signature)
        except Exception as error:
            log.exception("Sending %s to %s failed", delivery.event, posting.url)
            outcome = Outcome(None, f"The local Stripe could not send it: {error!r}", 0)
        if outcome.is_refused:
            log.warning("%s was not sent to %s: %s", delivery.event, posting.url, outcome.answer)
        self._kernel.within(sandbox, lambda world: attempts.record(world, delivery, outcome))
        for watcher in self.watchers:
            watcher(Attempted(delivery.event, posting.event_type, posting.url, delivery.attempts + 1, outcome))

    def _prepared(self, world: World, delivery: Delivery) -> Posting | None:
        """What to send; None when the endpoint does not want it any more."""
        endpoint = world.find("webhook_endpoint", delivery.endpoint)
        event = world.find("event", delivery.event)
        if endpoint is None or endpoint["status"] != "enabled" or event is None:
            attempts.stop(world, delivery)
            return None
        shown = {**event, "api_version": versions.shown_as(endpoint["api_version"])}
        sent = _rendered({**shown, "created": shown["created"] + 1} if delivery.is_corrupt else shown)
        # Receivers compare with their own clocks: a sandbox's, which may stand still or be far ahead, does not sign.
        now = int(clock.real())
        valid = secrets.valid(endpoint, world.wall)
        header = signature.header(valid, now, _rendered(shown), livemode=world.livemode)
        return Posting(event["type"], endpoint["url"], sent, header)

    # What is due

    def _claim(self) -> list[Delivery]:
        """Mark what is due and may be sent now; nothing when there is nothing, or no room."""
        free = AT_ONCE_MAX - len(self._tasks)
        now = int(self._sandboxes.unpushed_now())
        if free <= 0:
            return []
        due = self._kernel.store.db.execute(
            f"SELECT d.seq, d.endpoint {_WAITING} AND d.due - s.ahead <= ? LIMIT ?",
            (self._full(), now, free),
        ).fetchall()
        room = Counter({endpoint: AT_ONCE_PER_ENDPOINT_MAX - self._at_once[endpoint] for _, endpoint in due})
        chosen = []
        for seq, endpoint in due:
            if room[endpoint] > 0:
                room[endpoint] -= 1
                chosen.append(seq)
        if not chosen:
            return []
        # Its commit is also that of the events: what is sent has happened for good.
        with self._kernel.store.transaction() as db:
            rows = db.execute(
                "UPDATE deliveries SET state = 'sending' WHERE seq IN (SELECT value FROM json_each(?)) "
                "RETURNING seq, sandbox, event, endpoint, attempts, is_corrupt",
                (json.dumps(chosen),),
            ).fetchall()
        return [Delivery(*row) for row in sorted(rows)]

    def _seconds_until_due(self) -> float:
        if len(self._tasks) >= AT_ONCE_MAX:
            return LONGEST_SLEEP_SECONDS
        (due,) = self._kernel.store.db.execute(
            f"SELECT min(d.due - s.ahead) {_WAITING}",
            (self._full(),),
        ).fetchone()
        if due is None:
            return LONGEST_SLEEP_SECONDS
        return min(max(0.0, float(due) - self._sandboxes.unpushed_now()), LONGEST_SLEEP_SECONDS)

    def _full(self) -> str:
        """The endpoints that get no more for now, as JSON."""
        return json.dumps([one for one, count in self._at_once.items() if count >= AT_ONCE_PER_ENDPOINT_MAX])

    def _is_unanswered(self, event: str) -> bool:
        rows = self._kernel.store.db.execute(
            "SELECT d.due - s.ahead FROM deliveries d JOIN sandboxes s ON s.number = d.sandbox "
            "WHERE d.event = ? AND d.attempts = 0 AND d.state IN ('waiting', 'sending')",
            (event,),
        ).fetchall()
        return any(due <= self._sandboxes.unpushed_now() for (due,) in rows)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self._outcome.wait()

    def _after_commit(self) -> None:
        if self._outbox.has_news:
            self._outbox.has_news = False
            self._woken.set()


def _rendered(event: dict[str, Any]) -> bytes:
    # Indented as Stripe's are, so that a receiver which checks its own re-serialised copy is found out here.
    return json.dumps(event, indent=2, ensure_ascii=False).encode()
