"""Who is delivered to: this machine alone, unless the server was told otherwise."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver


@pytest.mark.parametrize("host", ["shop.example", "10.1.2.3", "localhost.shop.example", "[2001:db8::1]"])
def test_nothing_leaves_this_machine(client: stripe.StripeClient, controls: Controls, host: str) -> None:
    """A made-up payment must not reach a real app. The log says what to do if it should."""
    client.v1.webhook_endpoints.create({"url": f"https://{host}/hooks", "enabled_events": ["*"]})
    client.v1.customers.create()
    controls.settle()

    (delivery,) = controls.deliveries(client.v1.events.list().data[0].id)

    assert delivery["state"] == "refused"
    assert "--deliver-anywhere" in delivery["attempts"][0]["answer"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0.0.0.0"])  # noqa: S104 - no binding
def test_this_machine_has_many_names(client: stripe.StripeClient, receiver: Receiver, host: str) -> None:
    """Each of them is delivered to."""
    client.v1.webhook_endpoints.create({"url": f"http://{host}:{receiver.port}/hooks", "enabled_events": ["*"]})
    client.v1.customers.create()

    assert receiver.wait_for(1)[0].path == "/hooks"
