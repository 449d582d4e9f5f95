"""Races: two workers, slow answers, lost leases. The mirror ends as Stripe is, and no effect happens twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.facts import OrderPaid
from paydesk.billing.mirror.refs import Ref
from tests.billing.shop import Shop, charge_of, customer, paid_session, payment, product, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn


@pytest.fixture
def other(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """A second process of the same app."""
    opened = Shop(store, stripe_stand_in, clock)
    yield opened
    opened.inbox.close()


@pytest.mark.parametrize("second", ["another process", "another thread"])
def test_d1_a_slow_old_answer_never_overwrites_a_newer_one(
    shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock, second: str
) -> None:
    """One worker reads, and sleeps; its lease runs out; another reads the newer state. The sleeper's is thrown away."""
    other = shop if second == "another thread" else other
    stripe_stand_in.put(product(name="old"))
    gate = stripe_stand_in.hold_next("product", "prod_1")
    shop.deliver("product.updated", product(name="old"))

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        clock.advance(seconds=31)
        stripe_stand_in.put(product(name="new"))
        other.deliver("product.updated", product(name="new"))
        other.work()
        gate.open()
        sleeper.result(timeout=10)

    assert shop.row(shop.store.tables.products)["name"] == "new"
    assert shop.event_states() == ["applied", "applied"]


def test_d1_events_that_arrive_during_a_read_are_read_for_again(
    shop: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """A read covers only the events that were there before it began, and the lane is nobody else's meanwhile."""
    stripe_stand_in.put(product(name="old"))
    gate = stripe_stand_in.hold_next("product", "prod_1")
    shop.deliver("product.updated", product(name="old"))

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        stripe_stand_in.put(product(name="new"))
        other.deliver("product.updated", product(name="new"))
        other.work()
        assert shop.event_states() == ["received", "received"]
        gate.open()
        sleeper.result(timeout=10)

    assert shop.row(shop.store.tables.products)["name"] == "new"
    assert len(stripe_stand_in.calls) == 2


def test_a_living_worker_keeps_its_lease(shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock) -> None:
    """A slow Stripe is waited for by one worker, not by a queue of workers that each start over."""
    stripe_stand_in.put(product())
    gate = stripe_stand_in.hold_next("product", "prod_1")
    shop.deliver("product.updated", product())

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        for _ in range(4):
            clock.advance(seconds=20)
            shop.inbox.renew()
            other.work()
        gate.open()
        sleeper.result(timeout=10)

    assert len(stripe_stand_in.calls) == 1
    assert shop.event_states() == ["applied"]


def test_d1_who_has_lost_the_lane_writes_nothing_while_its_heir_is_still_reading(
    shop: Shop, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """Not even for a moment does the old answer show, and the heir's lease is not given away."""
    stripe_stand_in.put(product(name="old"))
    first, second = (stripe_stand_in.hold_next("product", "prod_1") for _ in range(2))
    shop.deliver("product.updated", product(name="old"))

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert first.arrived.wait(timeout=10)
        clock.advance(seconds=31)
        stripe_stand_in.put(product(name="new"))
        heir = pool.submit(shop.work)
        assert second.arrived.wait(timeout=10)
        first.open()
        sleeper.result(timeout=10)
        assert shop.rows(shop.store.tables.products) == []
        second.open()
        heir.result(timeout=10)

    assert shop.row(shop.store.tables.products)["name"] == "new"


def test_a_worker_that_hangs_loses_its_lease_in_the_end(
    shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """Renewing goes on for minutes, not for ever: somebody else gets to the customer's events."""
    stripe_stand_in.put(product())
    gate = stripe_stand_in.hold_next("product", "prod_1")
    shop.deliver("product.updated", product())

    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        for _ in range(18):
            clock.advance(seconds=20)
            shop.inbox.renew()
        other.work()
        assert shop.event_states() == ["applied"]
        gate.open()
        hanging.result(timeout=10)


def test_a_burst_is_one_read_for_each_object(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Fifty events about one payment and its charge cost one call."""
    order_id = shop.order(status="paid")
    stripe_stand_in.put(payment(order_id))
    for _ in range(25):
        shop.deliver("payment_intent.succeeded", payment(order_id))
        shop.deliver("charge.succeeded", charge_of(order_id))

    shop.work()

    assert len(stripe_stand_in.calls) == 1
    assert set(shop.event_states()) == {"applied"}


def test_two_workers_share_the_lanes_and_fulfil_each_order_once(
    shop: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """Forty orders, each told of three times, worked on by two processes: forty deliveries to customers."""
    delivered: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        delivered.append(paid.order.id)

    shop.on(OrderPaid, deliver)
    other.on(OrderPaid, deliver)
    orders = [shop.order() for _ in range(40)]
    for order_id in orders * 3:
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))

    with ThreadPoolExecutor() as pool:
        for work in [pool.submit(each.work) for each in (shop, other, shop, other)]:
            work.result(timeout=60)
    shop.work()

    assert sorted(delivered) == sorted(orders)
    assert set(shop.event_states()) == {"applied"}


def test_the_thanks_page_and_the_webhook_together_fulfil_once(
    shop: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """Whoever notices first names the fact; the other finds it named."""
    orders = [shop.order() for _ in range(10)]
    for order_id in orders:
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))

    with ThreadPoolExecutor() as pool:
        webhook = pool.submit(shop.work)
        pages = [
            pool.submit(other.inbox.refresh, Ref("checkout.session", session(order_id)["id"])) for order_id in orders
        ]
        webhook.result(timeout=60)
        assert all(page.result(timeout=60) for page in pages)

    assert sorted(shop.facts()) == sorted(f"order.paid:{order_id}" for order_id in orders)


def test_c6_b6_p5_a_customer_is_one_row_whichever_is_first(shop: Shop, stripe_stand_in: StandIn, clock: Clock) -> None:
    """The webhook about a customer we are just making fills in the row its user has claimed."""
    customers = shop.store.tables.customers
    claim = {"user_id": "ada", "created_at": clock(), "updated_at": clock()}
    with shop.store.write() as connection:
        connection.execute(customers.insert().values(**claim))
    ours = customer(metadata={"paydesk_user": "ada"})
    stripe_stand_in.put(ours)

    shop.deliver("customer.created", ours)
    shop.work()

    row = shop.row(customers)
    assert (row["user_id"], row["stripe_id"], row["email"]) == ("ada", "cus_1", "ada@example.com")


def test_a_deleted_customer_leaves_a_tombstone_that_no_late_event_revives(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Deleted is the last word, in whatever order it is heard."""
    stripe_stand_in.put({"id": "cus_1", "object": "customer", "deleted": True})
    shop.deliver("customer.deleted", customer())
    shop.work()

    shop.deliver("customer.updated", customer(name="late"))
    shop.work()

    row = shop.row(shop.store.tables.customers)
    assert row["deleted_at"] == shop.clock()
    assert shop.event_states() == ["applied", "applied"]


def test_s4_a_deleted_product_leaves_a_tombstone_no_late_event_revives(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Stripe answers 404 for it; the late event is settled all the same, before and after the deletion is heard of."""
    shop.deliver("product.updated", product(name="late"))
    shop.work()
    assert shop.event_states() == ["parked"]

    shop.deliver("product.deleted", product())
    shop.clock.advance(seconds=5)
    shop.work()
    shop.deliver("product.updated", product(name="later"))
    shop.work()

    row = shop.row(shop.store.tables.products)
    assert row["name"] == "E-book"
    assert row["deleted_at"] is not None
    assert shop.event_states() == ["applied"] * 3
