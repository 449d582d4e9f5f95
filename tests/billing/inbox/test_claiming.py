"""Claiming a lane at the very moment at which somebody else finishes it."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, update

from paydesk.billing.facts import OrderPaid
from paydesk.billing.mirror.refs import Ref
from tests.billing.shop import Shop, paid_session, session

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn

# How long the worker is held up for the page's sake. If the page waits for the worker instead, it is in order too.
HELD_UP_SECONDS = 0.5


def test_a_worker_and_the_thanks_page_never_wait_for_each_other(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The worker has found an event and is about to take its lane; the page takes it, and applies the event first."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    pages: list[Future[bool]] = []
    has_asked = threading.Event()

    with ThreadPoolExecutor() as pool:

        def look_up(*asked: Any) -> None:
            # The page takes the lane by the same statement, perhaps before this one has been noted.
            if "INSERT INTO lanes" in asked[2] and not has_asked.is_set():
                has_asked.set()
                pages.append(pool.submit(shop.inbox.refresh, Ref("checkout.session", session(order_id)["id"])))
                wait(pages, HELD_UP_SECONDS)

        event.listen(shop.store.engine, "before_cursor_execute", look_up)
        shop.work()
        (page,) = pages

        assert page.result(timeout=10)
    assert shop.status(order_id) == "paid"
    assert shop.event_states() == ["applied"]
    assert [row["lease_owner"] for row in shop.rows(shop.store.tables.lanes)] == [None]


def test_x2_what_is_committed_late_is_done_all_the_same(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Work is found by its state: a row with an earlier stamp that appears after later ones is not missed."""
    delivered: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        delivered.append(paid.order.id)

    shop.on(OrderPaid, deliver)
    early, late = shop.order(), shop.order()
    stripe_stand_in.put(paid_session(early), paid_session(late))
    shop.deliver("checkout.session.completed", paid_session(early))
    moment = shop.clock.moment
    shop.clock.advance(hours=1)
    shop.deliver("checkout.session.completed", paid_session(late))
    shop.work()
    tables = shop.store.tables
    # The same again, as if the first had been committed only now: event and effect carry the stamp of an hour ago.
    with shop.store.write() as connection:
        first = update(tables.effects).where(tables.effects.c.id == 1)
        connection.execute(first.values(state="waiting", next_at=moment))
        earlier = update(tables.events).where(tables.events.c.seq == 1)
        connection.execute(earlier.values(state="received", next_at=moment))

    shop.work()

    assert delivered == [early, late, early]
    assert set(shop.event_states()) == {"applied"}
