"""Pruning: what is done and long past is forgotten, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk import ConfigurationError, OrderPaid, Settings
from paydesk.billing.inbox.prune import Prune, Pruned
from tests.billing.shop import Shop, paid_session

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.owner import Owner
    from tests.billing.stand_in import StandIn

NOTHING = Pruned(0, 0, 0, 0)


@pytest.fixture
def prune(store: Store, clock: Clock) -> Prune:
    return Prune(store, clock)


def sold(shop: Shop, stripe: StandIn) -> None:
    """An order that was paid and delivered."""
    order_id = shop.order()
    stripe.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()


def deliver(_paid: OrderPaid) -> None:
    """Done."""


def see(_event: Any) -> None:
    """Done."""


def test_what_is_done_is_forgotten_when_its_days_are_over(
    shop: Shop, stripe_stand_in: StandIn, prune: Prune, clock: Clock
) -> None:
    """The event, the handlers' work and the lane; not the order, and not the fact's name."""
    shop.on(OrderPaid, deliver)
    shop.on("checkout.session.completed", see)
    sold(shop, stripe_stand_in)
    clock.advance(days=39, hours=23)
    too_soon = prune.run(40)
    clock.advance(hours=2)

    pruned = prune.run(40)

    assert too_soon == NOTHING
    assert pruned == Pruned(events=1, effects=2, attempts=0, lanes=1)
    assert len(shop.facts()) == len(shop.rows(shop.store.tables.orders)) == 1
    assert prune.run(40) == NOTHING


def test_what_is_forgotten_and_told_again_is_done_once(
    shop: Shop, stripe_stand_in: StandIn, prune: Prune, clock: Clock
) -> None:
    """Even if Stripe's thirty days were sixty: the fact exists by its name."""
    seen: list[str] = []

    def once(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    shop.on(OrderPaid, once)
    sold(shop, stripe_stand_in)
    (row,) = shop.rows(shop.store.tables.orders)
    clock.advance(days=60)
    prune.run(35)

    shop.deliver("checkout.session.completed", paid_session(row["id"]))
    shop.work()

    assert seen == [row["id"]]


UNFINISHED: dict[str, tuple[str, dict[str, Any], Pruned]] = {
    "a dead event": ("events", {"state": "dead"}, Pruned(0, 2, 0, 1)),
    "a parked event": ("events", {"state": "parked"}, Pruned(0, 2, 0, 0)),
    "a received event": ("events", {"state": "received"}, Pruned(0, 2, 0, 0)),
    "a dead letter": ("effects", {"state": "dead"}, Pruned(0, 0, 0, 1)),
    "a waiting effect": ("effects", {"state": "waiting"}, Pruned(0, 0, 0, 1)),
}


@pytest.mark.parametrize("what", UNFINISHED)
def test_what_is_unfinished_stays(shop: Shop, stripe_stand_in: StandIn, prune: Prune, clock: Clock, what: str) -> None:
    """However old it is. An event stays as long as a handler's work needs it."""
    name, change, expected = UNFINISHED[what]
    table = getattr(shop.store.tables, name)
    shop.on(OrderPaid, deliver)
    shop.on("checkout.session.completed", see)
    sold(shop, stripe_stand_in)
    with shop.store.write() as connection:
        connection.execute(update(table).values(**change))
    clock.advance(days=1000)

    assert prune.run(35) == expected


def test_a_promise_stays_until_it_is_kept(store: Store, prune: Prune, clock: Clock) -> None:
    """An idempotency key that is still open is all that keeps a refund from being made twice."""
    attempts = store.tables.attempts
    row = {"verb": "refund", "subject": "ord_1", "params": {}, "created_at": clock()}
    with store.write() as connection:
        connection.execute(attempts.insert().values(key="pdk_open", state="open", **row))
        connection.execute(attempts.insert().values(key="pdk_done", state="done", finished_at=clock(), **row))
    clock.advance(days=1000)

    assert prune.run(35) == Pruned(0, 0, 1, 0)


def test_a_lane_that_is_worked_in_stays(shop: Shop, stripe_stand_in: StandIn, prune: Prune, clock: Clock) -> None:
    """Its token only grows, which is how a worker that overslept is found out."""
    sold(shop, stripe_stand_in)
    clock.advance(days=1000)
    (lane,) = shop.rows(shop.store.tables.lanes)
    assert shop.inbox.lanes.claim(lane["lane"]) is not None

    assert prune.run(35).lanes == 0


def test_many_are_forgotten_in_batches(store: Store, prune: Prune, clock: Clock) -> None:
    """Oldest first, and nothing behind the first young one is looked at."""
    effects = store.tables.effects
    done = {"handler": "shop.deliver", "state": "done", "next_at": clock(), "created_at": clock(), "done_at": clock()}
    with store.write() as connection:
        connection.execute(effects.insert(), [{"source": f"fact:{number}", **done} for number in range(1201)])
    clock.advance(days=36)

    assert prune.run(35).effects == 1201


@pytest.mark.parametrize("days", [0, 30, 34])
def test_nothing_is_forgotten_that_stripe_may_tell_again(prune: Prune, days: int) -> None:
    """Thirty days, and some for good measure."""
    with pytest.raises(ValueError, match="Keep it for 35 or more"):
        prune.run(days)


@pytest.mark.parametrize("days", ["30", "soon", "-1", "3.5"])
def test_a_shop_does_not_open_with_days_that_are_too_few(days: str) -> None:
    """Said at the start, with everything else that is wrong."""
    with pytest.raises(ConfigurationError, match="PAYDESK_KEEP_DAYS"):
        Settings.read({"PAYDESK_KEEP_DAYS": days})


def test_the_command_forgets_and_says_what(owner: Owner, client: Any) -> None:
    """For whoever would rather do it at night, from cron."""
    owner.sells()
    owner.till.deliver(client)
    owner.till.clock.advance(days=-100)
    owner.till.desk.work()
    with owner.till.desk.store.write() as connection:
        events = owner.till.desk.store.tables.events
        old = {"received_at": owner.till.clock(), "applied_at": owner.till.clock(), "state": "applied"}
        connection.execute(update(events).values(**old))
    number = len(owner.till.rows(owner.till.desk.store.tables.events))

    pruned = owner.reads("prune", "--days", "90")
    again = owner.runs("prune", "--days", "90")
    refused = owner.runs("prune", "--days", "30")

    assert pruned["events"] == number
    assert again.stdout == "Nothing has been done for more than 90 days.\n"
    assert refused.returncode == 2


def test_a_worker_forgets_by_itself_where_it_is_told_to(store: Store, prune: Prune, clock: Clock) -> None:
    """At its start, and then every hour."""
    attempts = store.tables.attempts

    def close(key: str) -> None:
        row = {"verb": "refund", "subject": "ord_1", "params": {}, "state": "done"}
        long_ago = clock() - timedelta(days=40)
        with store.write() as connection:
            connection.execute(attempts.insert().values(key=key, created_at=long_ago, finished_at=long_ago, **row))

    def left() -> int:
        with store.read() as connection:
            return len(connection.execute(attempts.select()).all())

    close("pdk_1")
    prune.every_hour(35, lambda: False)
    at_start = left()
    close("pdk_2")
    prune.every_hour(35, lambda: False)
    soon = left()
    clock.advance(hours=1)
    prune.every_hour(35, lambda: False)

    assert (at_start, soon, left()) == (0, 1, 0)
