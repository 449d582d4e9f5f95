"""The clock: time in a sandbox moves when it is told to."""

from __future__ import annotations

import time

import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Answer, Receiver

DAY = 24 * 3600


def test_a_pushed_clock_is_the_time_of_everything_new(client: stripe.StripeClient, controls: Controls) -> None:
    """What is created afterwards is created then."""
    before = client.v1.customers.create()

    pushed = controls.post("/clock/advance", seconds=30 * DAY)
    after = client.v1.customers.create()

    assert controls.get("/clock")["ahead"] == pushed["ahead"] == 30 * DAY
    assert 0 <= after.created - before.created - 30 * DAY < 60


def test_a_clock_is_its_sandboxs(local_stripe: LocalStripe, client: stripe.StripeClient, controls: Controls) -> None:
    """Others go on living in the present."""
    controls.push(DAY)

    other = local_stripe.client("sk_test_somebody_else").v1.customers.create()

    assert abs(other.created - time.time()) < 60
    assert client.v1.customers.create().created > other.created + DAY - 60


def test_time_stops_wherever_something_is_due(
    client: stripe.StripeClient, controls: Controls, receiver: Receiver
) -> None:
    """While an event is answered, the sandbox's clock shows the moment it was sent, not where it is pushed to."""
    moments: list[int] = []

    def answer(_: object) -> Answer:
        moments.append(client.v1.products.create({"name": "made while answering"}).created)
        return Answer(500)

    receiver.answer = answer
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    client.v1.customers.create()

    controls.push(30 * DAY)

    event = client.v1.events.list({"type": "customer.created"})
    assert event.data == []
    assert len(moments) == 4
    assert moments == sorted(moments)
    assert 3600 < moments[-1] - moments[0] < DAY


def test_a_clock_goes_forward_only(controls: Controls) -> None:
    """And by whole seconds, within reason."""
    for seconds in (-1, "soon", 1.5, 10**12):
        refused = controls.ask("POST", "/clock/advance", {"seconds": seconds})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "seconds")

    assert controls.get("/clock")["ahead"] == 0
