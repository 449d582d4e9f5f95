"""Retries: what was not answered with 2xx is sent again, later and later. Time is pushed, not waited for."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Answer, Receiver

HOUR = 3600
DAY = 24 * HOUR


def only_event(client: stripe.StripeClient) -> str:
    return client.v1.events.list().data[0].id


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
def test_anything_but_2xx_is_tried_again(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls, status: int
) -> None:
    """Redirects are not followed, and count as failures like all others."""
    elsewhere = {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
    receiver.answer = lambda received: Answer(status, headers=elsewhere) if len(receiver.received) == 1 else Answer(204)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()

    controls.push(HOUR)

    first, second = receiver.received
    (delivery,) = controls.deliveries(only_event(client))
    assert first.event["id"] == second.event["id"]
    assert second.path == "/webhooks/stripe"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [status, 204]
    assert delivery["state"] == "delivered"


def test_test_mode_gives_up_after_three_retries(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Four attempts within hours, each later than the last, then none."""
    receiver.answer = lambda received: Answer(500, b"no such table: orders")
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()

    controls.push(30 * DAY - HOUR)

    (delivery,) = controls.deliveries(only_event(client))
    moments = [attempt["created"] for attempt in delivery["attempts"]]
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert delivery["state"] == "failed"
    assert len(receiver.received) == len(moments) == 4
    assert waits == sorted(waits)
    assert sum(waits) < DAY
    assert delivery["attempts"][0]["answer"] == "no such table: orders"
    assert client.v1.events.retrieve(only_event(client)).pending_webhooks == 1


def test_live_mode_tries_for_three_days(local_stripe: LocalStripe, key: str, receiver: Receiver) -> None:
    """A rehearsal shows what an app that is down for a weekend will see."""
    live = key.replace("sk_test_", "sk_live_local_")
    client, controls = local_stripe.client(live), Controls(local_stripe.url, live)
    receiver.answer = lambda received: Answer(500)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()

    controls.push(7 * DAY)

    (delivery,) = controls.deliveries(only_event(client))
    controls.close()
    moments = [attempt["created"] for attempt in delivery["attempts"]]
    assert len(moments) > 8
    assert 2 * DAY < moments[-1] - moments[0] <= 3 * DAY
    assert "v0=" not in receiver.received[0].signature


def test_each_attempt_is_signed_anew(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """Otherwise a retry would fall out of the receiver's tolerance."""
    receiver.answer = lambda received: Answer(500 if len(receiver.received) == 1 else 200)
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()
    rolled = controls.post(f"/webhook_endpoints/{endpoint.id}/roll_secret")

    controls.push(DAY)

    second = receiver.wait_for(2)[1]
    assert stripe.Webhook.construct_event(second.body, second.signature, rolled["secret"]).type == "customer.created"


def test_nobody_listening_is_a_failure_like_others(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """The app was not started yet: its events wait for it, and the log says why."""
    receiver.close()
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()

    (delivery,) = controls.deliveries(only_event(client))
    (attempt,) = delivery["attempts"]

    assert (delivery["state"], attempt["status"]) == ("waiting", None)
    assert "ConnectError" in attempt["answer"]
    assert delivery["next_attempt"] > attempt["created"]


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "disabled"])
def test_an_endpoint_that_is_gone_is_not_tried_again(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls, is_deleted: bool
) -> None:
    """Deleted or disabled at the time of the retry: it stops."""
    receiver.answer = lambda received: Answer(500)
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()
    if is_deleted:
        client.v1.webhook_endpoints.delete(endpoint.id)
    else:
        client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})

    controls.push(DAY)

    assert len(receiver.received) == 1
    assert controls.deliveries(only_event(client))[0]["state"] == "stopped"


def test_an_endpoint_that_was_away_between_two_tries_missed_nothing(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Enabled again before the next try: it goes on as if nothing had been."""
    receiver.answer = lambda received: Answer(500 if len(receiver.received) == 1 else 200)
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})

    controls.push(DAY)

    assert controls.deliveries(only_event(client))[0]["state"] == "delivered"


def test_a_slow_receiver_delays_nobody_else(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Events are sent side by side, so their order is not promised, exactly as with Stripe."""
    release = threading.Event()
    receiver.answer = lambda received: Answer(when=release if received.event["type"] == "customer.created" else None)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    customer = client.v1.customers.create()
    client.v1.customers.delete(customer.id)

    arrived = receiver.wait_for(2)
    event = client.v1.events.list({"type": "customer.created"}).data[0]
    pending = event.pending_webhooks
    release.set()
    controls.settle()

    assert sorted(received.event["type"] for received in arrived) == ["customer.created", "customer.deleted"]
    assert pending == 1
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_a_receiver_that_hangs_takes_nobody_elses_place(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """However many events wait for it, others get theirs at once."""
    release = threading.Event()
    receiver.answer = lambda received: Answer(when=release if received.path == "/hangs" else None)
    hangs, works = f"http://127.0.0.1:{receiver.port}/hangs", f"http://127.0.0.1:{receiver.port}/works"
    client.v1.webhook_endpoints.create({"url": hangs, "enabled_events": ["customer.created"]})
    for _ in range(80):
        client.v1.customers.create()
    client.v1.webhook_endpoints.create({"url": works, "enabled_events": ["product.created"]})
    client.v1.products.create({"name": "Ebook"})

    arrived = receiver.wait_until(lambda received: received[-1].path == "/works")
    release.set()
    controls.settle()

    assert len([received for received in arrived if received.path == "/hangs"]) <= 10
    assert len(receiver.received) == 81


def test_an_event_is_resent_when_asked(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """The same event, once more, even after it was delivered."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()

    answer = controls.post(f"/events/{only_event(client)}/resend")
    controls.settle()

    first, second = receiver.received
    assert answer["sent_to"] == [endpoint.id]
    assert (first.body.replace(b'"pending_webhooks": 1', b'"pending_webhooks": 0')) == second.body
    assert [delivery["state"] for delivery in controls.deliveries(only_event(client))] == ["delivered", "delivered"]


def test_the_stripe_clis_resend_works(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """`stripe events resend evt_… --webhook-endpoint=we_…`, to an endpoint that did not exist at the time."""
    client.v1.customers.create()
    event = only_event(client)
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})

    client.raw_request("post", f"/v1/events/{event}/retry", webhook_endpoint=endpoint.id)

    assert receiver.wait_for(1)[0].event["id"] == event
