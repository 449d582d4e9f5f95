"""The relay: what happened, told to other services, in order and once.

A fact leaves in three steps: it is written to the stream, the stream says that it has it, and the row says so too. A
relay that dies in between is followed by one that does not know how far it came. That one looks at the end of the
stream first, so nothing is in it twice, however long the gap was. Of several relays one works at a time; the others
stand by. One that overslept finds that the stream does not end where it thought, and writes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from paydesk.billing.inbox.lanes import LeaseLost
from paydesk.billing.inbox.worker import Bell, Worker
from paydesk.billing.log import get_logger
from paydesk.billing.relay.jetstream import Message, NotTheEnd
from paydesk.billing.relay.outbox import Outbox
from paydesk.errors import RelayUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.inbox.lanes import Lanes, Lease
    from paydesk.billing.relay.jetstream import JetStream
    from paydesk.billing.relay.outbox import Posted
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

LANE = "relay"
BATCH = 256


class Relay:
    """Facts, from the table to the stream. `start` and `stop` may each be called once."""

    def __init__(self, store: Store, lanes: Lanes, stream: JetStream, now: Callable[[], datetime]) -> None:
        self.outbox = Outbox(store, now)
        self._store = store
        self._lanes = lanes
        self._stream = stream
        self._worker = Worker(store, Bell(), jobs=[self._send_when_possible], renew=lanes.renew, chores=[])
        # The lease under which we last wrote and said so, and where the stream ended after that.
        self._end: tuple[int, int] | None = None
        self._is_out = False

    def start(self) -> None:
        """Send what waits, and what comes, in a thread."""
        self._worker.start()

    def stop(self) -> None:
        """Finish what is under way, and hang up."""
        self._worker.stop()
        self._stream.close()

    def send_due(self) -> int:
        """Send the oldest of what waits, if nobody else is at it; answers how many.

        Raises RelayUnavailable; what was under way is sent again, or found to be there.
        """
        if not self.outbox.waiting(1):
            return 0
        lease = self._lanes.claim(LANE)
        if lease is None:
            return 0
        is_released = False
        try:
            waiting = self.outbox.waiting(BATCH)
            end = self._send(waiting, lease)
            with self._store.write() as connection:
                self._lanes.hold(connection, lease)
                self.outbox.mark(connection, waiting)
                self._lanes.release(connection, lease)
            is_released, self._end = True, (lease.token, end)
        except (LeaseLost, NotTheEnd):
            return 0
        finally:
            if not is_released:
                self._lanes.let_go(lease)
            self._lanes.forget(lease)
        return len(waiting)

    def _send(self, waiting: list[Posted], lease: Lease) -> int:
        """Write to the stream what is not in it yet; answers where it ends then."""
        end, known = self._known_end(lease)
        # Until the rows say so too, whatever becomes of this, the next try has to look at the stream first.
        self._end = None
        return self._stream.append([self._message(each) for each in waiting if each.key not in known], end)

    def _known_end(self, lease: Lease) -> tuple[int, set[str]]:
        """Where the stream ends. Unless the last who wrote was us, and knew what came of it, what is there is read."""
        if self._end is not None and self._end[0] == lease.token - 1:
            return self._end[1], set()
        return self._stream.end(newest=BATCH)

    def _message(self, posted: Posted) -> Message:
        subject = f"{self._stream.config.subject}.{token(posted.customer)}.{posted.type}"
        return Message(posted.key, subject, posted.body)

    def _send_when_possible(self) -> bool:
        try:
            sent = self.send_due()
        except RelayUnavailable as error:
            if not self._is_out:
                logger.warning("%s Nothing is lost: it is tried again until it can be told.", error)
            self._is_out = True
            return False
        if self._is_out and sent:
            logger.info("JetStream answers again.")
            self._is_out = False
        return bool(sent)


def token(name: str) -> str:
    """A name as one token of a subject, which may hold neither dots nor spaces nor wildcards."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)
