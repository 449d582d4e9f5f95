"""The app: what its handlers write down whenever they are told something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from paydesk import (
    DisputeClosed,
    DisputeOpened,
    InvoicePaid,
    OrderFailed,
    OrderPaid,
    OrderRefunded,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionStarted,
)

if TYPE_CHECKING:
    from paydesk import Paydesk
    from tests.sim.universe import Universe

FACTS = (
    OrderPaid,
    OrderFailed,
    OrderRefunded,
    DisputeOpened,
    DisputeClosed,
    SubscriptionStarted,
    SubscriptionChanged,
    SubscriptionEnded,
    InvoicePaid,
)
# Told by Stripe's own name, and by the event's id.
EVENT = "charge.succeeded"
# Told to a handler that writes nothing here, and is called at least once.
ABROAD = "customer.created"

TABLE = "CREATE TABLE told (topic TEXT, key TEXT)"


def listen(desk: Paydesk, universe: Universe) -> None:
    """Register the handlers, which are known by their names in every process alike."""
    for topic in (*FACTS, EVENT):
        desk.on(topic)(_named(topic, _writing(topic, universe)))

    def abroad(told: Any) -> None:
        universe.maybe_fail(ABROAD)
        universe.heard.add(told.id)

    desk.on(ABROAD)(_named(ABROAD, abroad))


def _writing(topic: Any, universe: Universe) -> Any:
    name = topic if isinstance(topic, str) else topic.__name__

    def handler(told: Any, db: Any) -> None:
        universe.maybe_fail(name)
        key = told.id if isinstance(topic, str) else told.key
        db.execute(text("INSERT INTO told (topic, key) VALUES (:topic, :key)"), {"topic": name, "key": key})
        universe.maybe_fail(name)

    return handler


def _named(topic: Any, handler: Any) -> Any:
    name = topic if isinstance(topic, str) else topic.__name__
    handler.__name__ = handler.__qualname__ = f"tell_{name.replace('.', '_')}"
    handler.__module__ = "app"
    return handler
