"""Crashes: the state that is left by a process that died at each commit, and what the next worker makes of it.

From the delivery of an event to the last of its effects there are six commits. Between any two of them a process may
die: what the earlier ones wrote is there, what the later ones would have written is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, select

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.lanes import Lanes
from tests.billing.shop import Shop, paid_session, payment, refund

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.billing.stand_in import StandIn

shelf = Table("shelf", MetaData(), Column("order_id", Text))


class Purchase:
    """Somebody has paid; the app delivers by writing to its own table."""

    def __init__(self, shop: Shop, stripe: StandIn) -> None:
        self.shop = shop
        self.order_id = shop.order()
        stripe.put(paid_session(self.order_id))
        shop.on(OrderPaid, deliver)

    def deliver_event(self) -> None:
        self.shop.deliver("checkout.session.completed", paid_session(self.order_id), event_id="evt_1")

    def assert_fulfilled_once(self) -> None:
        assert self.shop.status(self.order_id) == "paid"
        assert self.shop.event_states() == ["applied"]
        assert self.shop.facts() == [f"order.paid:{self.order_id}"]
        assert self.shop.effect_states() == ["done"]
        with self.shop.store.read() as connection:
            assert connection.scalar(select(func.count()).select_from(shelf)) == 1


def deliver(paid: OrderPaid, db: Session) -> None:
    db.execute(shelf.insert().values(order_id=paid.order.id))


@pytest.fixture
def purchase(shop: Shop, stripe_stand_in: StandIn) -> Purchase:
    with shop.store.write() as connection:
        shelf.create(connection)
    return Purchase(shop, stripe_stand_in)


def write_and_die(shop: Shop) -> None:
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.orders.update().values(status="paid"))
        raise KeyboardInterrupt


def test_p3_t1_a_crash_after_the_event_was_kept(purchase: Purchase) -> None:
    """Stripe has its 200 and nothing else has happened: the row alone is enough."""
    purchase.deliver_event()

    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_t1_a_crash_before_the_event_was_kept(purchase: Purchase) -> None:
    """Nothing was acknowledged, so Stripe delivers again."""
    purchase.shop.work()
    assert purchase.shop.facts() == []

    purchase.deliver_event()
    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_a_crash_while_stripe_was_being_read(purchase: Purchase) -> None:
    """The lane is leased by nobody who lives: it is offered again when the lease is over, and not before."""
    purchase.deliver_event()
    dead = Lanes(purchase.shop.store, "a process that died", purchase.shop.clock)
    (due,) = dead.due(1)
    assert dead.claim(due.lane)

    purchase.shop.work()
    assert purchase.shop.event_states() == ["received"]

    purchase.shop.clock.advance(seconds=31)
    purchase.shop.work()
    purchase.assert_fulfilled_once()


def test_a_crash_just_before_the_mirror_was_committed(purchase: Purchase) -> None:
    """Rows, fact, effects and the event's mark are one commit: none of it is there, and all of it is done again."""
    purchase.deliver_event()
    with pytest.raises(KeyboardInterrupt):
        write_and_die(purchase.shop)
    assert purchase.shop.status(purchase.order_id) == "pending"

    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_a_crash_after_the_mirror_was_committed(purchase: Purchase) -> None:
    """The effect is a row that waits; no event is needed to find it."""
    purchase.deliver_event()
    purchase.shop.inbox.apply_due()
    assert purchase.shop.effect_states() == ["waiting"]

    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_a_crash_while_a_handler_was_running(purchase: Purchase) -> None:
    """What it had written is gone with its transaction; it is run again once nobody can be running it any more."""
    shop = purchase.shop
    purchase.deliver_event()
    shop.inbox.apply_due()
    effects = shop.store.tables.effects
    (waiting,) = shop.rows(effects)
    shop.set(effects, attempts=1, next_at=waiting["next_at"].replace(minute=2))

    shop.work()
    assert shop.effect_states() == ["waiting"]

    shop.clock.advance(minutes=2)
    shop.work()
    purchase.assert_fulfilled_once()


def test_a_crash_after_the_handler_was_committed(purchase: Purchase) -> None:
    """Its work and its mark are one commit, so there is nothing left to do, whatever else Stripe sends."""
    purchase.deliver_event()
    purchase.shop.work()

    purchase.deliver_event()
    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_a_crash_between_stripes_answer_and_the_orders_link(purchase: Purchase) -> None:
    """The session exists at Stripe, is paid there, and our order does not know of it: the session knows the order."""
    purchase.shop.set(purchase.shop.store.tables.orders, session_id=None, session_url=None)
    purchase.deliver_event()

    purchase.shop.work()

    purchase.assert_fulfilled_once()


def test_a_crash_after_one_of_two_effects(purchase: Purchase, stripe_stand_in: StandIn) -> None:
    """The one that is done stays done; the other is run."""
    shop = purchase.shop
    others: list[str] = []

    def mail(paid: OrderPaid) -> None:
        others.append(paid.order.id)

    shop.on(OrderPaid, mail)
    purchase.deliver_event()
    shop.inbox.apply_due()
    shop.inbox.effects.run_due()
    assert sorted(shop.effect_states()) == ["done", "waiting"]

    shop.work()

    assert others == [purchase.order_id]
    assert shop.effect_states() == ["done", "done"]


def test_a_crash_between_the_payment_and_its_refund(purchase: Purchase, stripe_stand_in: StandIn) -> None:
    """Two lanes tell of one order; each crash of one leaves the other whole."""
    shop = purchase.shop
    back = refund(purchase.order_id, 1, 1900)
    stripe_stand_in.put(payment(purchase.order_id, refunds=[back]))
    shop.deliver("refund.created", back)
    shop.inbox.apply_due()
    assert shop.status(purchase.order_id) == "pending"

    purchase.deliver_event()
    shop.work()

    assert shop.status(purchase.order_id) == "refunded"
    assert shop.facts() == [f"order.paid:{purchase.order_id}", f"order.refunded:{back['id']}"]
