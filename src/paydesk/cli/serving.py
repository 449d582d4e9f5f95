"""What commands that go on until they are stopped have in common."""

from __future__ import annotations

import logging
import signal
import threading


def told_to_stop() -> threading.Event:
    """Set by Ctrl-C or a TERM signal. The second one ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


def log_to_stderr() -> None:
    """Show what the library logs, without Secrets."""
    from paydesk.billing.log import Redacting

    handler = logging.StreamHandler()
    handler.addFilter(Redacting())
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler]
    )
