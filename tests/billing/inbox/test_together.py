"""Many lanes written together: it costs little, and what is wrong with one is nobody else's trouble."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, text, update

from paydesk.billing.facts import InvoicePaid
from paydesk.billing.inbox.worker import wait_until
from paydesk.billing.mirror.refs import Ref
from tests.billing.shop import CREATED, Shop, customer, paid_session
from tests.billing.subscribed import invoice, item, paid_invoice, recurring_price, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

UPDATED = "customer.subscription.updated"


@pytest.fixture
def live(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """A shop in live mode, where payloads are believed if they are provably new."""
    opened = Shop(store, stripe_stand_in, clock, livemode=True)
    yield opened
    opened.inbox.close()


@pytest.fixture
def other(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """A second process of the same app."""
    opened = Shop(store, stripe_stand_in, clock, livemode=True)
    yield opened
    opened.inbox.close()


def theirs(number: int, **changes: Any) -> dict[str, Any]:
    """The subscription of the customer of that number."""
    own = item(recurring_price(), id=f"si_{number}", subscription=f"sub_{number}", number=number)
    return subscription(own, number=number, customer=f"cus_{number}", livemode=True, **changes)


def known(shop: Shop, stripe: StandIn, numbers: range) -> None:
    """So many customers, each with a subscription that was told of an hour ago."""
    for number in numbers:
        stripe.put(customer(id=f"cus_{number}", livemode=True), theirs(number))
        shop.deliver("customer.subscription.created", theirs(number), created=CREATED)
    shop.work()
    stripe.calls.clear()


def tell(shop: Shop, numbers: range, **changes: Any) -> None:
    for number in numbers:
        shop.deliver(UPDATED, theirs(number, **changes), created=CREATED + 3600)


def statements(shop: Shop) -> list[str]:
    """What is sent to the database from now on."""
    sent: list[str] = []

    def note(*about: Any) -> None:
        sent.append(about[2])

    event.listen(shop.store.engine, "before_cursor_execute", note)
    return sent


def somebody_waits(store: Store) -> bool:
    """Whether a lock is waited for. On SQLite there is only one, and nobody can see who waits for it."""
    if not store.is_postgresql:
        return True
    with store.read() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def statuses(shop: Shop) -> dict[str, str]:
    return {row["id"]: row["status"] for row in shop.rows(shop.store.tables.subscriptions)}


def test_fifty_lanes_cost_as_many_statements_as_two(live: Shop, stripe_stand_in: StandIn) -> None:
    """What arrived together is noted, looked up and written together, and Stripe is not asked."""
    known(live, stripe_stand_in, range(52))
    sent = statements(live)

    tell(live, range(2), status="past_due")
    live.work()
    two = len(sent)
    sent.clear()
    tell(live, range(2, 52), status="past_due")
    live.work()

    assert len(sent) <= two
    assert set(statuses(live).values()) == {"past_due"}
    assert stripe_stand_in.calls == []


def test_each_lane_names_its_own_facts_once(live: Shop, stripe_stand_in: StandIn) -> None:
    """A subscription behind, its invoice paid, handlers told: for each customer as if they had been alone."""
    known(live, stripe_stand_in, range(5))
    seen: list[tuple[str, str | None]] = []

    def thank(paid: InvoicePaid) -> None:
        seen.append((paid.invoice.id, paid.subscription.id if paid.subscription else None))

    live.on(InvoicePaid, thank)
    tell(live, range(5), status="past_due")
    for number in range(5):
        parent = {"subscription_details": {"subscription": f"sub_{number}"}}
        bill = paid_invoice(number + 1, customer=f"cus_{number}", parent=parent, livemode=True)
        live.deliver("invoice.paid", bill, created=CREATED + 3600)
    live.work()

    assert sorted(seen) == [(f"in_{number + 1}", f"sub_{number}") for number in range(5)]
    named = [fact for fact in live.facts() if "past_due" in fact]
    assert named == [f"subscription.past_due:sub_{number}:1" for number in range(5)]


def test_one_that_cannot_be_written_holds_up_nobody(live: Shop, stripe_stand_in: StandIn) -> None:
    """A payload of a shape that nobody has seen yet: it waits for its next try, all the others are written."""
    known(live, stripe_stand_in, range(5))
    tell(live, range(4), status="past_due")
    broken = theirs(4)
    del broken["status"]
    live.deliver(UPDATED, broken, created=CREATED + 3600)

    live.work()

    assert [status for status in statuses(live).values() if status == "past_due"] == ["past_due"] * 4
    assert live.event_states()[-5:] == ["applied"] * 4 + ["received"]
    assert live.rows(live.store.tables.events)[-1]["last_error"] is not None


def test_d1_who_overslept_finds_that_a_payload_came_before(
    live: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """One worker reads, slowly; its lease runs out; another applies a newer payload, for which it needs no lease."""
    known(live, stripe_stand_in, range(1))
    gate = stripe_stand_in.hold_next("subscription", "sub_0")
    live.deliver(UPDATED, theirs(0, status="past_due"), created=CREATED + 1)  # nobody knows which was first: it is read

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(live.work)
        assert gate.arrived.wait(timeout=10)
        clock.advance(seconds=31)
        live.set(live.store.tables.events, state="applied")  # of that event somebody else has taken care
        other.deliver(UPDATED, theirs(0, status="canceled"), created=CREATED + 3600)
        other.work()
        gate.open()
        sleeper.result(timeout=10)

    assert statuses(live) == {"sub_0": "canceled"}


def test_two_processes_at_the_same_lanes_apply_each_event_once(
    live: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """They find the same events due at the same moment. Turns that are counted would show one applied twice."""
    known(live, stripe_stand_in, range(40))
    tell(live, range(40), status="past_due")

    with ThreadPoolExecutor() as pool:
        for work in [pool.submit(each.work) for each in (live, other, live, other)]:
            work.result(timeout=60)

    assert set(statuses(live).values()) == {"past_due"}
    assert {row["turns"] for row in live.rows(live.store.tables.subscriptions)} == {1}
    assert set(live.event_states()) == {"applied"}


def test_an_app_that_locks_customers_the_other_way_round_is_not_waited_for(
    live: Shop, stripe_stand_in: StandIn
) -> None:
    """It has one of our customers locked and wants another: with both locked here, each would wait for the other."""
    known(live, stripe_stand_in, range(2))
    customers = live.store.tables.customers
    has_locked, may_go_on = threading.Event(), threading.Event()

    def lock_the_second_then_the_first() -> None:
        with live.store.write() as connection:
            for number in (1, 0):
                mine = customers.c.stripe_id == f"cus_{number}"
                connection.execute(update(customers).where(mine).values(name="Renamed"))
                has_locked.set()
                may_go_on.wait(timeout=10)

    tell(live, range(2), status="past_due")
    with ThreadPoolExecutor() as pool:
        app = pool.submit(lock_the_second_then_the_first)
        assert has_locked.wait(timeout=10)
        worker = pool.submit(live.work)
        assert wait_until(lambda: somebody_waits(live.store), 10)
        may_go_on.set()
        app.result(timeout=30)
        worker.result(timeout=30)

    assert set(statuses(live).values()) == {"past_due"}
    with live.store.read() as connection:
        assert set(connection.scalars(select(customers.c.name))) == {"Renamed"}


def test_lanes_that_need_a_read_are_no_part_of_it(live: Shop, stripe_stand_in: StandIn) -> None:
    """What is certain is written at once, also while Stripe takes its time over something else."""
    known(live, stripe_stand_in, range(3))
    order_id = live.order()
    stripe_stand_in.put(paid_session(order_id, livemode=True))
    gate = stripe_stand_in.hold_next("checkout.session", paid_session(order_id)["id"])
    live.deliver("checkout.session.completed", paid_session(order_id), created=CREATED + 3600)
    tell(live, range(3), status="past_due")

    with ThreadPoolExecutor() as pool:
        worker = pool.submit(live.work)
        assert gate.arrived.wait(timeout=10)
        assert set(statuses(live).values()) == {"past_due"}
        gate.open()
        worker.result(timeout=10)

    assert live.status(order_id) == "paid"


def test_somebody_who_looks_now_waits_for_the_lane_and_then_sees_it_all(live: Shop, stripe_stand_in: StandIn) -> None:
    """The account page asks while payloads wait in the lane: what it reads is the last word."""
    known(live, stripe_stand_in, range(1))
    tell(live, range(1), status="past_due")
    stripe_stand_in.put(theirs(0, status="canceled"))

    assert live.inbox.refresh(Ref("subscription", "sub_0"), lane="cus_0")

    assert statuses(live) == {"sub_0": "canceled"}
    assert set(live.event_states()) == {"applied"}


def test_a_parent_that_is_not_here_is_read_first(live: Shop, stripe_stand_in: StandIn) -> None:
    """The payload is believed, but whose it is must be known: that lane is read for, the others are not."""
    known(live, stripe_stand_in, range(2))
    stripe_stand_in.put(customer(id="cus_9", livemode=True), theirs(9))
    tell(live, range(2), status="past_due")
    live.deliver(UPDATED, theirs(9), created=CREATED + 3600)

    live.work()

    assert stripe_stand_in.calls == ["/v1/customers/cus_9"]
    assert statuses(live) == {"sub_0": "past_due", "sub_1": "past_due", "sub_9": "active"}


def test_a_draft_told_of_with_its_subscription_finds_it(live: Shop, stripe_stand_in: StandIn) -> None:
    """Both are new, both come in one transaction: what is written first is seen by what comes after."""
    known(live, stripe_stand_in, range(1))
    seen: list[str | None] = []

    def note(paid: InvoicePaid) -> None:
        seen.append(paid.subscription.status if paid.subscription else None)

    live.on(InvoicePaid, note)
    tell(live, range(1), status="past_due")
    parent = {"subscription_details": {"subscription": "sub_0"}}
    bills = [shape(1, customer="cus_0", parent=parent, livemode=True) for shape in (invoice, paid_invoice)]
    live.deliver("invoice.created", bills[0], created=CREATED + 3600)
    live.work()
    live.deliver("invoice.paid", bills[1], created=CREATED + 7200)
    live.work()

    assert seen == ["past_due"]
    assert stripe_stand_in.calls == []
