"""A replicated PostgreSQL loses its primary under load: nothing that was acknowledged goes with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests import cluster
from tests.billing.inbox.deliveries import event, sign
from tests.billing.inbox.killed_app import shelf
from tests.billing.processes import environment
from tests.billing.shop import Shop, paid_session
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

ORDERS = 200
DELIVERIES_AT_ONCE = 8


class Till:
    """A shop on a cluster: Stripe delivers, workers on other machines work."""

    def __init__(self, servers: cluster.Cluster, stripe: StandIn, clock: Clock, folder: Path) -> None:
        clock.moment = datetime.now(UTC)
        self.servers = servers
        self.store = Store.open(servers.url)
        migrate(self.store)
        self.shop = Shop(self.store, stripe, clock)
        with self.store.write() as connection:
            shelf.create(connection)
        self.orders = [self.shop.order() for _ in range(ORDERS)]
        for order_id in self.orders:
            stripe.put(paid_session(order_id))
        self.acknowledged: set[str] = set()
        self._environment = environment(servers.url, stripe, folder, modules_in="inbox")

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "paydesk", "worker", "killed_app:desk"]
        return subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def delivers(self, orders: list[str]) -> None:
        """As Stripe does: again and again, until it is acknowledged."""
        with ThreadPoolExecutor(DELIVERIES_AT_ONCE) as pool:
            list(pool.map(self._deliver, orders))

    def minutes_pass(self) -> None:
        """What a dead worker had taken is free again."""
        lanes, effects = self.store.tables.lanes, self.store.tables.effects
        with self.store.write() as connection:
            connection.execute(update(lanes).values(lease_expires_at=None))
            connection.execute(update(effects).where(effects.c.state == "waiting").values(next_at=self.shop.clock()))

    def _deliver(self, order_id: str) -> None:
        body = event("checkout.session.completed", paid_session(order_id), event_id=f"evt_{order_id}")
        until(lambda: self._is_kept(body), f"an acknowledgement for {order_id}")
        self.acknowledged.add(f"evt_{order_id}")

    def _is_kept(self, body: bytes) -> bool:
        try:
            self.shop.inbox.receive(body, sign(body, self.shop.clock()))
        except (SQLAlchemyError, psycopg.Error):
            return False  # a 500, and Stripe comes again
        return True

    def count(self) -> int:
        with self.store.read() as connection:
            return connection.scalar(select(func.count()).select_from(shelf)) or 0


@pytest.fixture
def till(stripe_stand_in: StandIn, clock: Clock, tmp_path: Path) -> Iterator[Till]:
    with cluster.launch() as servers:
        opened = Till(servers, stripe_stand_in, clock, tmp_path)
        yield opened
        opened.shop.inbox.close()
        opened.store.close()


def test_a_primary_that_is_lost_takes_nothing_with_it_that_was_acknowledged(till: Till) -> None:
    """What was answered with 200 is on a standby before; the app and its workers find the new primary by themselves."""
    with ExitStack() as ending:
        workers = [till.worker(), till.worker()]
        for worker in workers:
            ending.callback(worker.wait)
            ending.callback(worker.kill)
        till.delivers(till.orders[:10])
        until(lambda: till.count() == 10, "the workers to be at work")
        stripe = threading.Thread(target=till.delivers, args=[till.orders[10:]])
        stripe.start()
        until(lambda: len(till.acknowledged) > ORDERS // 4, "a quarter of them")

        # when the primary's machine loses power in the middle of it
        till.servers.lose_the_primary()
        acknowledged = set(till.acknowledged)
        promoted = till.servers.promote_the_most_advanced()

        # then the standby has all that was acknowledged, and everybody goes on there
        assert 0 < len(acknowledged) < ORDERS
        assert acknowledged <= set(str(promoted.ask(EVENTS, database=cluster.DATABASE)).split())
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        stripe.join()
        till.minutes_pass()
        until(lambda: till.count() == ORDERS, "the last of them")

        # and one of two workers is left, and did what the other could not
        assert workers[1].poll() is None
    with till.store.read() as connection:
        assert sorted(connection.scalars(select(shelf.c.order_id))) == sorted(till.orders)
        assert set(connection.scalars(select(till.store.tables.effects.c.state))) == {"done"}


EVENTS = "SELECT string_agg(id, ' ') FROM events"
