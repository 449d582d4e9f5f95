"""Copies: a sandbox that begins as another one stands."""

from __future__ import annotations

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer
from tests.emulator.subscribing import price, subscribed

MONTH = 31 * 24 * 3600


def test_a_copy_has_all_that_is_there_and_goes_its_own_way(
    local_stripe: LocalStripe, client: stripe.StripeClient, key: str
) -> None:
    """What every test needs is made once; what one does, no other sees."""
    sold = price(client, 2900)
    ada = customer(client, name="Ada")
    controls = Controls(local_stripe.url, f"{key}copy")
    copied = local_stripe.client(f"{key}copy")

    controls.post("/copy", **{"from": key})
    copied.v1.customers.update(ada.id, {"name": "Bea"})
    new = copied.v1.customers.create({"name": "Cy"})

    assert copied.v1.prices.retrieve(sold.id, {"expand": ["product"]}).lookup_key == sold.lookup_key
    assert [one.name for one in copied.v1.customers.list().data] == ["Cy", "Bea"]
    assert client.v1.customers.retrieve(ada.id).name == "Ada"
    assert new.id not in {one.id for one in client.v1.customers.list().data}
    told = [event.type for event in copied.v1.events.list({"types": ["customer.created", "customer.updated"]}).data]
    assert told == ["customer.created", "customer.updated", "customer.created"]
    controls.close()


def test_what_was_planned_happens_in_the_copy_too(
    local_stripe: LocalStripe, client: stripe.StripeClient, controls: Controls, key: str
) -> None:
    """A subscription goes on in both, each at its sandbox's own time, which the copy takes over."""
    controls.push(MONTH)
    began = subscribed(client, customer(client))
    others = Controls(local_stripe.url, f"{key}copy")
    copied = local_stripe.client(f"{key}copy")

    others.post("/copy", **{"from": key})
    others.push(MONTH + 7200)

    assert others.get("/clock")["ahead"] == 2 * MONTH + 7200
    assert len(copied.v1.invoices.list({"subscription": began.id}).data) == 2
    assert len(client.v1.invoices.list({"subscription": began.id}).data) == 1
    others.close()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("pk_test_somebody", "secret key"),
        ("sk_live_local_somebody", "same mode"),
        ("", "did not provide"),
    ],
)
def test_a_copy_is_made_of_a_sandbox_of_ones_own_mode(controls: Controls, source: str, says: str) -> None:
    """Anything else is refused with a sentence."""
    refused = controls.ask("POST", "/copy", {"from": source})

    assert refused.status_code in {400, 401}
    assert says in refused.json()["error"]["message"]


def test_only_an_empty_sandbox_becomes_a_copy(client: stripe.StripeClient, controls: Controls, key: str) -> None:
    """Nobody's work is mixed with another's."""
    customer(client)

    refused = controls.ask("POST", "/copy", {"from": "sk_test_somebody"})

    assert refused.status_code == 400
    assert "empty" in refused.json()["error"]["message"]
