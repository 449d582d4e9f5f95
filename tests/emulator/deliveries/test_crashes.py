"""Crashes: an event that was committed reaches its endpoints, whatever dies in between."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.conftest import LocalStripe
from tests.emulator.receiver import Answer, Receiver

KEY = "sk_test_crashes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that outlives its server."""
    return tmp_path / "state"


def test_a_delivery_that_was_under_way_is_sent_again(folder: Path, receiver: Receiver) -> None:
    """The server is killed while the receiver still thinks: the next one cannot know, and sends it once more."""
    never = threading.Event()
    receiver.answer = lambda received: Answer(when=never)
    first = LocalStripe("--data", str(folder))
    client = first.client(KEY)
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create({"name": "Ada"})
    receiver.wait_for(1)
    first.kill()
    receiver.answer = lambda received: Answer()

    second = LocalStripe("--data", str(folder))
    again = receiver.wait_for(2)[1]
    listed = second.client(KEY).v1.webhook_endpoints.list().data
    second.stop()
    never.set()

    assert again.event["id"] == receiver.received[0].event["id"]
    assert [one.id for one in listed] == [endpoint.id]


def test_every_answered_request_is_told_of_after_a_kill(folder: Path, receiver: Receiver) -> None:
    """Twenty creations were answered, then the power went: all twenty events arrive."""
    first = LocalStripe("--data", str(folder))
    client = first.client(KEY)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    made = {client.v1.customers.create().id for _ in range(20)}
    first.kill()

    second = LocalStripe("--data", str(folder))
    told_of = receiver.wait_until(
        lambda received: {one.event["data"]["object"]["id"] for one in received} == made,
    )
    second.stop()

    assert len(told_of) >= 20
