"""Flask in processes: two gunicorn workers on one database, one of them killed, and `flask paydesk worker`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import select

from paydesk import OrderPaid
from tests.billing.inbox.deliveries import event, sign
from tests.billing.processes import environment
from tests.billing.shop import Shop, paid_session
from tests.billing.web.conftest import listening
from tests.billing.web.served_app import deliver, shelf
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.billing.stand_in import StandIn

ORDERS = 40


@contextmanager
def served(secrets: dict[str, str]) -> Iterator[str]:
    """The app, under gunicorn with two workers; answers its address."""
    with listening() as listener:
        command = ["-m", "gunicorn", "--preload", "--workers", "2", "--worker-class", "gthread", "--threads", "4"]
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, *command, "--bind", f"fd://{listener.fileno()}", "served_app:create_app()"],
            env=secrets,
            pass_fds=[listener.fileno()],
        )
        try:
            yield address
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def secrets(database_url: str, stripe_stand_in: StandIn, tmp_path: Path) -> dict[str, str]:
    return environment(database_url, stripe_stand_in, tmp_path, modules_in="web")


def test_two_workers_deliver_once_though_one_is_killed(
    shop: Shop, stripe_stand_in: StandIn, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every webhook three times, `kill -9` in the midst of them: nothing acknowledged is lost, nothing is doubled."""
    shop.clock.moment = datetime.now(UTC)
    with shop.store.write() as connection:
        shelf.create(connection)
    orders = [shop.order() for _ in range(ORDERS)]
    for order_id in orders:
        stripe_stand_in.put(paid_session(order_id))
    bodies = [event("checkout.session.completed", paid_session(order_id)) for order_id in orders]
    answered: list[str] = []

    with served(secrets) as address, httpx2.Client(base_url=address, timeout=30) as stripe:

        def deliver_until_heard(body: bytes) -> None:
            def heard() -> bool:
                signed = {"Stripe-Signature": sign(body, datetime.now(UTC)), "Connection": "close"}
                # Whoever was talking to the one that is killed hears nothing, and tells it again.
                with contextlib.suppress(httpx2.TransportError):
                    answer = stripe.post("/webhooks/stripe", content=body, headers=signed)
                    assert answer.json() == {"received": True}
                    answered.append(answer.headers["Process"])
                    return True
                return False

            until(heard, "an acknowledgement")

        with ThreadPoolExecutor(8) as pool:
            told = pool.map(deliver_until_heard, bodies * 3)
            until(lambda: len(set(answered)) == 2 and len(answered) > ORDERS, "both workers to answer")
            os.kill(int(answered[-1]), signal.SIGKILL)
            list(told)
        until(lambda: len(delivered(shop)) >= ORDERS - 4 * 2, "what the killed one had not begun")

    # What it had begun is leased to it for minutes; here, the clock is put forward.
    monkeypatch.setattr(deliver, "__module__", "served_app")
    shop.on(OrderPaid, deliver)
    shop.clock.moment = datetime.now(UTC) + timedelta(minutes=3)
    shop.work()

    assert len(set(answered)) >= 2
    assert shop.event_states() == ["applied"] * ORDERS
    assert delivered(shop) == sorted(orders)


def test_the_work_can_be_left_to_a_process_of_its_own(
    shop: Shop, stripe_stand_in: StandIn, secrets: dict[str, str]
) -> None:
    """`flask paydesk worker` has the app's handlers, in its context, and stops when it is told."""
    shop.clock.moment = datetime.now(UTC)
    with shop.store.write() as connection:
        shelf.create(connection)
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))

    command = [sys.executable, "-m", "flask", "--app", "served_app:create_app", "paydesk", "worker"]
    worker = subprocess.Popen(command, env=secrets, stdout=subprocess.DEVNULL)
    try:
        until(lambda: delivered(shop) == [order_id], "the delivery")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.wait()


def delivered(shop: Shop) -> list[str]:
    with shop.store.read() as connection:
        return sorted(connection.scalars(select(shelf.c.order_id)))
