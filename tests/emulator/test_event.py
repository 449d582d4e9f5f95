"""Events: what happened, and who was told."""

from __future__ import annotations

import pytest
import stripe
from stripe.params import EventListParams
from typing_extensions import Unpack

from tests.emulator.controls import Controls
from tests.emulator.receiver import Answer, Receiver

DAY = 24 * 3600


def test_an_event_is_a_snapshot(client: stripe.StripeClient) -> None:
    """It shows the object as it was then, whatever became of it."""
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Grace"})

    updated, created = client.v1.events.list().data

    assert (created.type, created.data.object["name"]) == ("customer.created", "Ada")
    assert (updated.type, updated.data.object["name"]) == ("customer.updated", "Grace")


def test_an_event_names_the_request_that_caused_it(client: stripe.StripeClient) -> None:
    """With the idempotency key, so that an app recognises its own doing."""
    customer = client.v1.customers.create({}, {"idempotency_key": "mine-1"})

    event = client.v1.events.list().data[0]

    assert customer.last_response is not None
    assert event.request is not None
    assert (event.request.id, event.request.idempotency_key) == (customer.last_response.request_id, "mine-1")


def test_events_are_found_by_type(client: stripe.StripeClient) -> None:
    """One type, a pattern, or several types at once."""
    customer = client.v1.customers.create()
    client.v1.customers.update(customer.id, {"name": "Ada"})
    client.v1.products.create({"name": "Ebook"})

    def found(**params: Unpack[EventListParams]) -> list[str]:
        return [event.type for event in client.v1.events.list(params).data]

    assert found(type="customer.updated") == ["customer.updated"]
    assert found(type="customer.*") == ["customer.updated", "customer.created"]
    assert found(types=["product.created", "customer.created"]) == ["product.created", "customer.created"]
    assert found(type="invoice.*") == []
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        found(type="customer.created", types=["customer.updated"])


def test_events_are_found_by_whether_they_arrived(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """`delivery_success`: what every endpoint took, and what some endpoint did not (yet)."""
    receiver.answer = lambda received: Answer(500 if received.event["type"] == "customer.deleted" else 200)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    customer = client.v1.customers.create()
    client.v1.customers.delete(customer.id)
    controls.settle()

    arrived = client.v1.events.list({"delivery_success": True}).data
    missed = client.v1.events.list({"delivery_success": False}).data

    assert [event.type for event in arrived] == ["customer.created"]
    assert [event.type for event in missed] == ["customer.deleted"]


def test_pending_webhooks_count_down(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """An event says how many endpoints have not taken it."""
    other = f"http://127.0.0.1:{receiver.port}/other"
    receiver.answer = lambda received: Answer(200 if received.path == "/other" else 503)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.webhook_endpoints.create({"url": other, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()
    event = client.v1.events.list().data[0]
    before = event.pending_webhooks

    receiver.answer = lambda received: Answer(200)
    controls.push(DAY)

    assert before == 1
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_events_are_shown_for_thirty_days(client: stripe.StripeClient, controls: Controls) -> None:
    """Who sweeps later than that finds them gone, here as at Stripe."""
    client.v1.customers.create()
    event = client.v1.events.list().data[0]
    controls.push(29 * DAY)
    still = client.v1.events.list().data

    controls.push(DAY)

    assert [one.id for one in still] == [event.id]
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(event.id)
