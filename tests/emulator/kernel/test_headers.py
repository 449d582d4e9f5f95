"""Headers: what every answer carries, and versions."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
import stripe

from tests.emulator.wire import Wire


def test_every_answer_has_an_id_and_a_version(wire: Wire) -> None:
    """What support asks for first; refusals have them too."""
    for reply in (wire.get("/v1/customers"), wire.get("/v1/customers/cus_nobody"), wire.get("/v1/nothing")):
        assert re.fullmatch(r"req_[0-9A-Za-z]{14}", reply.headers["request-id"])
        assert reply.headers["stripe-version"] == stripe.api_version
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "no-cache, no-store"
        assert reply.headers["access-control-allow-origin"] == "*"


def test_the_sdk_sees_the_id_of_its_request(client: stripe.StripeClient) -> None:
    """On answers and on errors."""
    customer = client.v1.customers.create()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.retrieve("cus_nobody")

    assert customer.last_response is not None
    assert (customer.last_response.request_id or "").startswith("req_")
    assert (refused.value.request_id or "").startswith("req_")


@pytest.mark.parametrize("version", ["2025-09-30.acacia", "latest", "2099-01-01.zebra", "2026-10-28", " "])
def test_a_version_that_is_none_is_refused(wire: Wire, version: str) -> None:
    """With what was sent."""
    reply = wire.get("/v1/customers", Stripe_Version=version)

    assert reply.status == 400
    assert reply.error["message"] == f"Invalid Stripe API version: {version.strip()}"


def test_a_version_sent_twice_is_none(wire: Wire) -> None:
    """Nothing is chosen for the caller."""
    asked = str(stripe.api_version)
    connection = http.client.HTTPConnection(urlsplit(wire.url).netloc, timeout=30)
    connection.putrequest("GET", "/v1/customers")
    for name, value in (("Authorization", f"Bearer {wire.key}"), ("Stripe-Version", asked), ("Stripe-Version", asked)):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()

    assert answer.status == 400
    assert body["error"]["message"] == f"Invalid Stripe API version: {asked}, {asked}"


def test_an_older_version_is_answered_in_the_pinned_one(wire: Wire) -> None:
    """And it is said that asking for it had no effect."""
    reply = wire.get("/v1/customers", Stripe_Version="2025-09-30.clover")

    assert (reply.status, reply.headers["stripe-version"]) == (200, stripe.api_version)
    assert reply.headers["paydesk-no-effect"] == "Stripe-Version"
    assert "paydesk-no-effect" not in wire.get("/v1/customers", Stripe_Version=str(stripe.api_version)).headers


def test_a_connected_account_is_refused(wire: Wire) -> None:
    """Acting for it and writing into one's own would be worse than an error; naming oneself is fine."""
    account = wire.get("/v1/account").value["id"]

    assert wire.get("/v1/customers", Stripe_Account="acct_1Connected").status == 400
    assert wire.get("/v1/customers", Stripe_Account=account).status == 200
