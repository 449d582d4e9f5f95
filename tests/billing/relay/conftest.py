"""A NATS of this test's own, and an app whose facts are to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.facts import Order, OrderPaid
from paydesk.billing.inbox.effects import Effects
from paydesk.billing.inbox.handlers import Handlers
from paydesk.billing.inbox.lanes import Lanes
from paydesk.billing.relay.jetstream import JetStream, StreamConfig
from paydesk.billing.relay.outbox import Outbox
from paydesk.billing.relay.relay import Relay
from tests.nats import Nats

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock


class App:
    """Names facts, and starts relays that are processes of their own."""

    def __init__(self, store: Store, nats: Nats, clock: Clock) -> None:
        self.store = store
        self.nats = nats
        self.clock = clock
        self._effects = Effects(store, Handlers(), clock)
        self._streams: list[JetStream] = []

    def names(self, *orders: str, customer: str = "cus_1") -> None:
        """The orders are paid."""
        paid = [OrderPaid(Order(name, "ebook", 1, 1900, "usd", "paid", customer_id=customer)) for name in orders]
        with self.store.write() as connection:
            self._effects.of_facts(connection, paid, lane=customer)

    def relay(self) -> Relay:
        """Another relay process."""
        stream = JetStream(StreamConfig(self.nats.url))
        self._streams.append(stream)
        return Relay(self.store, Lanes(self.store, f"relay {len(self._streams)}", self.clock), stream, self.clock)

    @property
    def told(self) -> list[str]:
        """The orders of which the stream tells, in its order."""
        return [message.id.removeprefix("order.paid:") for message in self.nats.messages()]

    @property
    def is_relayed(self) -> bool:
        """Whether every fact has left."""
        return Outbox(self.store, self.clock).waits() == 0

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    folder = tmp_path / "nats"
    folder.mkdir()
    server = Nats(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def app(store: Store, nats: Nats, clock: Clock) -> Iterator[App]:
    opened = App(store, nats, clock)
    yield opened
    opened.close()
