"""A fact may be named by a process that has none of the app's handlers: a script, a command, a worker of last week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.effects import REGISTERED_FOR
from tests.billing.shop import Shop, paid_session

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn


def deliver(paid: OrderPaid) -> None:
    """The app's handler."""
    delivered.append(paid.order.id)


def greet(event: object) -> None:
    """Another one, for an event by Stripe's name."""
    greeted.append(event)


delivered: list[str] = []
greeted: list[object] = []


def _sell(stripe: StandIn, seller: Shop) -> str:
    """Somebody pays, and this process hears of it."""
    order_id = seller.order()
    stripe.put(paid_session(order_id))
    seller.deliver("checkout.session.completed", paid_session(order_id))
    seller.work()
    return order_id


def test_what_a_process_without_handlers_names_is_run_by_the_app(
    store: Store, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """A refund from a script reaches the app's own handlers, once, facts and events alike."""
    app, script = Shop(store, stripe_stand_in, clock), Shop(store, stripe_stand_in, clock)
    app.on(OrderPaid, deliver)
    app.on("checkout.session.completed", greet)
    app.work()
    delivered.clear()
    greeted.clear()

    order_id = _sell(stripe_stand_in, script)
    assert (delivered, greeted) == ([], [])

    app.work()
    app.work()
    assert delivered == [order_id]
    assert len(greeted) == 1


def test_a_handler_that_left_the_app_is_forgotten_after_a_day(
    store: Store, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """Nothing piles up for code that is gone."""
    old, new = Shop(store, stripe_stand_in, clock), Shop(store, stripe_stand_in, clock)
    old.on(OrderPaid, deliver)
    old.work()

    clock.advance(seconds=REGISTERED_FOR.total_seconds() + 1)
    _sell(stripe_stand_in, new)

    assert new.effect_states() == []


def test_a_running_app_stays_known(store: Store, stripe_stand_in: StandIn, clock: Clock) -> None:
    """An app that was started days ago still has its handlers."""
    app, script = Shop(store, stripe_stand_in, clock), Shop(store, stripe_stand_in, clock)
    app.on(OrderPaid, deliver)
    for _ in range(3):
        app.work()
        clock.advance(hours=20)

    _sell(stripe_stand_in, script)

    assert script.effect_states() == ["waiting"]


def test_work_for_a_handler_that_is_gone_is_not_forgotten_in_silence(
    store: Store, stripe_stand_in: StandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler was renamed with a delivery still due: somebody has paid, and must not wait unnoticed."""
    old, new = Shop(store, stripe_stand_in, clock), Shop(store, stripe_stand_in, clock)
    old.on(OrderPaid, deliver)
    old.inbox.effects.register()
    _sell(stripe_stand_in, new)
    new.on("checkout.session.completed", greet)

    new.work()
    assert "wait for the handler" not in caplog.text
    clock.advance(seconds=REGISTERED_FOR.total_seconds() + 1)
    new.work()

    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert f"{deliver.__module__}.deliver" in line
    assert "1 " in line
