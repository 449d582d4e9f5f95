"""Handlers in Django's transaction: what they write through the ORM happens exactly once."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from paydesk import OrderPaid, WouldWaitForItself
from paydesk.django.orm import DjangoOrm
from tests.billing.shop import Shop, paid_session
from tests.django.shelf.models import Copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.billing.stand_in import StandIn


@pytest.fixture
def on_paid(shop: Shop, stripe_stand_in: StandIn) -> Callable[[Callable[[OrderPaid], Any]], str]:
    """Registers a handler, and lets somebody buy."""

    def buy(handler: Callable[[OrderPaid], Any]) -> str:
        shop.handlers.add(OrderPaid, handler, orm=shop.store.orm)
        order_id = shop.order()
        stripe_stand_in.put(paid_session(order_id))
        shop.deliver("checkout.session.completed", paid_session(order_id))
        return order_id

    return buy


def copies() -> list[str]:
    return list(Copy.objects.values_list("order_id", flat=True))


def test_what_a_handler_writes_is_kept_with_its_mark(shop: Shop, on_paid: Callable[..., str]) -> None:
    """A model saved in a handler is there, once, and the effect is done."""

    def deliver(paid: OrderPaid) -> None:
        Copy.objects.create(order_id=paid.order.id)

    order_id = on_paid(deliver)

    shop.work()
    shop.work()

    assert copies() == [order_id]
    assert shop.effect_states() == ["done"]


def test_what_a_failing_handler_wrote_is_undone_and_tried_again(shop: Shop, on_paid: Callable[..., str]) -> None:
    """A handler that fails after its first write leaves no half of itself."""
    failures = [RuntimeError("the printer is on fire")]

    def deliver(paid: OrderPaid) -> None:
        Copy.objects.create(order_id=paid.order.id)
        if failures:
            raise failures.pop()

    order_id = on_paid(deliver)

    shop.work()
    after_failure = copies(), shop.effect_states()
    shop.clock.advance(hours=1)
    shop.work()

    assert after_failure == ([], ["waiting"])
    assert copies() == [order_id]
    assert shop.effect_states() == ["done"]


def test_of_two_runs_of_one_effect_one_is_kept(shop: Shop, on_paid: Callable[..., str]) -> None:
    """A run that was taken for dead and finished by another undoes itself."""
    done = {"state": "done", "done_at": shop.clock()}

    def deliver(paid: OrderPaid) -> None:
        # Somebody else finishes it, after this run was begun.
        shop.set(shop.store.tables.effects, **done)
        Copy.objects.create(order_id=paid.order.id)

    on_paid(deliver)

    shop.work()

    assert copies() == []
    assert shop.effect_states() == ["done"]


def test_a_handler_that_catches_everything_is_undone_too(shop: Shop, on_paid: Callable[..., str]) -> None:
    """What says that another has done it may come at any statement: no handler can be asked to let it through."""
    done = {"state": "done", "done_at": shop.clock()}

    def deliver(paid: OrderPaid) -> None:
        shop.set(shop.store.tables.effects, **done)
        with suppress(Exception):
            Copy.objects.exists()
        Copy.objects.create(order_id=paid.order.id)

    on_paid(deliver)

    shop.work()

    assert copies() == []
    assert shop.effect_states() == ["done"]


def test_savepoints_and_caught_errors_are_djangos_own(shop: Shop, on_paid: Callable[..., str]) -> None:
    """A handler may nest atomic(), and go on after an error that it catches."""

    def deliver(paid: OrderPaid) -> None:
        copy = Copy.objects.create(order_id=paid.order.id)
        with suppress(IntegrityError), transaction.atomic():
            Copy.objects.create(order_id="never")
            Copy(id=copy.id, order_id="twice").save(force_insert=True)

    order_id = on_paid(deliver)

    shop.work()

    assert copies() == [order_id]
    assert shop.effect_states() == ["done"]


def test_what_waits_for_the_commit_is_done_after_it(shop: Shop, on_paid: Callable[..., str]) -> None:
    """transaction.on_commit in a handler runs once the work and its mark are kept, and not when they are not."""
    told: list[tuple[str, list[str]]] = []

    def deliver(paid: OrderPaid) -> None:
        Copy.objects.create(order_id=paid.order.id)
        transaction.on_commit(lambda: told.append((paid.order.id, shop.effect_states())))

    order_id = on_paid(deliver)

    shop.work()

    assert told == [(order_id, ["done"])]


def test_a_handler_may_ask_the_desk_before_it_writes(shop: Shop, on_paid: Callable[..., str]) -> None:
    """The transaction takes no lock before the handler's first statement."""

    def deliver(paid: OrderPaid) -> None:
        with shop.store.write() as store:
            shop.store.notify(store)
        Copy.objects.create(order_id=paid.order.id)

    order_id = on_paid(deliver)

    shop.work()

    assert copies() == [order_id]


def test_on_sqlite_the_desk_does_not_wait_for_the_thread_it_runs_in(shop: Shop, on_paid: Callable[..., str]) -> None:
    """A handler that has written, and a view within atomic(), are told so at once; PostgreSQL has no such lock."""
    refusals: list[type[Exception]] = []

    def asks_the_desk() -> None:
        try:
            with shop.store.write():
                pass
        except WouldWaitForItself as refusal:
            refusals.append(type(refusal))

    def deliver(paid: OrderPaid) -> None:
        Copy.objects.create(order_id=paid.order.id)
        asks_the_desk()

    on_paid(deliver)

    shop.work()
    with transaction.atomic():
        asks_the_desk()
    asks_the_desk()

    assert refusals == ([WouldWaitForItself] * 2 if connection.vendor == "sqlite" else [])
    assert shop.effect_states() == ["done"]


def test_a_handler_is_not_run_within_a_transaction_that_could_undo_it(shop: Shop, on_paid: Callable[..., str]) -> None:
    """Work within atomic() would be marked done by a commit that may never come."""
    orm = DjangoOrm("default")

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        orm.run(lambda: None, shop.store.tables.effects.update().values(state="done"))


def test_a_transaction_that_begins_with_the_lock_has_it_from_the_beginning(
    shop: Shop, on_paid: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `transaction_mode` IMMEDIATE, which is SQLite's, a handler cannot ask the desk at all, and is told so."""
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    refused: list[bool] = []

    def deliver(_paid: OrderPaid) -> None:
        try:
            with shop.store.write():
                refused.append(False)
        except WouldWaitForItself:
            refused.append(True)

    on_paid(deliver)

    shop.work()

    assert refused == [connection.vendor == "sqlite"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_sqlite_a_handler_that_reads_first_is_not_overtaken(
    shop: Shop, database: dict[str, Any], on_paid: Callable[..., str]
) -> None:
    """SQLite refuses to let a transaction write that has read before somebody else wrote: nobody can, in between."""
    others: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        if Copy.objects.filter(order_id=paid.order.id).exists():
            return
        with closing(sqlite3.connect(database["NAME"], timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as refusal:
                others.append(str(refusal))
        Copy.objects.create(order_id=paid.order.id)

    order_id = on_paid(deliver)

    shop.work()

    assert others == ["database is locked"]
    assert copies() == [order_id]
