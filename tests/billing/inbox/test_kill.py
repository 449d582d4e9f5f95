"""Killed for real: `kill -9` of a process that receives, and of one that works, while it is busy."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.worker import wait_until
from tests.billing.inbox.killed_app import deliver, shelf
from tests.billing.processes import environment
from tests.billing.shop import Shop, paid_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.billing.stand_in import StandIn

HERE = Path(__file__).parent


@pytest.fixture
def secrets(database_url: str, stripe_stand_in: StandIn, tmp_path: Path) -> dict[str, str]:
    """The environment an app runs in."""
    return environment(database_url, stripe_stand_in, tmp_path, modules_in="inbox")


@contextmanager
def running(secrets: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, *arguments], env=secrets, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def orders(shop: Shop, stripe_stand_in: StandIn) -> list[str]:
    """Sixty customers have paid, and Stripe has said so twice."""
    shop.clock.moment = datetime.now(UTC)
    with shop.store.write() as connection:
        shelf.create(connection)
    orders = [shop.order() for _ in range(60)]
    for order_id in orders * 2:
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))
    return orders


def delivered(shop: Shop) -> list[str]:
    with shop.store.read() as connection:
        return sorted(connection.scalars(select(shelf.c.order_id)))


def test_a_worker_process_does_what_is_due_and_stops_when_told(
    shop: Shop, orders: list[str], secrets: dict[str, str]
) -> None:
    """`paydesk worker` needs nothing but the app's own environment."""
    with running(secrets, "-m", "paydesk", "worker", "killed_app:desk") as worker:
        assert wait_until(lambda: shop.effect_states() == ["done"] * 60, 60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0

    assert delivered(shop) == sorted(orders)


def test_a_worker_killed_at_work_loses_nothing_and_doubles_nothing(
    shop: Shop, orders: list[str], secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers are killed one after the other in the middle of it; every customer gets one delivery."""
    for _ in range(3):
        before = len(delivered(shop))
        with running(secrets, "-m", "paydesk", "worker", "killed_app:desk") as worker:
            assert wait_until(lambda: len(delivered(shop)) >= before + 12, 60)  # noqa: B023 - asked within this round
            worker.send_signal(signal.SIGKILL)
            worker.wait()

    # The leases of the dead run out in minutes; here, the clock is put forward.
    monkeypatch.setattr(deliver, "__module__", "killed_app")
    shop.on(OrderPaid, deliver)
    shop.clock.moment = datetime.now(UTC) + timedelta(minutes=3)
    shop.work()

    assert set(shop.event_states()) == {"applied"}
    assert sorted(shop.facts()) == sorted(f"order.paid:{order_id}" for order_id in orders)
    assert delivered(shop) == sorted(orders)


@pytest.mark.parametrize("received_in", ["threads", "a loop"])
def test_every_event_a_killed_app_had_acknowledged_is_there(
    shop: Shop, secrets: dict[str, str], received_in: str
) -> None:
    """What Stripe was told is kept, is kept."""
    with running(secrets, str(HERE / "killed_app.py"), received_in) as app:
        assert app.stdout is not None
        acknowledged = {app.stdout.readline().strip() for _ in range(200)}
        app.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in app.stdout if line.endswith("\n")}

    kept = {row["id"] for row in shop.rows(shop.store.tables.events)}
    assert len(acknowledged) >= 200
    assert acknowledged <= kept


def test_a_worker_that_is_told_twice_stops_at_once(
    shop: Shop, stripe_stand_in: StandIn, secrets: dict[str, str]
) -> None:
    """Whoever asks again does not want to wait for what is under way."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    answer = stripe_stand_in.hold_next("checkout.session", paid_session(order_id)["id"])
    shop.clock.moment = datetime.now(UTC)
    shop.deliver("checkout.session.completed", paid_session(order_id))

    with running(secrets, "-m", "paydesk", "worker", "killed_app:desk") as worker:
        assert answer.arrived.wait(60)
        worker.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(timeout=1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=5) == -signal.SIGTERM
    answer.open()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("killed_app", "names no desk"),
        ("no_such_app:desk", "no module 'no_such_app'"),
        ("killed_app:shelf", "is no Paydesk"),
        ("killed_app:desk", "The database does not answer: unable to open database file"),
    ],
)
def test_a_worker_that_cannot_find_its_desk_says_so(
    tmp_path: Path, stripe_stand_in: StandIn, target: str, reason: str
) -> None:
    """One sentence instead of a traceback."""
    elsewhere = f"sqlite:///{tmp_path / 'no_such_folder' / 'app.db'}"

    done = subprocess.run(
        [sys.executable, "-m", "paydesk", "worker", target],
        env=environment(elsewhere, stripe_stand_in, tmp_path, modules_in="inbox"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
