"""Subscription items: what they show, how they are listed, and how many there can be."""

from __future__ import annotations

from typing import Any, cast

import pytest
import stripe

from tests.emulator.clocks import START, clock_at
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import invoices, item, latest, lines, price, subscribed


def test_items_show_their_price_as_it_is(client: stripe.StripeClient) -> None:
    """Renamed, archived, its lookup key moved on: everybody who subscribes to it sees that, and nobody is told."""
    pro, other = price(client, lookup_key="pro"), price(client, 900)
    one, two = subscribed(client, None, pro), subscribed(client, None, pro, other)
    client.v1.subscriptions.cancel(two.id)

    client.v1.prices.update(pro.id, {"nickname": "Gold", "metadata": {"tier": "1"}, "active": False})
    price(client, 2600, lookup_key="pro", transfer_lookup_key=True)

    for made in (one, two):
        seen = client.v1.subscriptions.retrieve(made.id)
        sold = item(seen).price
        assert (sold.nickname, sold.metadata["tier"], sold.active, sold.lookup_key) == ("Gold", "1", False, None)
        assert client.v1.subscription_items.retrieve(item(made).id).price.nickname == "Gold"
    shown: Any = client.v1.subscriptions.retrieve(one.id)
    assert (shown.plan.nickname, item(shown).plan.active) == ("Gold", False)
    assert item(client.v1.subscriptions.retrieve(two.id), 1).price.nickname is None
    assert "customer.subscription.updated" not in events(client)


def test_a_price_can_change_while_a_clock_is_moving(client: stripe.StripeClient) -> None:
    """What lives on the clock cannot be written then; its price can, and is shown."""
    pro, clock = price(client), clock_at(client)
    made = subscribed(client, customer(client, test_clock=clock.id), pro)
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 50 * 24 * 3600})

    client.v1.prices.update(pro.id, {"nickname": "Gold"})

    assert item(client.v1.subscriptions.retrieve(made.id)).price.nickname == "Gold"


def test_an_archived_price_goes_on_for_those_who_have_it(client: stripe.StripeClient) -> None:
    """They can change how many; it cannot be sold anew."""
    pro = price(client)
    made = subscribed(client, None, pro)
    client.v1.products.update(str(pro.product), {"active": False})
    client.v1.prices.update(pro.id, {"active": False})

    more = client.v1.subscription_items.update(item(made).id, {"quantity": 3})

    assert more.quantity == 3
    with refused("inactive"):
        subscribed(client, None, pro)


def test_twenty_items_are_the_most(client: stripe.StripeClient) -> None:
    """When it begins, and later; and as many things that are sold once."""
    prices = [price(client, 100 + number) for number in range(21)]
    once = client.v1.prices.create({"currency": "usd", "unit_amount": 100, "product_data": {"name": "Set-up"}})
    extra = [{"price": once.id}] * 21

    with refused("20"):
        subscribed(client, None, *prices)
    made = subscribed(client, None, *prices[:20])
    with refused("20"):
        client.v1.subscription_items.create({"subscription": made.id, "price": prices[20].id})
    with refused("20"):
        subscribed(client, None, prices[0], add_invoice_items=extra)

    assert made["items"].total_count == len(made["items"].data) == 20
    assert len(lines(latest(client, made))) == 10
    assert client.v1.invoices.line_items.list(str(made.latest_invoice), {"limit": 100}).data[-1].amount == 119


def test_none_of_something_costs_nothing(client: stripe.StripeClient) -> None:
    """An item may be there for later."""
    given: Any = {"customer": customer(client, None).id, "items": [{"price": price(client).id, "quantity": 0}]}

    made = client.v1.subscriptions.create(given)

    assert (made.status, invoices(client, made)) == ("active", [("subscription_create", "paid", 0)])
    assert item(made).quantity == 0


@pytest.mark.parametrize("quantity", [-1, 1_000_000_000])
def test_a_quantity_has_its_limits(client: stripe.StripeClient, quantity: int) -> None:
    """Nothing is sold less than nothing, or a billion times."""
    made = subscribed(client)

    with refused("Invalid non-negative integer"):
        client.v1.subscription_items.update(item(made).id, {"quantity": quantity})


def test_items_know_what_they_belong_to(client: stripe.StripeClient) -> None:
    """A list is one subscription's; what has ended takes no more."""
    made, everything = subscribed(client), cast("Any", {})

    with refused("Missing required param: subscription."):
        client.v1.subscription_items.list(everything)
    with refused("No such subscription"):
        client.v1.subscription_items.list({"subscription": "sub_none"})
    client.v1.subscriptions.cancel(made.id)
    with refused("No such subscription") as gone:
        client.v1.subscription_items.create({"subscription": made.id, "price": price(client).id})

    assert gone.value.http_status == 404


def test_the_metadata_of_an_item_is_its_own(client: stripe.StripeClient) -> None:
    """Lines show the subscription's, as an invoice's parent does."""
    given: Any = {
        "customer": customer(client).id,
        "items": [{"price": price(client).id, "metadata": {"seat": "7"}}],
        "metadata": {"team": "blue"},
    }

    made = client.v1.subscriptions.create(given)

    (line,) = latest(client, made).lines.data
    parent: Any = latest(client, made).parent
    assert (item(made).metadata.to_dict(), made.metadata.to_dict()) == ({"seat": "7"}, {"team": "blue"})
    assert line.metadata.to_dict() == parent.subscription_details.metadata.to_dict() == {"team": "blue"}
