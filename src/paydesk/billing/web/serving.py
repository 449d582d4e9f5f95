"""The worker of a process that serves people, in a framework that does not say when a process begins.

Under WSGI an app is imported by much that serves nobody: a shell, a migration, a server that is about to fork. So the
worker's threads begin with the first request that a process answers. They share the work with all others by its leases.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.log import get_logger
from paydesk.billing.store.engine import said_by
from paydesk.errors import PaydeskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.billing.desk import Paydesk

logger = get_logger(__name__)

AGAIN_SECONDS = 10.0


class Serving:
    """Starts the desk's worker in this process, once. After a fork, the child's is another process."""

    def __init__(self, desk: Paydesk, *, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._now_seconds = now_seconds
        self._lock = threading.Lock()
        self._begun_in: int | None = None
        self._not_before = float("-inf")

    def on_request(self) -> None:
        """Somebody is about to be answered. Called for each request, so it costs next to nothing."""
        if self._begun_in == os.getpid() or not self._lock.acquire(blocking=False):
            return
        try:
            if self._begun_in != os.getpid() and self._now_seconds() >= self._not_before:
                self._begin()
        finally:
            self._lock.release()

    def _begin(self) -> None:
        try:
            if self._desk.settings.is_working:
                self._desk.start()
                atexit.register(self._desk.stop)
        except (PaydeskError, SQLAlchemyError) as error:
            # The rest of the app is none of our business, and goes on.
            logger.error("The worker did not start, and is tried again in %s s: %s", AGAIN_SECONDS, said_by(error))  # noqa: TRY400 - the sentence says it all
            self._not_before = self._now_seconds() + AGAIN_SECONDS
        else:
            self._begun_in = os.getpid()
