"""Many lanes read for and written together: once for each object, under each lane's own lease, and nobody's trouble
is anybody else's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, update

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.apply import LEASES_MAX, Applier
from paydesk.billing.inbox.jobs import LaneJobs
from paydesk.billing.inbox.lanes import Lanes
from paydesk.billing.inbox.reading_list import QUIET_SECONDS, ReadingList
from paydesk.billing.inbox.retry import ATTEMPTS_MAX
from paydesk.billing.inbox.worker import wait_until
from paydesk.billing.mirror.refs import Ref
from tests.billing.shop import CREATED, Shop, charge_of, customer, paid_session, payment, refund
from tests.billing.subscribed import invoice, item, recurring_price, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

UPDATED = "customer.subscription.updated"


class Dead(BaseException):
    """The process ends here: none of our code may survive it."""


@pytest.fixture
def other(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """A second process of the same app."""
    opened = Shop(store, stripe_stand_in, clock)
    yield opened
    opened.inbox.close()


def theirs(number: int, **changes: Any) -> dict[str, Any]:
    """The subscription of the customer of that number."""
    own = item(recurring_price(), id=f"si_{number}", subscription=f"sub_{number}", number=number)
    return subscription(own, number=number, customer=f"cus_{number}", **changes)


def known(shop: Shop, numbers: range) -> None:
    """So many customers, each with a subscription that was read an hour ago. In test mode all are read."""
    for number in numbers:
        shop.stripe.put(customer(id=f"cus_{number}"), theirs(number))
        shop.deliver("customer.subscription.created", theirs(number), created=CREATED)
    shop.work()
    shop.stripe.calls.clear()


def becomes(shop: Shop, numbers: range, status: str) -> None:
    """Stripe shows it, and says so."""
    for number in numbers:
        shop.stripe.put(theirs(number, status=status))
        shop.deliver(UPDATED, theirs(number, status=status), created=CREATED + 3600)


def statuses(shop: Shop) -> list[str]:
    return [row["status"] for row in shop.rows(shop.store.tables.subscriptions)]


def leased(shop: Shop) -> list[str]:
    return [row["lane"] for row in shop.rows(shop.store.tables.lanes) if row["lease_owner"] is not None]


class Time:
    """Time of the reading list, and what happens while it passes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile: list[Any] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 1e-9
        if self.meanwhile:
            self.meanwhile.pop(0)()


def jobs_of(shop: Shop, time: Time) -> LaneJobs:
    """A worker's jobs, done by hand."""
    inbox = shop.inbox
    applier = Applier(shop.store, shop.stripe.api(), inbox.lanes, inbox.effects, shop.plans, shop.clock)
    return LaneJobs(applier, ReadingList(sleep=time.sleep, now_seconds=lambda: time.now))


def test_s6_a_burst_costs_one_read_though_it_takes_a_while(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Events about one object, the later ones while the worker thinks of the first: Stripe is asked once for all."""
    known(shop, range(1))
    time = Time()
    jobs = jobs_of(shop, time)
    time.meanwhile = [lambda: becomes(shop, range(1), "past_due") for _ in range(4)]

    becomes(shop, range(1), "past_due")
    jobs.look()
    while jobs.read():
        jobs.look()

    assert stripe_stand_in.calls == ["/v1/subscriptions/sub_0"]
    assert set(shop.event_states()) == {"applied"}
    assert time.now == pytest.approx(5 * QUIET_SECONDS)


def test_what_comes_while_stripe_answers_is_read_for_again(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The answer may be older than that event. It is not marked with the others, and has a read of its own."""
    known(shop, range(3))
    becomes(shop, range(3), "past_due")
    gate = stripe_stand_in.hold_next("subscription", "sub_2")

    with ThreadPoolExecutor() as pool:
        worker = pool.submit(shop.inbox.apply_due)
        assert gate.arrived.wait(timeout=10)
        becomes(shop, range(2, 3), "canceled")
        gate.open()
        worker.result(timeout=30)
    assert shop.event_states()[-4:] == ["applied"] * 3 + ["received"]
    assert statuses(shop) == ["past_due"] * 3

    shop.work()

    assert statuses(shop) == ["past_due", "past_due", "canceled"]


def test_nothing_is_leased_while_it_rests(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The thanks page comes while the worker waits for quiet: it does the work itself, and the worker finds it done."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    time = Time()
    jobs = jobs_of(shop, time)
    jobs.look()
    pages: list[bool] = []
    time.meanwhile = [lambda: pages.append(shop.inbox.refresh(Ref("checkout.session", paid_session(order_id)["id"])))]

    jobs.read()

    assert pages == [True]
    assert shop.status(order_id) == "paid"
    assert len(stripe_stand_in.calls) == 1
    assert shop.event_states() == ["applied"]


def test_d1_of_many_lanes_only_the_one_that_was_taken_over_is_thrown_away(
    shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """One worker reads three lanes and oversleeps; another has written one of them anew. The other two are written."""
    known(shop, range(3))
    becomes(shop, range(3), "past_due")
    gate = stripe_stand_in.hold_next("subscription", "sub_2")
    lane = shop.store.tables.lanes

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.inbox.apply_due)
        assert gate.arrived.wait(timeout=10)
        clock.advance(seconds=31)
        stripe_stand_in.put(theirs(1, status="canceled"))
        assert other.inbox.refresh(Ref("subscription", "sub_1"), lane="cus_1")
        gate.open()
        sleeper.result(timeout=30)

    assert statuses(shop) == ["past_due", "canceled", "past_due"]
    assert set(shop.event_states()) == {"applied"}
    with shop.store.read() as connection:
        assert set(connection.scalars(select(lane.c.lease_owner))) == {None}


@pytest.mark.parametrize("commit", [1, 2])
def test_a_crash_at_either_commit_leaves_what_the_next_worker_finishes(
    shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock, commit: int
) -> None:
    """At the first commit some lanes are written and others leased, at the second what was read is written: of a
    commit that did not happen nothing is left, and each fact is named once in the end."""
    known(shop, range(4))
    seen: list[str] = []

    def thank(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    other.on(OrderPaid, thank)
    orders = [shop.order() for _ in range(3)]
    for order_id in orders:
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))
    becomes(shop, range(4), "past_due")
    shop.deliver("balance.available", {"object": "balance"})  # of which nothing is mirrored
    commits: list[int] = []

    def die(_: Connection) -> None:
        commits.append(1)
        if len(commits) == commit:
            raise Dead

    event.listen(shop.store.writing, "commit", die)
    with pytest.raises(Dead):
        shop.inbox.apply_due()
    event.remove(shop.store.writing, "commit", die)
    assert len([state for state in shop.event_states() if state != "applied"]) == (8 if commit == 1 else 7)

    other.work()
    clock.advance(seconds=31)
    other.work()

    assert set(shop.event_states()) == {"applied"}
    assert set(statuses(shop)) == {"past_due"}
    assert [shop.status(order_id) for order_id in orders] == ["paid"] * 3
    assert sorted(seen) == sorted(orders)
    assert {row["turns"] for row in shop.rows(shop.store.tables.subscriptions)} == {1}


def test_all_leases_of_a_killed_worker_are_taken_over(shop: Shop, stripe_stand_in: StandIn, clock: Clock) -> None:
    """It had many lanes at once. None of them is touched before its lease is over, and all are then."""
    known(shop, range(5))
    becomes(shop, range(5), "past_due")
    dead = Lanes(shop.store, "a process that was killed", clock)
    with shop.store.write() as connection:
        taken = dead.take(connection, dead.lock(connection, dead.due(100)))
    assert len(taken) == 5

    shop.work()
    assert set(statuses(shop)) == {"active"}

    clock.advance(seconds=31)
    shop.work()
    assert set(statuses(shop)) == {"past_due"}
    assert leased(shop) == []


def test_leases_are_renewed_together_and_wait_for_nobody(shop: Shop, clock: Clock) -> None:
    """One is just being written and needs no renewal; another gets its own; what was taken over is left alone."""
    lanes, table = shop.inbox.lanes, shop.store.tables.lanes
    for lane in ("lane_1", "lane_2", "lane_3"):
        assert lanes.claim(lane)
    clock.advance(seconds=20)
    with shop.store.write() as connection:
        taken_over = update(table).where(table.c.lane == "lane_3")
        connection.execute(taken_over.values(lease_owner="another process", lease_token=table.c.lease_token + 1))
    before = {row["lane"]: row["lease_expires_at"] for row in shop.rows(table)}

    with ExitStack() as stack:
        if shop.store.is_postgresql:  # on SQLite there is one lock for all
            connection = stack.enter_context(shop.store.write())
            connection.execute(select(table).where(table.c.lane == "lane_1").with_for_update())
        lanes.renew()

    moved = {row["lane"]: row["lease_expires_at"] > before[row["lane"]] for row in shop.rows(table)}
    assert moved == {"lane_1": not shop.store.is_postgresql, "lane_2": True, "lane_3": False}


def test_one_that_is_parked_holds_up_nobody(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A session of an order that is not here yet is kept for later; those read with it are written."""
    known(shop, range(3))
    becomes(shop, range(3), "past_due")
    stranger = paid_session("ord_000000000000000009999999")
    stripe_stand_in.put(stranger)
    shop.deliver("checkout.session.completed", stranger)

    shop.work()

    assert shop.event_states()[-4:] == ["applied"] * 3 + ["parked"]
    assert set(statuses(shop)) == {"past_due"}
    assert leased(shop) == []


def test_one_that_stripe_does_not_answer_holds_up_nobody(shop: Shop, stripe_stand_in: StandIn, clock: Clock) -> None:
    """Its lane is left alone for a while. What was read with it is written at once."""
    known(shop, range(3))
    becomes(shop, range(3), "past_due")
    stripe_stand_in.fail("subscription", "sub_1", times=4, status=500)

    shop.work()
    assert statuses(shop) == ["past_due", "active", "past_due"]

    clock.advance(seconds=120)
    shop.work()
    assert set(statuses(shop)) == {"past_due"}


def test_a_shape_that_nobody_understands_is_given_up_in_the_end_and_harms_nobody(
    store: Store, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """Its payload, and what Stripe answers, breaks what is to tell its parents. Its neighbours never wait for it."""
    live = Shop(store, stripe_stand_in, clock, livemode=True)
    known(live, range(2))
    broken = invoice(1, customer="cus_1", parent="a string", livemode=True)
    stripe_stand_in.put(broken)
    live.deliver("invoice.created", broken, created=CREATED + 3600)

    for turn in range(ATTEMPTS_MAX + 1):
        status = ("past_due", "active")[turn % 2]
        becomes(live, range(2), status)
        live.work()
        assert set(statuses(live)) == {status}
        clock.advance(days=2)

    states = {row["type"]: row["state"] for row in live.rows(store.tables.events)}
    assert states == {"customer.subscription.created": "applied", UPDATED: "applied", "invoice.created": "dead"}
    live.inbox.close()


def test_two_processes_that_read_for_the_same_lanes_apply_each_event_once(
    shop: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """They find the same events at the same moment. Turns that are counted would show one applied twice."""
    known(shop, range(LEASES_MAX + 8))
    becomes(shop, range(LEASES_MAX + 8), "past_due")

    with ThreadPoolExecutor() as pool:
        for work in [pool.submit(each.work) for each in (shop, other, shop, other)]:
            work.result(timeout=60)

    assert set(statuses(shop)) == {"past_due"}
    assert {row["turns"] for row in shop.rows(shop.store.tables.subscriptions)} == {1}
    assert set(shop.event_states()) == {"applied"}
    assert len(stripe_stand_in.calls) == LEASES_MAX + 8


def test_payments_read_together_find_each_its_own_order(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Some are told by a payment that names its order, one only by its session: each order gets its own refund."""
    orders = [shop.order() for _ in range(3)]
    for order_id in orders:
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()
    for order_id in orders:
        named = {} if order_id == orders[1] else {"paydesk_order": order_id}
        stripe_stand_in.put(payment(order_id, refunds=[refund(order_id, 1, 500)], metadata=named))
        shop.deliver("charge.refunded", charge_of(order_id))
    stranger = "ord_000000000000000009999999"
    stripe_stand_in.put(payment(stranger, metadata={}))
    shop.deliver("payment_intent.succeeded", payment(stranger, metadata={}))

    shop.work()

    assert set(shop.event_states()) == {"applied"}
    rows = {row["id"]: row["amount_refunded_minor"] for row in shop.rows(shop.store.tables.orders)}
    assert rows == dict.fromkeys(orders, 500)
    assert len([fact for fact in shop.facts() if fact.startswith("order.refunded")]) == 3


def test_many_payments_cost_as_many_statements_as_two(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Whose they are is asked together, too: those of a customer's invoices, or of another app, have no order here."""
    sent: list[str] = []
    event.listen(shop.store.engine, "before_cursor_execute", lambda *about: sent.append(about[2]))

    def pay(numbers: range) -> int:
        sent.clear()
        for number in numbers:
            paid = payment(f"ord_{number:024}", metadata={})
            stripe_stand_in.put(paid)
            shop.deliver("payment_intent.succeeded", paid)
        arrived = len(sent)
        assert shop.inbox.apply_due()
        return len(sent) - arrived

    two = pay(range(8_000_000, 8_000_002))

    assert pay(range(9_000_000, 9_000_000 + LEASES_MAX)) <= two


def test_no_process_takes_more_than_it_reads_for_at_once(shop: Shop, stripe_stand_in: StandIn) -> None:
    """What is left is there for other threads and machines."""
    known(shop, range(LEASES_MAX + 2))
    becomes(shop, range(LEASES_MAX + 2), "past_due")
    gate = stripe_stand_in.hold_next("subscription", "sub_0")

    with ThreadPoolExecutor() as pool:
        worker = pool.submit(shop.inbox.apply_due)
        assert gate.arrived.wait(timeout=10)
        assert len(leased(shop)) == LEASES_MAX
        gate.open()
        worker.result(timeout=30)


def test_an_app_that_locks_a_customer_is_not_waited_for_by_all(shop: Shop, stripe_stand_in: StandIn) -> None:
    """It holds one of the customers for as long as it pleases. Those read with it are not held up on PostgreSQL."""
    known(shop, range(3))
    becomes(shop, range(3), "past_due")
    customers = shop.store.tables.customers
    has_locked, may_go_on = threading.Event(), threading.Event()

    def lock_the_last() -> None:
        with shop.store.write() as connection:
            mine = customers.c.stripe_id == "cus_2"
            connection.execute(update(customers).where(mine).values(name="Renamed"))
            has_locked.set()
            may_go_on.wait(timeout=10)

    with ThreadPoolExecutor() as pool:
        app = pool.submit(lock_the_last)
        assert has_locked.wait(timeout=10)
        worker = pool.submit(shop.work)
        if shop.store.is_postgresql:  # on SQLite there is one lock for all
            assert wait_until(lambda: statuses(shop).count("past_due") == 2, 10)
        may_go_on.set()
        app.result(timeout=30)
        worker.result(timeout=30)

    assert set(statuses(shop)) == {"past_due"}
