"""Sweeping: events whose webhooks were lost are found in Stripe's list, and are received like any other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from paydesk import AnotherIsAtIt, OrderPaid, StripeUnavailable
from tests.billing.paying import pay
from tests.billing.till import Till
from tests.emulator.controls import Controls

if TYPE_CHECKING:
    import stripe

    from tests.billing.conftest import Clock
    from tests.billing.wire import Wire

LIST = "GET /v1/events"


def sells(till: Till) -> str:
    """An order, paid for, of which no webhook tells; answers its id."""
    checkout = till.desk.checkout("ebook")
    pay(checkout.url)
    controls = Controls(till.wire.stripe_url, till.settings.stripe_secret_key.get_secret_value())
    controls.push(60)  # what follows a payment by itself has happened too
    controls.close()
    return checkout.order.id


def delivered_by(till: Till) -> list[str]:
    """The orders that a handler of this desk delivers, from now on."""
    seen: list[str] = []

    def deliver(paid: OrderPaid) -> None:
        seen.append(paid.order.id)

    till.desk.on(OrderPaid)(deliver)
    return seen


def events(till: Till) -> list[dict[str, Any]]:
    return till.rows(till.desk.store.tables.events)


def at_stripe(client: stripe.StripeClient) -> list[str]:
    return [event.id for event in client.v1.events.list({"limit": 100}).data]


def test_what_never_arrived_is_fetched_and_done_once(till: Till, client: stripe.StripeClient) -> None:
    """An endpoint with a typo in its address costs nobody what they have paid for."""
    seen = delivered_by(till)
    order_id = sells(till)

    synced = till.desk.sync()
    again = till.desk.sync()
    till.desk.work()

    assert seen == [order_id]
    assert synced.events_found > 0
    assert again.events_found == 0
    assert {event["state"] for event in events(till)} == {"applied"}


def test_what_has_arrived_is_not_received_again(till: Till, client: stripe.StripeClient) -> None:
    """Whether an event is here, its id says. One that was given up is for a person to look at, and stays so."""
    seen = delivered_by(till)
    sells(till)
    till.deliver(client)
    till.desk.work()
    table = till.desk.store.tables.events
    with till.desk.store.write() as connection:
        connection.execute(table.update().where(table.c.seq == 1).values(state="dead"))

    synced = till.desk.sync()
    till.desk.work()

    assert synced.events_found == 0
    assert len(seen) == 1
    assert events(till)[0]["state"] == "dead"


def test_a_webhook_that_comes_after_all_changes_nothing(till: Till, client: stripe.StripeClient) -> None:
    """Stripe's patience is three days long: what was fetched meanwhile is a duplicate then."""
    seen = delivered_by(till)
    sells(till)
    till.desk.sync()
    till.desk.work()

    till.deliver(client)
    till.desk.work()

    assert len(seen) == 1
    assert len(events(till)) == len({event["id"] for event in events(till)})


def test_what_was_before_us_is_left_alone(till: Till, client: stripe.StripeClient) -> None:
    """Whoever installs paydesk for an old account tells none of its customers what happened weeks ago."""
    heard: list[str] = []

    def hear(event: Any) -> None:
        heard.append(event.id)

    till.desk.on("product.created")(hear)

    first = till.desk.sync()
    later = client.v1.products.create({"name": "Poster"})
    # Both happen in one second, which is the grain of Stripe's stamps: what was in it before counts as after.
    second = till.desk.sync()
    till.desk.work()

    assert first.events_found <= len(at_stripe(client))
    assert second.events_found >= 1
    assert later.id in [event["object_id"] for event in events(till)]
    assert len(heard) == len(set(heard))


def test_a_sweep_with_nothing_to_find_is_one_short_question(
    till: Till, wire: Wire, client: stripe.StripeClient
) -> None:
    """It runs every few minutes, for years; how much happened an hour ago does not matter."""
    sells(till)
    controls = Controls(till.wire.stripe_url, till.settings.stripe_secret_key.get_secret_value())
    controls.push(3600)
    controls.close()
    client.v1.products.create({"name": "The latest"})
    till.desk.sync()
    wire.calls.clear()

    till.desk.sync()

    assert [call.path.partition("?")[2] for call in wire.sent(LIST)] == ["limit=20"]


def test_a_sweep_that_died_goes_on_where_it_was(till: Till, client: stripe.StripeClient, wire: Wire) -> None:
    """Each page is kept with how far the walk has come. What has happened since is looked for as well."""
    till.desk.sync()
    for number in range(40):
        client.v1.products.create({"name": f"Poster {number}"})
    wire.cut_before(f"{LIST}.*starting_after")
    with pytest.raises(StripeUnavailable):
        till.desk.sync()
    kept = len(events(till))
    wire.mend()
    wire.calls.clear()
    latest = client.v1.products.create({"name": "The latest"})

    resumed = till.desk.sync()
    then = till.desk.sync()

    assert kept > 0
    assert all("starting_after" in call.path for call in wire.sent(LIST)[:1])
    assert resumed.events_found > then.events_found == 0
    assert {event["id"] for event in events(till)} >= {
        event.id
        for event in client.v1.events.list({"type": "product.created"}).auto_paging_iter()
        if event.data.object["name"].startswith(("Poster", "The latest"))
    }
    assert latest.id in {event["object_id"] for event in events(till)}


def test_an_event_that_is_listed_late_is_found_all_the_same(till: Till, client: stripe.StripeClient) -> None:
    """A sweep looks well past where the last one began: when Stripe lists an event, its stamp does not say."""
    poster = client.v1.products.create({"name": "Poster"})
    till.desk.sync()
    for number in range(25):
        client.v1.products.create({"name": f"Postcard {number}"})
    till.desk.sync()
    # Further down than the page on which the newest event of the last sweep is met.
    (late,) = [event for event in events(till) if event["object_id"] == poster.id]
    table = till.desk.store.tables.events
    with till.desk.store.write() as connection:
        connection.execute(table.delete().where(table.c.id == late["id"]))

    synced = till.desk.sync()

    assert synced.events_found == 1
    assert late["id"] in {event["id"] for event in events(till)}


def test_days_look_further_back_than_the_last_sweep(till: Till, client: stripe.StripeClient) -> None:
    """Whoever has lost a row can have all of Stripe's thirty days looked through again."""
    client.v1.products.create({"name": "Poster"})
    till.desk.sync()
    table = till.desk.store.tables.events
    with till.desk.store.write() as connection:
        connection.execute(table.delete())

    till.desk.sync(days=30)

    assert {event["id"] for event in events(till)} == set(at_stripe(client))
    with pytest.raises(ValueError, match="between 1 and 30"):
        till.desk.sync(days=31)


def test_two_at_once_are_one_sweep(till: Till, second_till: Till, client: stripe.StripeClient, wire: Wire) -> None:
    """Every machine's worker wants to; one of them does, and somebody who asks for it is told."""
    lanes = till.desk._inbox.lanes  # noqa: SLF001 - what the other machine holds
    assert lanes.claim("walk:events") is not None

    with pytest.raises(AnotherIsAtIt):
        second_till.desk.sync()


def test_the_worker_sweeps_by_itself(till: Till, client: stripe.StripeClient, clock: Clock) -> None:
    """Nobody has to know the command: a started app finds what it missed, and looks again every few minutes."""
    seen: list[str] = []
    has_delivered = threading.Event()

    def deliver(paid: OrderPaid) -> None:
        seen.append(paid.order.id)
        has_delivered.set()

    till.desk.on(OrderPaid)(deliver)
    order_id = sells(till)

    till.desk.start()
    delivered = has_delivered.wait(30)
    till.desk.stop()

    assert delivered
    assert seen == [order_id]
