"""Outages: Stripe is down, busy, or refuses. Nothing is lost, and everything is tried again in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from paydesk.billing.facts import OrderPaid
from paydesk.billing.inbox.retry import ATTEMPTS_MAX
from tests.billing.shop import Shop, paid_session, price, product

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn


def test_b1_a_429_puts_the_event_off_and_loses_nothing(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Where another library answered 200 and forgot, the customer who paid gets what they paid for a little later."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    stripe_stand_in.fail("checkout.session", paid_session(order_id)["id"], times=8, status=429, code="rate_limit")
    shop.deliver("checkout.session.completed", paid_session(order_id))

    for _ in range(3):
        shop.work()
        shop.clock.advance(seconds=10)

    assert shop.status(order_id) == "paid"
    assert shop.facts() == [f"order.paid:{order_id}"]


def test_a_lane_that_stripe_leaves_unanswered_waits_longer_each_time(shop: Shop, stripe_stand_in: StandIn) -> None:
    """An outage of hours is not met with a storm; other lanes go on."""
    stripe_stand_in.put(product(id="prod_ok"))
    stripe_stand_in.fail("product", "prod_1", times=1000, status=503)
    shop.deliver("product.updated", product())
    shop.deliver("product.updated", product(id="prod_ok"))

    waits = []
    for _ in range(5):
        shop.work()
        lane = shop.row(shop.store.tables.lanes, lane="prod_1")
        waits.append((lane["due_at"] - shop.clock()).total_seconds())
        shop.clock.moment = lane["due_at"]

    assert waits == [2, 4, 8, 16, 32]
    assert shop.event_states() == ["received", "applied"]


def test_a_key_that_stripe_refuses_kills_no_event(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A revoked key is a mistake in the set-up: everything waits until there is a better one."""
    stripe_stand_in.fail("product", "prod_1", times=30, status=401)
    shop.deliver("product.updated", product())

    for _ in range(30):
        shop.work()
        shop.clock.advance(minutes=6)
    stripe_stand_in.put(product())
    shop.work()

    assert shop.event_states() == ["applied"]


def test_an_object_that_stripe_will_not_show_is_given_up_with_its_reason(shop: Shop, stripe_stand_in: StandIn) -> None:
    """After half a day of trying a person is called; the event is kept, and a resend revives it."""
    stripe_stand_in.fail("product", "prod_1", times=ATTEMPTS_MAX, status=403)
    shop.deliver("product.updated", product(), event_id="evt_1")

    for _ in range(ATTEMPTS_MAX):
        shop.work()
        shop.clock.advance(hours=1)

    row = shop.row(shop.store.tables.events)
    assert row["state"] == "dead"
    assert "403" in row["last_error"]

    stripe_stand_in.put(product())
    shop.deliver("product.updated", product(), event_id="evt_1")
    shop.work()
    assert shop.event_states() == ["applied"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [({"id": "price_bad", "object": "price", "product": "prod_1"}, "KeyError"), (product(name=None), "IntegrityError")],
)
def test_an_object_we_cannot_write_harms_no_other_in_its_lane(
    shop: Shop, stripe_stand_in: StandIn, broken: dict[str, Any], reason: str
) -> None:
    """An answer that makes no sense, or that the database refuses, is kept with its traceback; the rest is written."""
    stripe_stand_in.put(broken, price())
    shop.deliver(f"{broken['object']}.updated", broken)
    shop.deliver("price.updated", price())

    shop.work()
    shop.deliver("price.updated", price())
    shop.work()

    assert shop.event_states() == ["received", "applied", "applied"]
    kept = shop.rows(shop.store.tables.events)[0]
    assert reason in kept["last_error"]
    # A neighbour that comes in does not hurry what was put off.
    assert kept["attempts"] == 1
    assert shop.row(shop.store.tables.prices)["unit_amount_minor"] == 1900


def test_s5_an_event_of_an_unknown_type_is_kept_and_settled(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Stripe may send what no version of ours has heard of: it is acknowledged, kept, and asks nobody anything."""
    seen: list[str] = []

    def note(event: object) -> None:
        seen.append(type(event).__name__)

    shop.on("quantum.entangled", note)

    shop.deliver("quantum.entangled", {"id": "qe_1", "object": "quantum"})
    shop.deliver("balance.available", {"object": "balance"})
    shop.work()

    assert shop.event_states() == ["applied", "applied"]
    assert seen == ["StripeEvent"]
    assert stripe_stand_in.calls == []


def test_what_stays_unknown_is_looked_for_ever_more_rarely_and_then_given_up(shop: Shop) -> None:
    """A month later Stripe itself has forgotten the event."""
    shop.deliver("product.updated", product())

    waits = []
    for _ in range(14):
        shop.work()
        next_at = shop.row(shop.store.tables.events)["next_at"]
        waits.append((next_at - shop.clock()).total_seconds())
        shop.clock.moment = next_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]

    shop.clock.advance(days=30)
    shop.work()
    assert shop.event_states() == ["dead"]


def test_a_live_event_whose_row_is_newer_costs_no_read(shop: Shop, stripe_stand_in: StandIn) -> None:
    """In live mode, where no test clock bends time, what is certain is not asked."""
    live = Shop(shop.store, stripe_stand_in, shop.clock, livemode=True)
    live.deliver("product.created", product(livemode=True), created=1000)
    live.work()
    live.deliver("product.updated", product(livemode=True, name="newer"), created=2000)
    live.work()
    live.deliver("product.updated", product(livemode=True, name="late"), created=1500)
    live.work()

    assert shop.row(shop.store.tables.products)["name"] == "newer"
    assert stripe_stand_in.calls == []
    live.inbox.close()


def test_the_fact_is_named_only_once_however_often_stripe_says_it(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Three deliveries, three reads, one thing to deliver."""
    seen: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    shop.on(OrderPaid, deliver)
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))

    for _ in range(3):
        shop.deliver("checkout.session.completed", paid_session(order_id))
        shop.work()

    assert seen == [order_id]


def test_a_lane_whose_write_failed_is_free_again_at_once(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A database that stumbles for a moment costs a moment, not the rest of a lease."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    stumbled: list[str] = []

    def stumble(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE orders") and not stumbled:
            stumbled.append(statement)
            raise OperationalError(statement, {}, Exception("the server closed the connection unexpectedly"))

    event.listen(shop.store.engine, "before_cursor_execute", stumble)
    with pytest.raises(OperationalError):
        shop.inbox.apply_due()
    event.remove(shop.store.engine, "before_cursor_execute", stumble)
    shop.work()

    assert stumbled
    assert shop.status(order_id) == "paid"
