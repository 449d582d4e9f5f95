"""Webhook endpoints: where events are delivered, and which of them."""

from __future__ import annotations

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver

URL = "http://127.0.0.1:9/webhooks/stripe"


def test_the_secret_is_shown_once(client: stripe.StripeClient) -> None:
    """Creation shows the signing secret; nothing shows it afterwards."""
    created = client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"], "description": "shop"})

    read = client.v1.webhook_endpoints.retrieve(created.id)

    assert created.secret is not None
    assert created.secret.startswith("whsec_")
    assert len(created.secret) == len("whsec_") + 32
    assert "secret" not in read
    assert (read.url, read.status, read.enabled_events, read.description) == (URL, "enabled", ["*"], "shop")


def test_every_endpoint_has_a_secret_of_its_own(client: stripe.StripeClient) -> None:
    """The secret belongs to the endpoint, not to the account."""
    first = client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})
    second = client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})

    assert first.secret != second.secret
    assert [one.id for one in client.v1.webhook_endpoints.list().data] == [second.id, first.id]


def test_an_endpoint_gets_only_what_it_asked_for(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Types that are not enabled are not delivered; after an update, the new ones are."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.deleted"]})
    customer = client.v1.customers.create()
    client.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": ["customer.updated"]})
    client.v1.customers.update(customer.id, {"name": "Ada"})
    client.v1.customers.delete(customer.id)

    controls.settle()

    assert receiver.types == ["customer.updated"]


def test_a_disabled_endpoint_gets_nothing(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """Until it is enabled again; what happened in between is not made up for."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    disabled = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    client.v1.customers.create({"name": "unseen"})
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})
    client.v1.customers.create({"name": "seen"})

    controls.settle()

    assert disabled.status == "disabled"
    assert [received.event["data"]["object"]["name"] for received in receiver.received] == ["seen"]


def test_an_event_nobody_knows_is_refused(client: stripe.StripeClient) -> None:
    """A misspelt type is found when it is asked for, not when it never comes."""
    with pytest.raises(stripe.InvalidRequestError, match=r"Invalid enabled_events\[0\]: must be one of") as refusal:
        client.raw_request("post", "/v1/webhook_endpoints", url=URL, enabled_events=["checkout.completed"])

    assert (refusal.value.http_status, refusal.value.param) == (400, "enabled_events[0]")


@pytest.mark.parametrize("url", ["shop.example/hooks", "ftp://shop.example", "http://", "http://[", "https://a:99999/"])
def test_a_url_that_leads_nowhere_is_refused(client: stripe.StripeClient, url: str) -> None:
    """With Stripe's code for it, at creation and at an update alike."""
    endpoint = client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})

    with pytest.raises(stripe.InvalidRequestError) as at_creation:
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    with pytest.raises(stripe.InvalidRequestError) as at_update:
        client.v1.webhook_endpoints.update(endpoint.id, {"url": url})

    assert at_creation.value.code == at_update.value.code == "url_invalid"
    assert client.v1.webhook_endpoints.retrieve(endpoint.id).url == URL


def test_live_mode_wants_https(local_stripe: LocalStripe, key: str) -> None:
    """A rehearsal of live mode refuses what live mode refuses; this machine alone needs no certificate."""
    live = local_stripe.client(key.replace("sk_test_", "sk_live_local_"))

    with pytest.raises(stripe.InvalidRequestError, match="HTTPS"):
        live.v1.webhook_endpoints.create({"url": "http://shop.example/hooks", "enabled_events": ["*"]})

    assert live.v1.webhook_endpoints.create({"url": "https://shop.example/hooks", "enabled_events": ["*"]}).livemode
    assert live.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]}).livemode


def test_sixteen_endpoints_are_enough(client: stripe.StripeClient) -> None:
    """The seventeenth is refused, as Stripe refuses it; a deleted one makes room."""
    made = [client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]}) for _ in range(16)]

    with pytest.raises(stripe.InvalidRequestError, match="reached the maximum of 16 test webhook endpoints"):
        client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})
    stub = client.v1.webhook_endpoints.delete(made[0].id)

    assert stub.to_dict() == {"id": made[0].id, "object": "webhook_endpoint", "deleted": True}
    assert client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]}).id


def test_the_api_version_cannot_change(client: stripe.StripeClient) -> None:
    """It is given at creation or not at all."""
    endpoint = client.v1.webhook_endpoints.create(
        {"url": URL, "enabled_events": ["*"], "api_version": "2026-10-28.endive"}
    )

    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: api_version"):
        client.raw_request("post", f"/v1/webhook_endpoints/{endpoint.id}", api_version="2026-09-30.endive")

    assert endpoint.api_version == "2026-10-28.endive"


def test_an_older_api_version_is_kept_and_said_to_be_without_effect(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    """Events are rendered in one family of versions. They say truthfully which, and the answer says so too."""
    endpoint = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["*"], "api_version": "2024-06-20"}
    )
    client.v1.customers.create()

    (received,) = receiver.wait_for(1)

    assert endpoint.api_version == "2024-06-20"
    assert endpoint.last_response is not None
    assert endpoint.last_response.headers["Paydesk-No-Effect"] == "api_version"
    assert received.event["api_version"] == stripe.api_version
