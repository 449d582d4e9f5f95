"""The controls as a whole: who may open them, and what they say to nonsense."""

from __future__ import annotations

import httpx2
import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver

SANDBOXED = [
    ("GET", "/clock"),
    ("POST", "/clock/advance"),
    ("GET", "/requests"),
    ("GET", "/events/evt_1/deliveries"),
    ("POST", "/events/evt_1/resend"),
    ("POST", "/webhook_endpoints/we_1/roll_secret"),
    ("GET", "/faults"),
    ("POST", "/faults"),
    ("DELETE", "/faults"),
    ("GET", "/settings/billing"),
    ("POST", "/settings/billing"),
    ("POST", "/settings/portal"),
    ("POST", "/payment_methods/pm_1/behave"),
    ("POST", "/charges/ch_1/dispute"),
    ("POST", "/reset"),
    ("POST", "/copy"),
]


@pytest.mark.parametrize(("method", "path"), SANDBOXED)
def test_a_sandboxs_controls_open_with_its_secret_key(local_stripe: LocalStripe, method: str, path: str) -> None:
    """No key, or one that browsers carry: 401 in Stripe's shape."""
    for headers in ({}, {"Authorization": "Bearer pk_test_x"}, {"Authorization": "Bearer rk_test_x"}):
        refused = httpx2.request(method, f"{local_stripe.url}/_local{path}", headers=headers, trust_env=False)
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "invalid_request_error"
        # It is in no sandbox's log, so there is nothing to link to.
        assert "request_log_url" not in refused.json()["error"]


def test_anybody_may_ask_whether_it_is_up(local_stripe: LocalStripe) -> None:
    """For scripts that wait for it, in any language."""
    health = httpx2.get(f"{local_stripe.url}/_local/health", trust_env=False)

    assert (health.status_code, health.json()["status"], health.json()["api_version"]) == (
        200,
        "ok",
        stripe.api_version,
    )


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"seconds": 1, "fortnights": 2}', b"{}"])
def test_nonsense_is_a_400(local_stripe: LocalStripe, key: str, body: bytes) -> None:
    """With a sentence that says what is wrong, never a traceback."""
    refused = httpx2.post(
        f"{local_stripe.url}/_local/clock/advance",
        content=body,
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )

    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")


def test_an_error_leads_to_its_request(client: stripe.StripeClient) -> None:
    """`request_log_url` can be opened as it stands, in a browser too: what was asked, and what was answered."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.raw_request("post", "/v1/customers", email="ada@example.com", nmae="Ada")

    assert refusal.value.error is not None
    shown = httpx2.get(refusal.value.error["request_log_url"], trust_env=False).json()

    assert (shown["method"], shown["path"], shown["status"]) == ("POST", "/v1/customers", 400)
    assert "nmae=Ada" in shown["params"]
    assert shown["answer"]["error"]["message"] == "Received unknown parameter: nmae"


def test_the_request_log_shows_this_sandbox_alone(
    local_stripe: LocalStripe, client: stripe.StripeClient, controls: Controls
) -> None:
    """The newest first."""
    local_stripe.client("sk_test_somebody_else").v1.customers.list()
    client.v1.customers.create()
    client.v1.customers.list()

    shown = controls.get("/requests")["requests"]

    assert [(one["method"], one["path"]) for one in shown] == [("GET", "/v1/customers"), ("POST", "/v1/customers")]
    assert len(controls.get("/requests?limit=1")["requests"]) == 1


def test_the_request_log_keeps_no_signing_secret(client: stripe.StripeClient, controls: Controls) -> None:
    """Only the answer itself shows it."""
    endpoint = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})

    newest = controls.get("/requests")["requests"][0]["id"]
    shown = controls.get(f"/requests/{newest}")

    assert shown["answer"]["id"] == endpoint.id
    assert shown["answer"]["secret"] == "whsec_***"


def test_a_request_nobody_made_is_a_404(controls: Controls) -> None:
    """As is an event nobody had, and an endpoint nobody made."""
    for method, path in (
        ("GET", "/requests/req_nobody"),
        ("GET", "/events/evt_nobody/deliveries"),
        ("POST", "/events/evt_nobody/resend"),
        ("POST", "/webhook_endpoints/we_nobody/roll_secret"),
        ("DELETE", "/faults/fault_nobody"),
        ("GET", "/nowhere"),
    ):
        assert controls.ask(method, path).status_code == 404


def test_a_reset_empties_this_sandbox_and_no_other(
    local_stripe: LocalStripe, client: stripe.StripeClient, controls: Controls, receiver: Receiver
) -> None:
    """Objects, events, endpoints, keys, faults and the clock: as if the key had never been used."""
    other = local_stripe.client("sk_test_not_reset")
    other.v1.customers.create({"name": "stays"})
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    first = client.v1.customers.create({}, {"idempotency_key": "once"})
    controls.post("/faults", fault="error", path="/v1/products")
    controls.push(3600)

    controls.post("/reset")

    assert client.v1.customers.list().data == []
    assert client.v1.events.list().data == []
    assert client.v1.webhook_endpoints.list().data == []
    assert controls.get("/faults") == {"faults": []}
    assert controls.get("/clock")["ahead"] == 0
    assert client.v1.customers.create({}, {"idempotency_key": "once"}).id != first.id
    assert "stays" in [customer.name for customer in other.v1.customers.list().data]


def test_coverage_says_what_becomes_of_each_parameter(local_stripe: LocalStripe) -> None:
    """Modelled, refused or without effect: nothing is left out, of what Stripe's SDK knows."""
    coverage = httpx2.get(f"{local_stripe.url}/_local/coverage", trust_env=False, timeout=60).json()

    routes = {(route["method"], route["path"]): route["parameters"] for route in coverage["routes"]}
    create = routes["POST", "/v1/customers"]

    assert coverage["modelled"] == len(routes)
    assert coverage["known"] == len(routes) + len(coverage["not_modelled"])
    assert "POST /v1/subscriptions" in coverage["not_modelled"] or ("POST", "/v1/subscriptions") in routes
    assert {"email", "metadata", "address.city"} <= set(create["used"])
    assert "tax.ip_address" in create["without_effect"]
