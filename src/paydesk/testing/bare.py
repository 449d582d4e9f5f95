"""The same without pytest: for unittest, and for scripts.

    class Billing(unittest.TestCase):
        def setUp(self) -> None:
            self.billing = self.enterContext(billing_for(desk, app, name=self.id()))

One local Stripe is started for the process, at the first use, and stopped at its end.
"""

from __future__ import annotations

import atexit
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from paydesk.testing.apps import App
from paydesk.testing.asgi import Loop
from paydesk.testing.beginning import BEGINS_AT, moment
from paydesk.testing.billing import Billing
from paydesk.testing.database import Database
from paydesk.testing.misuse import Misused
from paydesk.testing.secrets import Given
from paydesk.testing.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk import Paydesk


@dataclass(frozen=True)
class _Shared:
    """What all tests of a process share."""

    server: Server
    database: Database
    loop: Loop


@cache
def give_secrets() -> Given:
    """Give the app Secrets to be imported with: call it before the app is imported, as in `tests/__init__.py`."""
    given = Given()
    atexit.register(given.take_back)
    return given


@contextmanager
def billing_for(desk: Paydesk, app: Any = None, *, name: str) -> Iterator[Billing]:
    """What the fixture `billing` is in pytest: a desk wired to a Stripe and a database of the test's own.

    `name` is the test's; the same name sees the same ids each time.
    """
    shared = _shared()
    sandbox = shared.server.sandbox(name)
    billing = Billing(desk, sandbox, shared.database, None if app is None else App(app, shared.loop), seed=name)
    try:
        yield billing
        billing.close()
    finally:
        sandbox.forget()


@cache
def _shared() -> _Shared:
    if give_secrets.cache_info().currsize == 0:
        raise Misused(
            "The app was imported with whatever Secrets this machine has. Call paydesk.testing.give_secrets() before "
            "that: in tests/__init__.py, above everything else."
        )
    secrets = give_secrets()
    server = Server(moment(BEGINS_AT))
    shared = _Shared(server, Database(secrets.database_url), Loop("app-under-test"))
    for close in (server.close, shared.loop.close, shared.database.close):
        atexit.register(close)
    return shared
