"""Recording what users use: for limits, and for Stripe's meters.

    desk.record(user, "emails", 3, key=message.id)

A record is a row of the app's database, kept once for each `key`, and a fact,
which is told to Stripe's meter as any handler is run: again and again until it
has succeeded, and never twice.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from paydesk.billing.facts import Usage, UsageRecorded
from paydesk.billing.facts.subscriptions import LIVE
from paydesk.billing.log import get_logger
from paydesk.errors import UnknownMeter, UsageRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import stripe
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.customers import Customers, Payer
    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

QUANTITY_MAX = 10**12


class Usages:
    """Records what is used, adds it up, and tells Stripe."""

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        catalog: Catalog,
        customers: Customers,
        inbox: Inbox,
        *,
        livemode: bool,
        now: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        self._store = store
        self._table = store.tables.usage
        self._attempts = attempts
        self._meters = catalog.meters
        self._customers = customers
        self._inbox = inbox
        self._livemode = livemode
        self._now = now
        self._new_token = new_token
        self.verb = TellMeter()

    def record(
        self, user: Payer, code: str, quantity: int, *, key: str | None, used_at: datetime | None, db: Session | None
    ) -> bool:
        """Keep it; answers whether it is new. Raises UnknownMeter or UsageRefused."""
        self._check(code)
        if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= QUANTITY_MAX:
            raise UsageRefused(code, quantity)
        usage = Usage(f"use_{self._new_token()}", str(user.id), code, quantity, used_at or self._now())
        if db is not None:
            return self._keep(db.connection(), usage, key)
        with self._store.write() as connection:
            is_new = self._keep(connection, usage, key)
        self._inbox.ring()
        return is_new

    def used(self, user: Payer, code: str, since: datetime | None) -> int:
        """How much was used: in the period of the user's subscription, or in this month, unless said otherwise."""
        self._check(code)
        table = self._table
        with self._store.read() as connection:
            start = since or self._period_start(connection, user)
            theirs = (table.c.user_id == str(user.id), table.c.meter == code, table.c.livemode == self._livemode)
            total = select(func.coalesce(func.sum(table.c.quantity), 0)).where(*theirs, table.c.used_at >= start)
            return int(connection.scalar(total) or 0)

    def tell(self, recorded: UsageRecorded) -> None:
        """Tell Stripe's meter. Whoever is no customer of Stripe's owes nothing for it."""
        usage = recorded.usage
        meter, customer_id = self._meters.get(usage.meter), self._customers.known_id_of(usage.user_id)
        if meter is None or customer_id is None:
            logger.info("%s is not told to Stripe: there is no meter or no customer for it", usage.id)
            return
        params = {
            "event_name": meter.event_name,
            "payload": {"stripe_customer_id": customer_id, "value": str(usage.quantity)},
            # Stripe counts what carries one identifier once; the attempt sees to it when Stripe has forgotten.
            "identifier": usage.id,
            "timestamp": int(usage.used_at.timestamp()),
        }
        with self._store.write() as connection:
            if self._attempts.is_done(connection, self.verb, usage.id):
                return  # finished by somebody else, after our own try was cut off
            attempt = self._attempts.open(connection, self.verb, usage.id, params)
        self._attempts.finish(attempt)

    def _keep(self, connection: Connection, usage: Usage, key: str | None) -> bool:
        row = {
            "id": usage.id,
            "user_id": usage.user_id,
            "meter": usage.meter,
            "quantity": usage.quantity,
            "key": key,
            "livemode": self._livemode,
            "used_at": usage.used_at,
        }
        if not self._store.insert_new(connection, self._table, row):
            return False
        self._inbox.name(connection, UsageRecorded(usage))
        return True

    def _check(self, code: str) -> None:
        if code not in self._meters:
            raise UnknownMeter(code, known=self._meters)

    def _period_start(self, connection: Connection, user: Payer) -> datetime:
        table = self._store.tables.subscriptions
        theirs = (table.c.user_id == str(user.id), table.c.livemode == self._livemode)
        newest = select(table.c.current_period_start).where(*theirs, table.c.status.in_(sorted(LIVE)))
        start = connection.scalar(newest.order_by(table.c.slot != "main", table.c.created_at.desc()).limit(1))
        return start or self._now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class TellMeter:
    """The write that tells a meter of something that was used."""

    name = "meter_event"
    doing = "to count what was used"

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.billing.meter_events.create(attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Stripe adds it up; there is nothing to mirror."""

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """The handler that told it is tried again, or ends among the dead letters."""
