"""Effects: each handler succeeds once for each fact, whatever it or the machine does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, MetaData, Table, Text, select, text

from paydesk.billing.facts import DisputeOpened, OrderPaid, StripeEvent
from paydesk.billing.inbox.handlers import Handlers
from paydesk.billing.inbox.retry import ATTEMPTS_MAX
from paydesk.errors import HandlerRefused
from tests.billing.shop import Shop, dispute, paid_session, payment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

shelf = Table("shelf", MetaData(), Column("order_id", Text), Column("note", Text))


@pytest.fixture
def paid(shop: Shop, stripe_stand_in: StandIn) -> Callable[[], str]:
    """Somebody buys; the event lies in the inbox."""

    def buy() -> str:
        order_id = shop.order()
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))
        return order_id

    return buy


@pytest.fixture
def app_table(shop: Shop) -> Iterator[None]:
    """A table of the app's own, which its handlers write."""
    with shop.store.write() as connection:
        shelf.create(connection)
    yield
    with shop.store.write() as connection:
        shelf.drop(connection)


def delivered(shop: Shop) -> list[str]:
    with shop.store.read() as connection:
        return [row.order_id for row in connection.execute(select(shelf))]


def test_a_handler_gets_the_fact_and_the_order(shop: Shop, paid: Callable[[], str]) -> None:
    """Everything needed to deliver is in the fact."""
    seen: list[OrderPaid] = []

    def deliver(fact: OrderPaid) -> None:
        seen.append(fact)

    shop.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    (fact,) = seen
    assert (fact.order.id, fact.order.sku, fact.order.user_id, fact.order.quantity) == (order_id, "ebook", "ada", 1)
    assert (fact.order.amount_minor, fact.order.currency, fact.order.email) == (1900, "usd", "ada@example.com")
    assert fact.order.status == "paid"
    assert fact.idempotency_key.startswith("pdk_")


def test_a_fact_survives_its_row(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Times and amounts come out of the database as they went in."""
    seen: list[DisputeOpened] = []

    def warn(fact: DisputeOpened) -> None:
        seen.append(fact)

    shop.on(DisputeOpened, warn)
    order_id = shop.order(status="paid")
    stripe_stand_in.put(payment(order_id), dispute(order_id))
    shop.deliver("payment_intent.succeeded", payment(order_id))
    shop.deliver("charge.dispute.created", dispute(order_id))

    shop.work()

    (fact,) = seen
    assert (fact.reason, fact.amount_minor) == ("fraudulent", 1900)
    assert fact.evidence_due_at is not None
    assert int(fact.evidence_due_at.timestamp()) == dispute(order_id)["evidence_details"]["due_by"]


@pytest.mark.usefixtures("app_table")
def test_what_a_handler_writes_through_db_and_its_mark_are_one_commit(shop: Shop, paid: Callable[[], str]) -> None:
    """A handler that writes, commits out of habit, and then fails, has written nothing; its next try writes once."""
    tries = Counter[str]()

    def deliver(fact: OrderPaid, db: Session) -> None:
        tries[fact.order.id] += 1
        with db.begin():
            db.execute(shelf.insert().values(order_id=fact.order.id))
        db.commit()
        if tries[fact.order.id] == 1:
            raise RuntimeError("the printer is on fire")

    shop.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()
    assert delivered(shop) == []
    assert shop.effect_states() == ["waiting"]

    shop.clock.advance(minutes=1)
    shop.work()
    assert delivered(shop) == [order_id]
    assert shop.effect_states() == ["done"]


@pytest.mark.usefixtures("app_table")
def test_a_handler_may_undo_its_own_work_and_go_on(shop: Shop, paid: Callable[[], str]) -> None:
    """A rollback is real, and what comes after it counts."""

    def deliver(fact: OrderPaid, db: Session) -> None:
        db.execute(shelf.insert().values(order_id="mistake"))
        db.rollback()
        db.execute(shelf.insert().values(order_id=fact.order.id))

    shop.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    assert delivered(shop) == [order_id]


@pytest.mark.usefixtures("app_table")
@pytest.mark.parametrize("end", ["close", "reset", "with"])
def test_a_handler_that_closes_db_loses_nothing(shop: Shop, paid: Callable[[], str], end: str) -> None:
    """Habit closes what it was given: the delivery must not be forgotten and then marked as done."""

    def deliver(fact: OrderPaid, db: Session) -> None:
        if end == "with":
            with db:
                db.execute(shelf.insert().values(order_id=fact.order.id))
        else:
            db.execute(shelf.insert().values(order_id=fact.order.id))
            getattr(db, end)()

    shop.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    assert delivered(shop) == [order_id]
    assert shop.effect_states() == ["done"]


@pytest.mark.usefixtures("app_table")
def test_a_handler_that_would_wait_for_itself_is_told_at_once(
    shop: Shop, paid: Callable[[], str], database_url: str
) -> None:
    """On SQLite db holds the only write lock, so the desk cannot write before the handler ends."""
    order_ids: list[str] = []

    def deliver(fact: OrderPaid, db: Session) -> None:
        db.execute(shelf.insert().values(order_id=fact.order.id))
        order_ids.append(shop.order())  # what a verb of the desk does: a transaction of its own

    shop.on(OrderPaid, deliver)
    paid()
    began = time.monotonic()
    shop.work()

    assert time.monotonic() - began < 10
    (effect,) = shop.rows(shop.store.tables.effects)
    if database_url.startswith("sqlite"):
        assert "before the first use of db" in effect["last_error"]
        assert order_ids == delivered(shop) == []
    else:
        assert (effect["state"], len(order_ids)) == ("done", 1)


def test_a_handler_that_ends_the_process_each_time_is_given_up(shop: Shop, paid: Callable[[], str]) -> None:
    """One that uses up the memory would otherwise take the app down every two minutes, for ever."""
    runs: list[str] = []

    def deliver(fact: OrderPaid) -> None:
        runs.append(fact.order.id)

    shop.on(OrderPaid, deliver)
    paid()
    while shop.inbox.apply_due():
        pass
    shop.set(shop.store.tables.effects, attempts=ATTEMPTS_MAX)

    shop.work()

    (effect,) = shop.rows(shop.store.tables.effects)
    assert (effect["state"], runs) == ("dead", [])
    assert "ended each time" in effect["last_error"]


def test_d2_a_failing_handler_harms_neither_the_mirror_nor_its_neighbours(shop: Shop, paid: Callable[[], str]) -> None:
    """One of three handlers raises, and only that one is run again: no mail goes out twice."""
    runs = Counter[str]()

    def first(_: OrderPaid) -> None:
        runs["first"] += 1

    def second(_: OrderPaid) -> None:
        runs["second"] += 1
        if runs["second"] == 1:
            raise ValueError("not today")

    def third(_: OrderPaid) -> None:
        runs["third"] += 1

    for handler in (first, second, third):
        shop.on(OrderPaid, handler)
    order_id = paid()

    shop.work()
    assert shop.status(order_id) == "paid"
    assert shop.event_states() == ["applied"]
    shop.clock.advance(hours=1)
    shop.work()

    assert runs == {"first": 1, "second": 2, "third": 1}


def test_a_handler_that_never_succeeds_ends_among_the_dead_letters(shop: Shop, paid: Callable[[], str]) -> None:
    """With its traceback, and without any secret in it; a person can start it again."""
    is_repaired = False
    runs = Counter[str]()

    def deliver(_: OrderPaid) -> None:
        runs["deliver"] += 1
        if not is_repaired:
            raise RuntimeError("cannot use sk_test_abcdefgh12345")

    shop.on(OrderPaid, deliver)
    paid()
    for _ in range(ATTEMPTS_MAX + 5):
        shop.work()
        shop.clock.advance(hours=1)

    (effect,) = shop.rows(shop.store.tables.effects)
    assert (effect["state"], runs["deliver"]) == ("dead", ATTEMPTS_MAX)
    assert "in deliver" in effect["last_error"]
    assert "abcdefgh12345" not in effect["last_error"]

    is_repaired = True
    assert shop.inbox.effects.retry(effect["id"])
    shop.work()
    assert shop.effect_states() == ["done"]


@pytest.mark.parametrize("raised", [SystemExit(1), asyncio.CancelledError(), GeneratorExit()])
def test_a_handler_cannot_stop_the_worker(shop: Shop, paid: Callable[[], str], raised: BaseException) -> None:
    """Even one that tries to end the program is only noted as failed."""

    def deliver(_: OrderPaid) -> None:
        raise raised

    shop.on(OrderPaid, deliver)
    paid()

    shop.work()

    assert shop.effect_states() == ["waiting"]


def test_a_coroutine_is_welcome(shop: Shop, paid: Callable[[], str]) -> None:
    """Where only the outside world is touched."""
    seen: list[str] = []

    async def deliver(fact: OrderPaid) -> None:
        await asyncio.sleep(0)
        seen.append(fact.order.id)

    shop.on(OrderPaid, deliver)
    first = paid()
    shop.work()
    second = paid()
    asyncio.run(drain_within_a_loop(shop))

    assert seen == [first, second]


async def drain_within_a_loop(shop: Shop) -> None:
    shop.work()


def test_a_handler_may_listen_to_any_event_by_stripes_name(shop: Shop) -> None:
    """The handler gets Stripe's snapshot, and a copy of the event does not reach it twice."""
    seen: list[StripeEvent] = []

    def warn(event: StripeEvent) -> None:
        seen.append(event)

    shop.on("payout.failed", warn)
    for _ in range(3):
        shop.deliver("payout.failed", {"id": "po_1", "object": "payout", "amount": 900}, event_id="evt_1")
        shop.work()

    (event,) = seen
    assert (event.id, event.type, event.object["amount"]) == ("evt_1", "payout.failed", 900)


def test_two_handlers_and_two_tries_have_the_right_idempotency_keys(shop: Shop, paid: Callable[[], str]) -> None:
    """The same key at each try of one handler, so that a mail service recognises it, and another for its neighbour."""
    keys: dict[str, list[str]] = {"mail": [], "ship": []}

    def mail(fact: OrderPaid) -> None:
        keys["mail"].append(fact.idempotency_key)
        if len(keys["mail"]) == 1:
            raise ValueError("timed out, perhaps after sending")

    def ship(fact: OrderPaid) -> None:
        keys["ship"].append(fact.idempotency_key)

    shop.on(OrderPaid, mail)
    shop.on(OrderPaid, ship)
    paid()
    shop.work()
    shop.clock.advance(hours=1)
    shop.work()

    assert len(keys["mail"]) == 2
    assert len(set(keys["mail"])) == 1
    assert set(keys["mail"]).isdisjoint(keys["ship"])


@pytest.mark.usefixtures("app_table")
def test_a_handler_that_runs_twice_at_once_writes_once(
    shop: Shop, store: Store, stripe_stand_in: StandIn, clock: Clock, paid: Callable[[], str]
) -> None:
    """A run that outlasts its time is started a second time elsewhere; only one of the two is committed."""
    other = Shop(store, stripe_stand_in, clock)
    nested: list[Any] = []

    def deliver(fact: OrderPaid, db: Session) -> None:
        if not nested:
            clock.advance(minutes=3)
            with ThreadPoolExecutor() as pool:
                nested.append(pool.submit(other.work))
                nested[0].result(timeout=30)
        db.execute(shelf.insert().values(order_id=fact.order.id))

    shop.on(OrderPaid, deliver)
    other.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    assert delivered(shop) == [order_id]
    assert shop.effect_states() == ["done"]
    other.inbox.close()


def test_a_handler_that_takes_its_time_is_not_started_twice(
    shop: Shop, store: Store, stripe_stand_in: StandIn, clock: Clock, paid: Callable[[], str]
) -> None:
    """A living worker keeps what it runs, however long that takes, within reason."""
    other = Shop(store, stripe_stand_in, clock)
    runs: list[str] = []

    def deliver(fact: OrderPaid) -> None:
        runs.append(fact.order.id)
        for _ in range(3):
            clock.advance(seconds=100)
            shop.inbox.renew()
        other.work()

    shop.on(OrderPaid, deliver)
    other.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    assert runs == [order_id]
    assert shop.effect_states() == ["done"]
    other.inbox.close()


def test_a_handler_that_talks_to_the_world_first_holds_no_lock(
    shop: Shop, app_table: None, paid: Callable[[], str]
) -> None:
    """On SQLite there is one write lock: webhooks must get in while a handler waits for a mail server."""

    def deliver(fact: OrderPaid, db: Session) -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(shop.deliver, "balance.available", {"object": "balance"}).result(timeout=10)
        db.execute(text("INSERT INTO shelf (order_id) VALUES (:id)"), {"id": fact.order.id})

    shop.on(OrderPaid, deliver)
    order_id = paid()

    shop.work()

    assert delivered(shop) == [order_id]


def _two(_: object, _db: object) -> None: ...
async def _awaits(_: object, db: object) -> None: ...
def _nothing() -> None: ...
def _fine(_: object) -> None: ...


@pytest.mark.parametrize(
    ("topic", "function", "reason"),
    [
        (OrderPaid, _two, "nothing but db"),
        (OrderPaid, _nothing, "must take the fact"),
        (OrderPaid, _awaits, "cannot be awaited"),
        (OrderPaid, lambda _: None, "lambda"),
        ("OrderPaid", _fine, "neither a fact"),
        (object, _fine, "neither a fact"),
    ],
)
def test_a_handler_that_could_not_be_called_is_refused_at_once(
    topic: Any, function: Callable[..., Any], reason: str
) -> None:
    """A mistake is found when the app starts, not when the first customer pays."""
    with pytest.raises(HandlerRefused, match=reason):
        Handlers().add(topic, function)


def test_two_handlers_of_one_name_are_refused() -> None:
    """Their effects could not be told apart."""
    handlers = Handlers()
    handlers.add(OrderPaid, _fine)

    with pytest.raises(HandlerRefused, match="of that name"):
        handlers.add(OrderPaid, _fine)
