"""Verifying: whatever is not as Stripe says is found and named, and can be repaired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk import OrderPaid, User
from tests.billing.paying import DECLINED_CARD, pay
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from paydesk.billing.store.tables import Tables
    from paydesk.billing.truth.verify import Verified
    from tests.billing.till import Till

ADA = User(id="ada", email="ada@example.com")


@pytest.fixture
def life(till: Till, client: stripe.StripeClient) -> Till:
    """A shop that has sold, refunded and subscribed, mirrored from its webhooks alone."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    (price,) = client.v1.prices.list({"lookup_keys": ["pro"]}).data
    client.v1.subscriptions.create({"customer": customer(client).id, "items": [{"price": price.id}]})
    till.deliver(client)
    till.desk.work()
    till.desk.refund(checkout.order, amount_minor=500)
    controls = Controls(till.wire.stripe_url, till.settings.stripe_secret_key.get_secret_value())
    controls.push(60)  # what follows a payment by itself has happened too
    controls.close()
    till.deliver(client)
    till.desk.work()
    return till


def told(verified: Verified) -> list[tuple[str, str]]:
    return [(drift.kind, drift.problem) for drift in verified.drifts]


def test_a_mirror_made_of_webhooks_is_true(life: Till) -> None:
    """Every row, field by field, though Stripe was never asked for a list before."""
    verified = life.desk.verify()

    assert (verified.is_true, verified.drifts, verified.findings) == (True, (), ())
    assert verified.looked_at > 10


def test_people_who_are_about_to_pay_are_no_drift(life: Till, client: stripe.StripeClient) -> None:
    """Stripe tells nobody that a page was opened, nor that a card was declined there."""
    life.desk.checkout("ebook", user=User(id="bob"))
    life.desk.subscribe("pro", user=User(id="cy"))
    pay(life.desk.checkout("mug", user=ADA).url, card=DECLINED_CARD)
    life.deliver(client)
    life.desk.work()

    assert life.desk.verify().drifts == ()


def test_a_number_that_stripe_counts_on_in_silence_is_no_drift(life: Till, client: stripe.StripeClient) -> None:
    """Each invoice raises its customer's next number, and no event says so."""
    (subscription,) = client.v1.subscriptions.list().data
    invoice = client.v1.invoices.create({"customer": str(subscription.customer)})
    client.v1.invoices.finalize_invoice(invoice.id)
    life.deliver(client)
    life.desk.work()

    assert life.desk.verify().drifts == ()


DAMAGE: dict[str, tuple[Callable[[Tables], list[Any]], list[tuple[str, str]], str]] = {
    "a column": (
        lambda tables: [update(tables.subscriptions).values(status="canceled")],
        [("subscriptions", "differs")],
        "status",
    ),
    "a field of the object": (
        lambda tables: [update(tables.products).where(tables.products.c.name == "Mug").values(object={"id": "x"})],
        [("products", "differs")],
        "object.name",
    ),
    "a part": (
        lambda tables: [update(tables.subscription_items).values(quantity=7)],
        [("subscriptions", "differs")],
        "subscription_items[",
    ),
    "a row that is gone": (lambda tables: [tables.invoices.delete()], [("invoices", "missing")], ""),
    "a row that is buried": (
        lambda tables: [
            update(tables.prices).where(tables.prices.c.lookup_key == "mug").values(deleted_at=datetime.now(UTC))
        ],
        [("prices", "buried")],
        "",
    ),
    "the amount of a refund": (
        lambda tables: [update(tables.refunds).values(amount_minor=1)],
        [("orders", "differs"), ("payments", "differs"), ("refunds", "differs")],
        "refunds[",
    ),
    "an order that forgot its refund": (
        lambda tables: [update(tables.orders).values(amount_refunded_minor=0)],
        [("orders", "differs"), ("payments", "differs")],
        "amount_refunded_minor",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_changed_by_hand_is_found_and_repaired(life: Till, damage: str) -> None:
    """Each kind of damage is named with its field, put right through the lanes, and looked at again."""
    hurt, expected, path = DAMAGE[damage]
    with life.desk.store.write() as connection:
        for statement in hurt(life.desk.store.tables):
            connection.execute(statement)

    found = life.desk.verify()
    repaired = life.desk.verify(repair=True)
    after = life.desk.verify()

    assert not found.is_true
    assert told(found) == expected
    assert any(each.path.startswith(path) for drift in found.drifts for each in drift.differences) or not path
    assert repaired.is_true
    assert {drift.is_repaired for drift in repaired.drifts} == {True}
    assert (after.is_true, after.drifts) == (True, ())


def test_what_stripe_never_had_is_named_and_cannot_be_repaired(life: Till) -> None:
    """A payment that was made up stays to be looked at by a person."""
    tables = life.desk.store.tables
    (payment,) = [row for row in life.rows(tables.payments) if row["order_id"]]
    with life.desk.store.write() as connection:
        made_up = payment | {"id": "pi_made_up", "order_id": None, "object": {"id": "pi_made_up"}}
        connection.execute(tables.payments.insert().values(**made_up))

    verified = life.desk.verify(repair=True, tables=["payments"])

    assert told(verified) == [("payments", "gone")]
    assert [drift.is_repaired for drift in verified.drifts] == [False]
    assert not verified.is_true


def test_what_stripe_has_deleted_is_named_and_buried(life: Till, client: stripe.StripeClient) -> None:
    """A deletion that nobody told of."""
    (owned,) = [row for row in life.rows(life.desk.store.tables.customers) if row["user_id"] is None]
    client.v1.customers.delete(owned["stripe_id"])

    found = life.desk.verify(tables=["customers"])
    repaired = life.desk.verify(repair=True, tables=["customers"])

    assert told(found) == [("customers", "gone")]
    assert repaired.is_true


def test_who_paid_and_was_not_served_is_found_and_served(till: Till, client: stripe.StripeClient) -> None:
    """The order, with no event of its payment: found by its money, and fulfilled by the repair."""
    seen: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    till.desk.on(OrderPaid)(deliver)
    till.desk.work()
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)

    found = till.desk.verify(tables=["orders", "payments"])
    repaired = till.desk.verify(repair=True, tables=["orders", "payments"])
    till.desk.work()

    assert ("orders", "differs") in told(found)
    assert repaired.is_true
    assert seen == [checkout.order.id]


def test_who_was_served_and_never_paid_is_found(life: Till) -> None:
    """Nothing takes a payment back here, so Stripe's word is held against the order's."""
    other = life.desk.checkout("mug", user=ADA).order
    tables = life.desk.store.tables
    with life.desk.store.write() as connection:
        connection.execute(update(tables.orders).where(tables.orders.c.id == other.id).values(status="paid"))

    verified = life.desk.verify()

    assert ("fulfilled_not_paid", other.id) in {(each.trouble, each.subject) for each in verified.findings}


def test_work_that_nobody_does_is_found(life: Till) -> None:
    """Dead letters, and handlers that no worker has."""
    tables = life.desk.store.tables
    long_ago = life.clock() - timedelta(hours=1)
    row = {"handler": "shop.deliver", "next_at": long_ago, "created_at": long_ago}
    with life.desk.store.write() as connection:
        connection.execute(tables.effects.insert().values(source="fact:a", state="dead", **row))
        connection.execute(tables.effects.insert().values(source="fact:b", state="waiting", **row))
        connection.execute(update(tables.events).where(tables.events.c.type == "price.created").values(state="dead"))

    verified = life.desk.verify(tables=[])

    assert [(each.trouble, each.subject) for each in verified.findings] == [
        ("dead", "price.created"),
        ("dead", "shop.deliver"),
        ("waiting", "shop.deliver"),
    ]


def test_a_mirror_that_is_a_moment_behind_is_true(life: Till, client: stripe.StripeClient) -> None:
    """What is listed may be told of while the list is read: only a close look says what is wrong."""
    client.v1.products.update("paydesk_mug", {"name": "Big mug"})
    suspected: list[int] = []

    def tell(name: str, _looked_at: int, found: int, is_done: bool) -> None:
        if name == "products" and is_done:
            suspected.append(found)
            life.deliver(client, "product.updated")
            life.desk.work()

    verified = life.desk.verify(tables=["products"], on_step=tell)

    assert suspected == [1]
    assert verified.is_true


def test_verifying_writes_nothing(life: Till) -> None:
    """The mirror is asked what it would write, and undoes it; nobody is told of anything."""
    tables = life.desk.store.tables
    with life.desk.store.write() as connection:
        connection.execute(update(tables.orders).values(status="pending"))
    before = [life.rows(table) for table in (tables.orders, tables.payments, tables.facts, tables.effects)]

    verified = life.desk.verify()

    assert not verified.is_true
    assert [life.rows(table) for table in (tables.orders, tables.payments, tables.facts, tables.effects)] == before


def test_a_moment_and_tables_bound_what_is_looked_at(life: Till) -> None:
    """A nightly look at yesterday is cheap, however old the shop is."""
    with life.desk.store.write() as connection:
        connection.execute(update(life.desk.store.tables.subscriptions).values(status="canceled"))

    later = life.desk.verify(since=datetime.now(UTC) + timedelta(hours=1))
    elsewhere = life.desk.verify(tables=["customers", "products"])

    assert (later.is_true, later.looked_at) == (True, 0)
    assert elsewhere.is_true
    with pytest.raises(ValueError, match="no mirrored table"):
        life.desk.verify(tables=["attempts"])
