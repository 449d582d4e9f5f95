"""The ledger, looked at: orders against the money they are for, and work that nobody does.

Whether a row is as Stripe says, the lists show. This is about what follows from it: that whoever paid was served, and
that nobody was served who did not pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import String, cast, exists, func, literal, or_, select

from paydesk.billing.store.states import UNFINISHED, in_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store

Trouble = Literal["paid_not_fulfilled", "fulfilled_not_paid", "dead", "waiting"]

# What is due for longer than this is due to nobody: there is no worker, or no handler of that name.
WAITING_MAX = timedelta(minutes=10)


@dataclass(frozen=True)
class Finding:
    """Something in the ledger or the inbox that a person should look at. `session_id` can put an order right."""

    trouble: Trouble
    subject: str
    detail: str
    session_id: str | None = None


class Ledger:
    """Looks through orders, events and effects. Asks the database alone."""

    def __init__(self, store: Store, *, livemode: bool, now: Callable[[], datetime]) -> None:
        self._store = store
        self._livemode = livemode
        self._now = now

    def findings(self, *, since: datetime | None = None) -> list[Finding]:
        """What is wrong with orders made since then, and with any event or effect."""
        with self._store.read() as connection:
            return [*self._orders(connection, since), *self._events(connection), *self._effects(connection)]

    def _orders(self, connection: Connection, since: datetime | None) -> Iterator[Finding]:
        tables = self._store.tables
        orders, payments, facts = tables.orders, tables.payments, tables.facts
        ours = or_(orders.c.livemode.is_(None), orders.c.livemode == self._livemode)
        chosen = [ours] if since is None else [ours, orders.c.created_at >= since]
        is_paid = orders.c.status.in_(("paid", "refunded"))
        succeeded = exists().where(payments.c.id == orders.c.payment_intent_id, payments.c.status == "succeeded")
        unserved = select(orders.c.id, orders.c.status, orders.c.session_id).where(*chosen, ~is_paid, succeeded)
        for row in connection.execute(unserved.order_by(orders.c.id)):
            yield Finding("paid_not_fulfilled", row.id, f"{row.status}, though its payment succeeded", row.session_id)
        named = exists().where(facts.c.key == literal("order.paid:", String) + cast(orders.c.id, String))
        untold = select(orders.c.id, orders.c.session_id).where(*chosen, is_paid, ~named)
        for order_id, session_id in connection.execute(untold.order_by(orders.c.id)):
            yield Finding("paid_not_fulfilled", order_id, "paid, and no handler was ever told", session_id)
        served = select(orders.c.id, orders.c.object, orders.c.payment_intent_id).where(*chosen, is_paid)
        for order_id, session, _ in connection.execute(served.order_by(orders.c.id)):
            said = (session or {}).get("payment_status")
            if said not in ("paid", "no_payment_required"):
                yield Finding("fulfilled_not_paid", order_id, f"paid here, and at Stripe {said or 'unheard of'}")

    def _events(self, connection: Connection) -> Iterator[Finding]:
        events, late = self._store.tables.events, self._now() - WAITING_MAX
        dead = select(events.c.type, func.count()).where(events.c.state == "dead").group_by(events.c.type)
        for kind, number in connection.execute(dead.order_by(events.c.type)):
            yield Finding("dead", kind, f"{number} given up: paydesk events list --state dead --type {kind}")
        waiting = select(func.count()).where(in_state(events, *UNFINISHED), events.c.next_at < late)
        if number := connection.scalar(waiting):
            yield Finding("waiting", "events", f"{number} due for more than ten minutes: is a worker running?")

    def _effects(self, connection: Connection) -> Iterator[Finding]:
        effects, late = self._store.tables.effects, self._now() - WAITING_MAX
        dead = select(effects.c.handler, func.count()).where(effects.c.state == "dead").group_by(effects.c.handler)
        for handler, number in connection.execute(dead.order_by(effects.c.handler)):
            yield Finding("dead", handler, f"{number} given up: paydesk effects list --state dead --handler {handler}")
        waiting = select(effects.c.handler, func.count()).where(effects.c.state == "waiting", effects.c.next_at < late)
        for handler, number in connection.execute(waiting.group_by(effects.c.handler).order_by(effects.c.handler)):
            yield Finding("waiting", handler, f"{number} due for more than ten minutes: is there a worker that has it?")
