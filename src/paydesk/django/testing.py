"""Billing tests for a Django project: `manage.py test`, with a Stripe of its own for each test.

    class Selling(BillingTestCase):
        def test_a_book_is_on_the_shelf_once_it_is_paid(self):
            self.billing.buy(self.ada, "ebook")
            self.assertEqual(Copy.objects.count(), 1)

`self.billing` is what the fixture `billing` is to pytest; see `paydesk.testing`. What the desk commits, a test cannot
roll back: so this is a TransactionTestCase, which empties the tables instead, and ours with them.
"""

from __future__ import annotations

import atexit
from functools import cache
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler
from django.test import TransactionTestCase, override_settings

from paydesk.django import wiring
from paydesk.django.database import url_of
from paydesk.django.lazy import lazy
from paydesk.testing import Billing
from paydesk.testing.apps import App
from paydesk.testing.asgi import Loop
from paydesk.testing.beginning import BEGINS_AT, moment
from paydesk.testing.database import Database
from paydesk.testing.secrets import SECRETS
from paydesk.testing.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk import Paydesk

# Until a test has a Stripe, the desk has one that does not answer.
SAID = {wiring.KEYS.get(name, name): value for name, value in SECRETS.items()}


class BillingTestCase(TransactionTestCase):
    """A test with `self.billing`: the project's desk, wired to a Stripe, a time and tables of the test's own."""

    def setUp(self) -> None:
        """Make everything anew."""
        super().setUp()
        shared = _shared()
        self.enterContext(override_settings(PAYDESK={**wiring.said(), **SAID}))
        sandbox = shared.server.sandbox(self.id())
        self.addCleanup(sandbox.forget)
        app = App(WSGIHandler(), shared.loop)
        self.billing = Billing(lazy.itself(), sandbox, _TestDatabase(), app, seed=self.id())

    def tearDown(self) -> None:
        """Raises Misused where something the test asked for never came."""
        self.billing.close()
        super().tearDown()
        # PostgreSQL drops no database that somebody is connected to.
        lazy.close()


class _TestDatabase(Database):
    """Django's test database, as it is now."""

    def __init__(self) -> None:
        super().__init__(url_of(wiring.alias()))

    def renew(self, desk: Paydesk, shelf: str | None, stock: Callable[[], None]) -> None:
        """Django empties its own tables, and not ours."""
        desk.open()
        self._empty(desk)
        stock()


class _Shared:
    """What all tests of a process share."""

    def __init__(self) -> None:
        self.server = Server(moment(BEGINS_AT))
        self.loop = Loop("app-under-test")
        for close in (self.server.close, self.loop.close):
            atexit.register(close)


@cache
def _shared() -> _Shared:
    return _Shared()
