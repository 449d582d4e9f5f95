"""Lookup keys: the names that code calls prices by, so that it holds no ids."""

from __future__ import annotations

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.invoicing import refused
from tests.emulator.selling import price


def holders(client: stripe.StripeClient, *keys: str) -> list[str]:
    """The prices that have these keys, newest first."""
    return [found.id for found in client.v1.prices.list({"lookup_keys": list(keys)}).data]


def test_a_lookup_key_names_one_price(client: stripe.StripeClient) -> None:
    """Taken is taken, even by an archived price, and for an update as well."""
    old, other = price(client, lookup_key="starter"), price(client)
    client.v1.prices.update(old.id, {"active": False})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        price(client, lookup_key="starter")
    with refused("already uses that lookup key"):
        client.v1.prices.update(other.id, {"lookup_key": "starter"})
    again = client.v1.prices.update(old.id, {"lookup_key": "starter"})

    assert (refusal.value.http_status, refusal.value.param) == (400, "lookup_key")
    assert str(refusal.value.user_message) == f"A price (`{old.id}`) already uses that lookup key."
    assert (again.lookup_key, holders(client, "starter")) == ("starter", [old.id])


def test_a_transfer_takes_the_key_over(client: stripe.StripeClient) -> None:
    """The former holder stays for sale without it, and is told of: so an amount changes under one name."""
    old = price(client, 900, lookup_key="starter")

    new = price(client, 1200, lookup_key="starter", transfer_lookup_key=True)

    former = client.v1.prices.retrieve(old.id)
    assert (former.lookup_key, former.active) == (None, True)
    assert holders(client, "starter") == [new.id]
    (told,) = client.v1.events.list({"type": "price.updated"}).data
    assert (told.data.object["id"], told.data.to_dict()["previous_attributes"]) == (old.id, {"lookup_key": "starter"})


def test_an_update_can_transfer_too(client: stripe.StripeClient) -> None:
    """Back to an older price, say; a key that nobody has is simply given."""
    old, new = price(client), price(client, lookup_key="starter")

    back = client.v1.prices.update(old.id, {"lookup_key": "starter", "transfer_lookup_key": True})
    free = client.v1.prices.update(new.id, {"lookup_key": "second", "transfer_lookup_key": True})

    assert (back.lookup_key, free.lookup_key) == ("starter", "second")
    assert holders(client, "starter", "second", "nothing") == [new.id, old.id]


def test_each_mode_has_lookup_keys_of_its_own(local_stripe: LocalStripe, client: stripe.StripeClient, key: str) -> None:
    """Code that looks a price up works with either key."""
    live = local_stripe.client(key.replace("sk_test_", "sk_live_local_"))

    test_price, live_price = price(client, lookup_key="starter"), price(live, lookup_key="starter")

    assert (holders(client, "starter"), holders(live, "starter")) == ([test_price.id], [live_price.id])


def test_a_lookup_key_has_200_characters_at_most(client: stripe.StripeClient) -> None:
    """As in Stripe."""
    longest = price(client, lookup_key="x" * 200)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        price(client, lookup_key="y" * 201)

    assert longest.lookup_key == "x" * 200
    assert (refusal.value.http_status, refusal.value.param) == (400, "lookup_key")


def test_ten_prices_at_most_are_looked_up_at_once(client: stripe.StripeClient) -> None:
    """As many keys as Stripe takes."""
    keys = [f"plan-{number}" for number in range(11)]
    first = price(client, lookup_key=keys[0])

    assert holders(client, *keys[:10]) == [first.id]
    with refused("lookup_keys"):
        holders(client, *keys)
