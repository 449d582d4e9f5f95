"""Metadata: fifty short notes on every object."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import stripe

from tests.emulator.wire import Wire


def test_keys_merge_and_go_one_by_one(client: stripe.StripeClient) -> None:
    """An update leaves alone what it does not name; an empty value takes its key away, an empty whole all of them."""
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})

    merged = client.v1.customers.update(customer.id, {"metadata": {"b": "", "c": "3"}}).to_dict()["metadata"]
    cleared = client.v1.customers.update(customer.id, {"metadata": ""}).to_dict()["metadata"]

    assert merged == {"a": "1", "c": "3"}
    assert cleared == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {str(number): "x" for number in range(51)},
        {"k" * 41: "x"},
        {"key": "v" * 501},
    ],
)
def test_notes_that_are_too_many_or_too_long_are_refused(wire: Wire, metadata: dict[str, str]) -> None:
    """50 keys of 40 characters, values of 500."""
    reply = wire.post("/v1/customers", urlencode({f"metadata[{name}]": value for name, value in metadata.items()}))

    assert reply.status == 400
    assert reply.error["message"].startswith("Metadata")
    assert reply.error["param"].startswith("metadata")


def test_the_largest_notes_are_kept(client: stripe.StripeClient) -> None:
    """Up to the limits, in any script."""
    notes = {f"{number:02}".ljust(40, "é"): "✓" * 500 for number in range(50)}

    customer = client.v1.customers.create({"metadata": notes})

    assert client.v1.customers.retrieve(customer.id).to_dict()["metadata"] == notes


def test_updates_do_not_add_up_to_more(client: stripe.StripeClient) -> None:
    """The limit holds for what is kept, not for what is sent."""
    customer = client.v1.customers.create({"metadata": {str(number): "x" for number in range(40)}})

    with pytest.raises(stripe.InvalidRequestError, match="Metadata can have up to 50 keys"):
        client.v1.customers.update(customer.id, {"metadata": {f"more {number}": "x" for number in range(11)}})

    assert len(client.v1.customers.retrieve(customer.id).to_dict()["metadata"]) == 40
