"""The worker inside a process that serves: its threads begin with the first request.

`manage.py migrate`, `check`, `shell` and every other command serve nothing, and start nothing. A server that loads the
project and forks then has a worker in each of its processes: they share the work by their leases.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from paydesk.billing.log import get_logger
from paydesk.django.lazy import desk
from paydesk.errors import PaydeskError

logger = get_logger(__name__)

AGAIN_SECONDS = 10.0


class Serving:
    """Starts the worker of this process, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun_in: int | None = None
        self._not_before = 0.0

    def on_request(self, sender: Any, **_: Any) -> None:
        """Django is about to answer somebody. The test client is nobody: its requests have another handler."""
        if self._begun_in == os.getpid() or not _is_server(sender):
            return
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._begun_in != os.getpid() and time.monotonic() >= self._not_before:
                self._begin()
        finally:
            self._lock.release()

    def _begin(self) -> None:
        try:
            if desk.settings.is_working:
                desk.start()
                atexit.register(desk.stop)
        except PaydeskError as error:
            # The rest of the site is none of our business, and goes on.
            logger.error("The worker did not start, and is tried again in %s s: %s", AGAIN_SECONDS, error)  # noqa: TRY400 - the sentence says it all
            self._not_before = time.monotonic() + AGAIN_SECONDS
        else:
            self._begun_in = os.getpid()


def _is_server(sender: Any) -> bool:
    return isinstance(sender, type) and issubclass(sender, WSGIHandler | ASGIHandler)


serving = Serving()
