"""Backfilling: whatever Stripe lists and is not here as listed is brought in line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk import InvoicePaid, StripeUnavailable, SubscriptionStarted, User
from paydesk.billing.mirror.refs import Ref
from paydesk.billing.truth.kinds import NAMES
from paydesk.cli.tables import TABLES
from tests.billing.paying import pay
from tests.billing.shop import customer as customer_object
from tests.billing.subscribed import canceled, subscription
from tests.emulator.invoicing import customer

if TYPE_CHECKING:
    import stripe

    from tests.billing.shop import Shop
    from tests.billing.stand_in import StandIn
    from tests.billing.till import Till
    from tests.billing.wire import Wire

ADA = User(id="ada", email="ada@example.com")


def rows(till: Till, name: str) -> list[dict[str, Any]]:
    return till.rows(getattr(till.desk.store.tables, name))


def subscribed(client: stripe.StripeClient) -> str:
    """A subscription made at Stripe, without us; answers its id."""
    (price,) = client.v1.prices.list({"lookup_keys": ["pro"]}).data
    made = client.v1.subscriptions.create({"customer": customer(client).id, "items": [{"price": price.id}]})
    return made.id


def test_an_old_account_is_mirrored_whole_and_nobody_is_told(till: Till, client: stripe.StripeClient) -> None:
    """Cancelled subscriptions included; whoever subscribed last year gets no mail that welcomes them."""
    told: list[str] = []

    def welcome(started: SubscriptionStarted) -> None:
        told.append(started.subscription.id)

    def thank(paid: InvoicePaid) -> None:
        told.append(paid.invoice.id)

    till.desk.on(SubscriptionStarted)(welcome)
    till.desk.on(InvoicePaid)(thank)
    kept, over = subscribed(client), subscribed(client)
    client.v1.subscriptions.cancel(over)
    newest = client.v1.events.list({"limit": 1}).data[0].created
    with till.desk.store.write() as connection:
        walks = till.desk.store.tables.walks
        connection.execute(walks.insert().values(name="events", state="idle", since=newest + 1))

    first = till.desk.sync()
    again = till.desk.sync()
    till.desk.work()

    assert {row["id"]: row["status"] for row in rows(till, "subscriptions")} == {kept: "active", over: "canceled"}
    assert {row["status"] for row in rows(till, "invoices")} == {"paid"}
    assert len(rows(till, "customers")) == 2
    assert len(rows(till, "prices")) == len(client.v1.prices.list().data)
    assert first.found > 0
    assert (again.found, told) == (0, [])
    assert rows(till, "facts") != []


def test_what_is_over_is_listed_too(till: Till, client: stripe.StripeClient) -> None:
    """Stripe hides cancelled subscriptions from whoever does not ask for them."""
    over = subscribed(client)
    client.v1.subscriptions.cancel(over)
    with till.desk.store.write() as connection:
        walks = till.desk.store.tables.walks
        connection.execute(walks.insert().values(name="events", state="idle", since=2**40))

    till.desk.sync(tables=["subscriptions"])

    assert [(row["id"], row["status"]) for row in rows(till, "subscriptions")] == [(over, "canceled")]


def test_s8_what_was_listed_is_not_taken_for_what_was_written_since(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A webhook that came between the page and its writing has told of something newer."""
    stripe_stand_in.put(customer_object(), canceled())
    shop.deliver("customer.subscription.deleted", canceled())
    shop.work()

    shop.inbox.bring_in_line(Ref("subscription", "sub_1"), "cus_1", listed=subscription())

    assert shop.row(shop.store.tables.subscriptions)["status"] == "canceled"


def test_what_was_changed_by_hand_is_put_right(till: Till, client: stripe.StripeClient) -> None:
    """A column, the whole object, a row that is gone, or one that is said to be deleted."""
    subscription_id = subscribed(client)
    till.desk.sync()
    tables = till.desk.store.tables
    as_it_was = {name: rows(till, name) for name in ("subscriptions", "subscription_items", "customers", "invoices")}
    with till.desk.store.write() as connection:
        connection.execute(update(tables.subscriptions).values(status="canceled", plan="starter"))
        connection.execute(tables.subscription_items.delete())
        connection.execute(tables.invoices.delete())
        connection.execute(update(tables.customers).values(deleted_at=till.clock(), email="eve@example.com"))

    synced = till.desk.sync()

    assert synced.found == 3
    for name, before in as_it_was.items():
        unsaid = {"seen_at", "updated_at"} | ({"id"} if name == "customers" else set())
        assert [{k: v for k, v in row.items() if k not in unsaid} for row in rows(till, name)] == [
            {k: v for k, v in row.items() if k not in unsaid} for row in before
        ]
    assert rows(till, "subscriptions")[0]["id"] == subscription_id


def test_what_stripe_has_deleted_leaves_a_tombstone(till: Till, client: stripe.StripeClient) -> None:
    """Even if nobody ever tells of it."""
    gone = client.v1.customers.create({"email": "gone@example.com"})
    poster = client.v1.products.create({"name": "Poster"})
    till.desk.sync()
    client.v1.customers.delete(gone.id)
    client.v1.products.delete(poster.id)
    with till.desk.store.write() as connection:
        connection.execute(till.desk.store.tables.events.delete())
    anchor = client.v1.events.list({"limit": 1}).data[0]
    with till.desk.store.write() as connection:
        walks = till.desk.store.tables.walks
        connection.execute(update(walks).values(since=anchor.created + 1))

    synced = till.desk.sync(tables=["customers", "products"])

    assert synced.found == 2
    assert [row["deleted_at"] is None for row in rows(till, "customers")] == [False]
    assert [row["id"] for row in rows(till, "products") if row["deleted_at"]] == [poster.id]


def test_rows_of_the_other_mode_are_left_alone(till: Till, client: stripe.StripeClient) -> None:
    """Test and live may share a database; what this key cannot see is not deleted."""
    client.v1.customers.create({"email": "ada@example.com"})
    till.desk.sync()
    with till.desk.store.write() as connection:
        customers = till.desk.store.tables.customers
        connection.execute(update(customers).values(livemode=True, stripe_id="cus_live"))

    till.desk.sync(tables=["customers"])

    assert [row["deleted_at"] for row in rows(till, "customers") if row["livemode"]] == [None]


def test_a_sync_that_died_goes_on_where_it_was(till: Till, client: stripe.StripeClient, wire: Wire) -> None:
    """Lists that it was through with are not asked for again, nor are pages."""
    for number in range(103):
        client.v1.customers.create({"email": f"{number}@example.com"})
    wire.cut_before("GET /v1/customers.*starting_after")
    with pytest.raises(StripeUnavailable):
        till.desk.sync()
    wire.mend()
    wire.calls.clear()

    till.desk.sync()

    asked = [call.path for call in wire.calls if call.path.startswith(("/v1/products", "/v1/customers?"))]
    assert ["starting_after" in path for path in asked] == [True]
    assert len(rows(till, "customers")) == 103
    assert rows(till, "sightings") == []


def test_s8_a_page_that_was_listed_before_a_webhook_never_wins(
    till: Till, client: stripe.StripeClient, wire: Wire
) -> None:
    """A list is only a doorbell: what is not here as it was listed is read again, under its lane's lease."""
    subscription_id = subscribed(client)
    till.desk.sync()
    stale = client.raw_request("get", "/v1/subscriptions", status="all")
    client.v1.subscriptions.cancel(subscription_id)
    till.deliver(client)
    till.desk.work()
    wire.answer("GET /v1/subscriptions.*status=all", 200, stale.body.encode(), content_type="application/json")

    till.desk.sync(tables=["subscriptions"])

    assert [row["status"] for row in rows(till, "subscriptions")] == ["canceled"]


def test_an_order_that_nobody_told_of_is_paid(till: Till, client: stripe.StripeClient) -> None:
    """Without a single event, by its Checkout Session alone."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)

    till.desk.sync(tables=["orders", "payments"])
    before = rows(till, "orders")
    till.clock.advance(hours=1)
    with till.desk.store.write() as connection:
        connection.execute(update(till.desk.store.tables.orders).values(email="eve@example.com"))
    till.desk.sync()

    assert till.desk.order(checkout.order.id).status == "paid"
    assert [row["paid_at"] for row in rows(till, "orders")] == [row["paid_at"] for row in before]


def test_a_sign_up_that_nobody_told_of_is_complete(till: Till, client: stripe.StripeClient) -> None:
    """The page on which somebody subscribed, too."""
    checkout = till.desk.subscribe("pro", user=ADA)
    pay(checkout.url)

    till.desk.sync(tables=["orders", "subscriptions"])

    assert [row["status"] for row in rows(till, "signups")] == ["complete"]
    assert till.desk.subscription(ADA) is not None
    assert till.desk.sync(tables=["orders", "subscriptions"]).found == 0


def test_the_commands_know_the_tables() -> None:
    """What --table takes is what there is."""
    assert TABLES == NAMES
