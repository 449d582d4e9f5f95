"""Signatures: judged by Stripe's own SDK."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.receiver import Received, Receiver

HOUR = 3600


def verified(received: Received, secret: str | None) -> stripe.Event:
    """The event, if the SDK believes it."""
    assert secret is not None
    event: stripe.Event = stripe.Webhook.construct_event(received.body, received.signature, secret)
    return event


def one_delivery(client: stripe.StripeClient, receiver: Receiver) -> tuple[Received, str]:
    """What arrived at a new endpoint, and the endpoint's secret."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create({"name": "Ada Lovelace ✓"})
    assert endpoint.secret is not None
    return receiver.wait_for(1)[0], endpoint.secret


def test_the_sdk_believes_what_we_signed(client: stripe.StripeClient, receiver: Receiver) -> None:
    """Body, header and secret fit together, with Stripe's tolerance of 300 seconds."""
    received, secret = one_delivery(client, receiver)

    event = verified(received, secret)

    assert (event.type, event.data.object["name"]) == ("customer.created", "Ada Lovelace ✓")
    assert event.pending_webhooks == 1


def test_another_endpoints_secret_is_not_believed(client: stripe.StripeClient, receiver: Receiver) -> None:
    """A secret opens its own endpoint's deliveries and no others."""
    received, _ = one_delivery(client, receiver)
    other = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})

    with pytest.raises(stripe.SignatureVerificationError, match="No signatures found matching"):
        verified(received, other.secret)


def test_the_scheme_v0_means_nothing(client: stripe.StripeClient, receiver: Receiver) -> None:
    """Test mode sends it beside v1, as Stripe does: whoever trusts it is found out."""
    received, secret = one_delivery(client, receiver)
    parts = dict(part.split("=", 1) for part in received.signature.split(","))
    only_v0 = f"t={parts['t']},v0={parts['v0']}"
    disguised = f"t={parts['t']},v1={parts['v0']}"

    for header in (only_v0, disguised):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(received.body, header, secret)


def test_the_body_arrives_with_stripes_headers(client: stripe.StripeClient, receiver: Receiver) -> None:
    """Raw, indented JSON: a receiver that checks its own re-serialised copy fails here and not in production."""
    received, _ = one_delivery(client, receiver)

    assert received.headers["content-type"] == "application/json; charset=utf-8"
    assert received.headers["user-agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    assert received.body.startswith(b'{\n  "id": "evt_')


def test_while_a_secret_is_rolled_both_are_believed(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Several v1 until the overlap is over; then the old secret is worth nothing."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    rolled = controls.post(f"/webhook_endpoints/{endpoint.id}/roll_secret", overlap_seconds=HOUR)
    client.v1.customers.create()
    (during,) = receiver.wait_for(1)
    controls.push(HOUR)
    client.v1.customers.create()
    after = receiver.wait_for(2)[1]

    assert rolled["secret"] != endpoint.secret
    assert during.signature.count("v1=") == 2
    for secret in (endpoint.secret, rolled["secret"]):
        assert verified(during, secret).type == "customer.created"
    assert verified(after, rolled["secret"]).type == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        verified(after, endpoint.secret)


def test_a_pushed_clock_does_not_sign(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """A sandbox may be a year ahead: a receiver compares with its own clock, so signatures tell the real time."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    controls.push(366 * 24 * HOUR)
    customer = client.v1.customers.create()

    (received,) = receiver.wait_for(1)

    signed_at = int(received.signature.split(",")[0].removeprefix("t="))
    assert customer.created > time.time() + 365 * 24 * HOUR
    assert abs(signed_at - time.time()) < 60
    assert verified(received, endpoint.secret).created == customer.created


def test_an_altered_delivery_is_not_believed(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """The fault `corrupt`: valid JSON, and not what was signed."""
    controls.post("/faults", fault="corrupt")
    received, secret = one_delivery(client, receiver)

    with pytest.raises(stripe.SignatureVerificationError, match="No signatures found matching"):
        verified(received, secret)

    assert received.event["type"] == "customer.created"
