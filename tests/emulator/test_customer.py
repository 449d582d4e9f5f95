"""Customers: who pays."""

from __future__ import annotations

import pytest
import stripe


def test_a_customer_is_kept_with_what_was_said_of_it(client: stripe.StripeClient) -> None:
    """What was created can be read back, from another connection too."""
    created = client.v1.customers.create({"email": "ada@example.com", "metadata": {"plan": "pro"}})

    read = client.v1.customers.retrieve(created.id)

    assert (read.email, read.metadata.to_dict()) == ("ada@example.com", {"plan": "pro"})


def test_an_update_changes_only_what_it_sends(client: stripe.StripeClient) -> None:
    """Metadata merges key by key, an address part by part, and an empty value unsets."""
    customer = client.v1.customers.create(
        {"name": "Ada", "metadata": {"a": "1", "b": "2"}, "address": {"city": "London", "country": "GB"}}
    )

    updated = client.v1.customers.update(
        customer.id, {"name": "", "metadata": {"b": "", "c": "3"}, "address": {"city": "Turin"}}
    )

    assert updated.name is None
    assert updated.metadata.to_dict() == {"a": "1", "c": "3"}
    assert updated.address is not None
    assert (updated.address.city, updated.address.country) == ("Turin", "GB")


def test_an_update_tells_what_was_before(client: stripe.StripeClient) -> None:
    """`previous_attributes` hold the old values of what changed, and nothing else."""
    customer = client.v1.customers.create({"name": "Ada", "metadata": {"a": "1"}})

    client.v1.customers.update(customer.id, {"name": "Ada L.", "metadata": {"b": "2"}})

    event = client.v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.to_dict()["previous_attributes"] == {"name": "Ada", "metadata": {"b": None}}


def test_an_update_that_changes_nothing_is_no_event(client: stripe.StripeClient) -> None:
    """Whoever mirrors us is not woken for nothing."""
    customer = client.v1.customers.create({"name": "Ada"})

    client.v1.customers.update(customer.id, {"name": "Ada"})

    assert [event.type for event in client.v1.events.list().data] == ["customer.created"]


def test_a_deleted_customer_answers_with_its_stub(client: stripe.StripeClient) -> None:
    """The one object that is still there after its deletion; deleting it again is a 404."""
    customer = client.v1.customers.create({"email": "ada@example.com"})

    stub = client.v1.customers.delete(customer.id)

    assert stub.to_dict() == {"id": customer.id, "object": "customer", "deleted": True}
    assert client.v1.customers.retrieve(customer.id).to_dict() == stub.to_dict()
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.customers.delete(customer.id)
    assert again.value.http_status == 404


def test_an_unknown_customer_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's words, with its code and param."""
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_nobody'") as refusal:
        client.v1.customers.retrieve("cus_nobody")

    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (404, "resource_missing", "id")
