"""The worker's threads: they start on what was left, wake at once, and stop cleanly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.worker import POLL_SECONDS, Bell, wait_until
from tests.billing.shop import Shop, paid_session

if TYPE_CHECKING:
    from pathlib import Path

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn


def seen_orders(shop: Shop) -> list[str]:
    seen: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    shop.on(OrderPaid, deliver)
    return seen


def pay(shop: Shop, stripe: StandIn) -> str:
    order_id = shop.order()
    stripe.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    return order_id


def test_what_was_left_by_a_stopped_process_is_done_at_the_next_start(shop: Shop, stripe_stand_in: StandIn) -> None:
    """An event that was acknowledged just before the power failed is the first thing the next start sees."""
    seen = seen_orders(shop)
    order_id = pay(shop, stripe_stand_in)

    shop.inbox.start()
    assert wait_until(lambda: seen == [order_id], 10)
    shop.inbox.stop()

    assert shop.effect_states() == ["done"]


def test_a_stopped_worker_finishes_what_it_has_begun(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A deployment interrupts nothing half-way."""
    seen: list[str] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def deliver(paid: OrderPaid) -> None:
        has_begun.set()
        may_end.wait(timeout=10)
        seen.append(paid.order.id)

    shop.on(OrderPaid, deliver)
    shop.inbox.start()
    order_id = pay(shop, stripe_stand_in)
    assert has_begun.wait(timeout=10)

    stopping = threading.Thread(target=shop.inbox.stop)
    stopping.start()
    may_end.set()
    stopping.join(timeout=10)

    assert seen == [order_id]
    assert shop.effect_states() == ["done"]
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("paydesk-worker")]


def test_a_worker_hears_of_events_that_another_process_received(
    shop: Shop, store: Store, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """A web process receives, a worker process works: by a notification, or by looking again within the second."""
    receiving = Shop(store, stripe_stand_in, clock)
    seen = seen_orders(shop)
    shop.inbox.start()

    orders = [pay(receiving, stripe_stand_in) for _ in range(5)]

    assert wait_until(lambda: sorted(seen) == sorted(orders), 10)
    receiving.inbox.close()


def test_a_handler_that_hangs_does_not_stop_the_mirror(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Applying and handling have threads of their own."""
    may_end = threading.Event()

    def hang(_: OrderPaid) -> None:
        may_end.wait(timeout=30)

    shop.on(OrderPaid, hang)
    shop.inbox.start(effect_threads=1)

    orders = [pay(shop, stripe_stand_in) for _ in range(5)]

    assert wait_until(lambda: all(shop.status(order_id) == "paid" for order_id in orders), 10)
    may_end.set()


def test_a_chore_that_fails_harms_nobody(store: Store, stripe_stand_in: StandIn, clock: Clock) -> None:
    """The finisher of half-done writes may meet an outage like anybody else."""
    tried = threading.Event()

    def finish_stale() -> None:
        tried.set()
        raise ConnectionError

    shop = Shop(store, stripe_stand_in, clock, chores=[finish_stale])
    order_id = pay(shop, stripe_stand_in)

    shop.inbox.start()

    assert tried.wait(timeout=10)
    assert wait_until(lambda: shop.status(order_id) == "paid", 10)
    shop.inbox.close()


def test_a_bell_wakes_also_who_was_about_to_wait() -> None:
    """A ring between looking for work and going to sleep is not slept through."""
    bell = Bell()
    heard = bell.times
    bell.ring()

    began = time.monotonic()
    bell.wait(heard, POLL_SECONDS * 10)

    assert time.monotonic() - began < POLL_SECONDS


FORKED = """
import os, sys, threading
from datetime import UTC, datetime
from paydesk import Paydesk

def works():
    return any(thread.name.startswith("paydesk-worker") for thread in threading.enumerate())

desk = Paydesk()
desk.start()
assert works()
lanes, effects = desk._inbox.lanes, desk._inbox.effects
lanes.claim("the parent's")
effects._running[7] = datetime.now(UTC)
if (child := os.fork()) == 0:
    assert not works()
    desk.start()
    os._exit(0 if works() and "the parent's" not in lanes._held and not effects._running else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
desk.close()
"""


def test_a_process_that_was_forked_starts_a_worker_of_its_own(tmp_path: Path) -> None:
    """A server that loads the app, works and forks leaves no child idle: threads stay behind in the parent.

    Leases stay there too. If the parent dies, no child of its keeps them alive.
    """
    (tmp_path / "paydesk.toml").write_text('[products.ebook]\nname = "E-book"\nprice = "$19"\n')
    secrets = os.environ | {
        "BASE_URL": "http://localhost:8000",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}",
        "PAYDESK_CATALOG": str(tmp_path / "paydesk.toml"),
        "STRIPE_SECRET_KEY": "sk_test_forked",
        "STRIPE_WEBHOOK_SECRET": "whsec_forked",
        "STRIPE_API_BASE": "http://127.0.0.1:9",  # nobody is there
    }

    done = subprocess.run([sys.executable, "-c", FORKED], env=secrets, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
