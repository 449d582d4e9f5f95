"""Rate limits: off unless switched on, then Stripe's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.wire import Reply, Wire

ENOUGH = 2000


@pytest.fixture(scope="module")
def limited() -> Iterator[LocalStripe]:
    """A server that limits requests a second."""
    server = LocalStripe("--memory", "--rate-limits")
    yield server
    server.stop()


def first_refusal(wire: Wire) -> Reply:
    """Ask until one is refused."""
    replies = (wire.get("/v1/customers") for _ in range(ENOUGH))
    return next(reply for reply in replies if reply.status != 200)


def test_too_many_requests_a_second_are_refused(limited: LocalStripe, key: str) -> None:
    """429 with its reason; nothing else is touched by it."""
    reply = first_refusal(Wire(limited.url, key))

    assert (reply.status, reply.error["code"]) == (429, "rate_limit")
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["message"].startswith("Testmode request rate limit exceeded")
    assert reply.headers["stripe-rate-limited-reason"] in ("global-rate", "endpoint-rate")


def test_the_sdk_raises_its_rate_limit_error(limited: LocalStripe, key: str) -> None:
    """And does not retry by itself: that is the app's to do."""
    client = limited.client(key)

    def hurry() -> None:
        for _ in range(ENOUGH):
            client.v1.customers.list()

    with pytest.raises(stripe.RateLimitError):
        hurry()


def test_a_refused_write_leaves_its_key_free(limited: LocalStripe, key: str) -> None:
    """A 429 was never the endpoint's answer: the same key may try again."""
    wire = Wire(limited.url, key)
    replies = (wire.post("/v1/customers", "name=Ada", Idempotency_Key=str(number)) for number in range(ENOUGH))
    refused = next(number for number, reply in enumerate(replies) if reply.status == 429)

    # The next second comes by itself, however many requests fit into this one.
    later = iter(lambda: wire.post("/v1/customers", "name=Ada", Idempotency_Key=str(refused)), None)
    done = next(reply for reply in later if reply.status == 200)

    assert "idempotent-replayed" not in done.headers


def test_no_limit_is_set_unless_asked_for(wire: Wire) -> None:
    """Suites run as fast as they can."""
    assert {wire.get("/v1/customers").status for _ in range(120)} == {200}
