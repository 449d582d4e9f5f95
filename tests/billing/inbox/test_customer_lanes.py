"""A customer's lane: subscriptions, invoices and the customer itself are one worker's at a time, whoever is slow."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import QueuePool, update

from paydesk.billing.inbox.rounds import VISITS_MAX
from paydesk.billing.mirror.customers import link
from paydesk.billing.mirror.refs import Ref, lane_of
from tests.billing.shop import CREATED, Shop, customer
from tests.billing.subscribed import canceled, invoice, item, paid_invoice, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

UPDATED, CREATED_EVENT, DELETED = (f"customer.subscription.{what}" for what in ("updated", "created", "deleted"))


@pytest.fixture
def other(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """A second process of the same app."""
    opened = Shop(store, stripe_stand_in, clock)
    yield opened
    opened.inbox.close()


def status(shop: Shop) -> str:
    return str(shop.row(shop.store.tables.subscriptions, id="sub_1")["status"])


@pytest.mark.parametrize(
    ("subject", "lane"),
    [
        (subscription(), "cus_1"),
        (subscription(customer={"id": "cus_1", "object": "customer"}), "cus_1"),
        (subscription(customer=None, customer_account="acct_1"), "sub_1"),
        (invoice(), "cus_1"),
        ({"id": "di_1", "object": "discount", "customer": "cus_1"}, "cus_1"),
        (customer(), "cus_1"),
        # It says nothing of whose it is, so it cannot be in their lane; the invoice has events of its own.
        ({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1"}, "inpay_1"),
    ],
)
def test_what_is_born_with_its_customer_is_in_their_lane(subject: dict[str, Any], lane: str) -> None:
    """And stays there: a link that could change would let two workers hold one object."""
    assert lane_of(subject) == lane


def test_p2_d1_d8_s7_a_slow_old_answer_never_overwrites_the_end(
    shop: Shop, other: Shop, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """One worker has read `active` and sleeps; another hears of the end. What was read first is thrown away."""
    stripe_stand_in.put(customer(), subscription())
    gate = stripe_stand_in.hold_next("subscription", "sub_1")
    shop.deliver(UPDATED, subscription())

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        clock.advance(seconds=31)
        stripe_stand_in.put(canceled())
        other.deliver(DELETED, canceled())
        other.work()
        gate.open()
        sleeper.result(timeout=10)

    assert status(shop) == "canceled"
    assert shop.event_states() == ["applied", "applied"]


def test_an_invoice_waits_while_its_customers_subscription_is_read(
    shop: Shop, other: Shop, stripe_stand_in: StandIn
) -> None:
    """Nobody else writes what the one worker is about to write beside it."""
    stripe_stand_in.put(customer(), subscription(), paid_invoice())
    gate = stripe_stand_in.hold_next("subscription", "sub_1")
    shop.deliver(CREATED_EVENT, subscription())

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        other.deliver("invoice.paid", paid_invoice())
        other.work()
        assert shop.rows(shop.store.tables.invoices) == []
        gate.open()
        sleeper.result(timeout=10)

    assert shop.facts() == ["subscription.started:sub_1", "invoice.paid:in_1"]


def test_x3_nothing_is_locked_while_stripe_takes_its_time(shop: Shop, stripe_stand_in: StandIn) -> None:
    """No transaction is open during a call: the app writes as if we were not there."""
    stripe_stand_in.put(customer(), subscription())
    gate = stripe_stand_in.hold_next("subscription", "sub_1")
    shop.deliver(CREATED_EVENT, subscription())
    pool_of_connections = shop.store.engine.pool
    assert isinstance(pool_of_connections, QueuePool)
    receiving = pool_of_connections.checkedout()

    with ThreadPoolExecutor() as pool:
        sleeper = pool.submit(shop.work)
        assert gate.arrived.wait(timeout=10)
        while_asking = pool_of_connections.checkedout()
        shop.order(id="ord_meanwhile")
        gate.open()
        sleeper.result(timeout=10)

    assert while_asking == receiving == 1  # the one that keeps webhooks
    assert status(shop) == "active"


def test_d7_eight_workers_on_the_first_sight_of_many_customers_do_not_lock_each_other_out(
    shop: Shop, stripe_stand_in: StandIn, store: Store, clock: Clock
) -> None:
    """Whole object graphs at once, each told of in any order, and every event is applied."""
    told: list[tuple[str, dict[str, Any]]] = []
    for number in range(12):
        whose = {"customer": f"cus_{number}"}
        sub = subscription(item(number=number), number=number, **whose, latest_invoice=f"in_{number}")
        bill = paid_invoice(number, **whose, parent={"subscription_details": {"subscription": sub["id"]}})
        person = customer(id=f"cus_{number}")
        stripe_stand_in.put(person, sub, bill)
        told += [("customer.created", person), (CREATED_EVENT, sub), ("invoice.created", bill)]
        told += [("invoice.paid", bill), (UPDATED, sub)]
    random.Random(7).shuffle(told)
    for kind, subject in told:
        shop.deliver(kind, subject)
    others = [Shop(store, stripe_stand_in, clock) for _ in range(7)]

    with ThreadPoolExecutor(8) as pool:
        for work in [pool.submit(each.work) for each in (shop, *others)]:
            work.result(timeout=60)
    shop.work()

    assert set(shop.event_states()) == {"applied"}
    assert len(shop.rows(store.tables.subscriptions)) == len(shop.rows(store.tables.invoices)) == 12
    # Each started and paid; the first invoice of all is no renewal.
    assert len(shop.facts()) == len(set(shop.facts())) == 24 + 11
    for each in others:
        each.inbox.close()


def test_p4_d5_b1_an_outage_of_stripes_delays_and_loses_nothing(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Every event was answered with 200 meanwhile; the lane waits, and one look says all."""
    stripe_stand_in.put(customer(), subscription())
    stripe_stand_in.fail("subscription", "sub_1", times=8, status=429)
    for number in range(3):
        assert not shop.deliver(UPDATED, subscription(), created=CREATED + number).is_duplicate
    shop.work()
    assert shop.rows(shop.store.tables.subscriptions) == []

    for _ in range(3):
        shop.clock.advance(minutes=5)
        shop.work()

    assert status(shop) == "active"
    assert shop.event_states() == ["applied"] * 3


def test_an_event_in_a_lane_of_an_earlier_version_is_sent_to_its_own(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Before subscriptions were mirrored each was its own lane, and an old process may still be receiving."""
    stripe_stand_in.put(customer(), subscription())
    events = shop.store.tables.events
    shop.deliver(UPDATED, subscription(), event_id="evt_old")
    with shop.store.write() as connection:
        connection.execute(update(events).where(events.c.id == "evt_old").values(lane="sub_1"))

    shop.work()

    assert shop.row(events, id="evt_old")["lane"] == "cus_1"
    assert status(shop) == "active"
    assert shop.event_states() == ["applied"]


def test_a_customer_with_very_many_invoices_is_done_in_rounds(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A lease is never held for as long as hundreds of calls may take."""
    numbers = range(1, VISITS_MAX + 6)
    stripe_stand_in.put(customer(), subscription())
    for number in numbers:
        stripe_stand_in.put(paid_invoice(number))
        shop.deliver("invoice.paid", paid_invoice(number))

    shop.inbox.apply_due()
    first_round = shop.event_states().count("applied")
    shop.work()

    assert first_round == VISITS_MAX
    assert set(shop.event_states()) == {"applied"}
    assert len(shop.rows(shop.store.tables.invoices)) == len(numbers)


def test_whoever_looks_now_names_the_lane(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A subscription's id does not say whose it is; guessing would break the lane's promise."""
    stripe_stand_in.put(customer(), subscription())

    with pytest.raises(ValueError, match="The lane of the subscription sub_1 is not its own"):
        shop.inbox.refresh(Ref("subscription", "sub_1"))
    assert shop.inbox.refresh(Ref("subscription", "sub_1"), lane="cus_1")

    assert status(shop) == "active"


@pytest.mark.parametrize("is_first", ["the link", "the subscription"])
def test_a_customer_who_is_linked_later_owns_what_is_there(
    shop: Shop, stripe_stand_in: StandIn, clock: Clock, is_first: str
) -> None:
    """Somebody with a subscription made elsewhere becomes a user of the app."""
    stripe_stand_in.put(customer(), subscription(), paid_invoice())
    tables = shop.store.tables
    shop.deliver("customer.created", customer())
    shop.work()

    def join() -> None:
        with shop.store.write() as connection:
            claim = {"user_id": "ada", "created_at": clock(), "updated_at": clock()}
            connection.execute(tables.customers.insert().values(**claim))
            link(shop.store, connection, "ada", "cus_1")

    if is_first == "the link":
        join()
    shop.deliver(CREATED_EVENT, subscription())
    shop.deliver("invoice.paid", paid_invoice())
    shop.work()
    if is_first == "the subscription":
        join()

    assert {row["user_id"] for table in (tables.subscriptions, tables.invoices) for row in shop.rows(table)} == {"ada"}


# Orders in which first checkouts were really seen to be told, in public threads.
SEEN = {
    "a good run": "created invoice.created created_again invoice.finalized updated invoice.paid invoice.updated",
    "a bad run": "invoice.created invoice.updated updated created invoice.payment_succeeded invoice.paid "
    "invoice.finalized",
    "nothing created": "updated invoice.paid",
    "only the invoice": "invoice.paid",
}


@pytest.mark.parametrize("run", SEEN)
@pytest.mark.parametrize("together", [True, False])
def test_c7_y3_a_first_checkout_is_understood_in_every_order_it_was_seen_in(
    shop: Shop, stripe_stand_in: StandIn, run: str, together: bool
) -> None:
    """Started once, paid once, and active; whether the events come one by one or in a burst."""
    stripe_stand_in.put(customer(), subscription(), paid_invoice())
    payloads = {
        "created": (CREATED_EVENT, subscription(status="incomplete")),
        "created_again": (CREATED_EVENT, subscription(status="incomplete")),
        "updated": (UPDATED, subscription()),
    }

    for name in SEEN[run].split():
        shop.deliver(*payloads.get(name, (name, paid_invoice())))
        if not together:
            shop.work()
    shop.work()

    assert status(shop) == "active"
    assert sorted(shop.facts()) == ["invoice.paid:in_1", "subscription.started:sub_1"]
    assert set(shop.event_states()) == {"applied"}
