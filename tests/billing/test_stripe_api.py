"""Patience with Stripe: asked again where it helps, never where it does harm."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from paydesk.billing.stripe_api import StripeApi, TokenBucket
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from tests.billing.wire import Wire

KEY = "sk_test_patience"
CREATE = "POST /v1/customers"
LIST = "GET /v1/customers"


class Patient:
    """A client that remembers how long it would have waited."""

    def __init__(self, url: str) -> None:
        self.pauses: list[float] = []
        self.api = StripeApi(SecretStr(KEY), url, sleep=self.pauses.append, chance=lambda: 1.0)

    def create(self) -> str:
        params: stripe.params.CustomerCreateParams = {"email": "ada@example.com"}
        return self.api.write(
            "to create the customer", "pdk_1", lambda client, options: client.v1.customers.create(params, options)
        ).id

    def list(self) -> int:
        return len(self.api.read("to list customers", lambda client: client.v1.customers.list().data))


@pytest.fixture
def patient(wire: Wire) -> Patient:
    return Patient(wire.url)


def error(code: str | None = None, kind: str = "invalid_request_error") -> bytes:
    return json.dumps({"error": {"type": kind, "code": code, "message": "Something."}}).encode()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "idempotency_key_in_use"),
        (429, "lock_timeout"),
        (429, "rate_limit"),
        (400, "rate_limit"),
        (500, None),
        (503, None),
    ],
)
def test_a_busy_stripe_is_asked_again_with_the_same_key(
    patient: Patient, wire: Wire, status: int, code: str | None
) -> None:
    """What is only a matter of time is waited for, and done once."""
    wire.answer(CREATE, status, error(code))
    wire.answer(CREATE, status, error(code))

    created = patient.create()

    assert created.startswith("cus_")
    assert [call.key for call in wire.sent(CREATE)] == ["pdk_1"] * 3
    assert patient.pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "parameter_missing"), (401, None), (402, "card_declined"), (403, None), (404, "resource_missing")],
)
def test_a_refusal_is_final(patient: Patient, wire: Wire, status: int, code: str | None) -> None:
    """Asking the same again would be refused again."""
    wire.answer(CREATE, status, error(code))

    with pytest.raises(StripeRefused) as refusal:
        patient.create()

    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (status, code, "Something.")
    assert "Stripe refused to create the customer: Something." in str(refusal.value)
    assert len(wire.sent(CREATE)) == 1


def test_stripe_says_whether_to_ask_again(patient: Patient, wire: Wire) -> None:
    """Its word goes before any rule of ours."""
    wire.answer(CREATE, 500, error(), Stripe_Should_Retry="false")
    with pytest.raises(StripeUnavailable, match="tried once"):
        patient.create()

    wire.answer(CREATE, 409, error(), Stripe_Should_Retry="true")
    assert patient.create().startswith("cus_")


def test_a_crash_at_stripes_is_not_taken_for_a_refusal(patient: Patient, wire: Wire) -> None:
    """After a 500 nobody knows whether it was done, so the promise must stay open."""
    wire.answer(CREATE, 500, error(kind="api_error"), Stripe_Should_Retry="false")

    with pytest.raises(StripeUnavailable):
        patient.create()


def test_a_key_that_was_used_for_something_else_says_nothing_about_the_write(patient: Patient, wire: Wire) -> None:
    """A new client may write the same parameters another way. The first try may have been carried out all the same."""
    wire.answer(CREATE, 400, error(kind="idempotency_error"))

    with pytest.raises(StripeUnavailable):
        patient.create()

    assert len(wire.sent(CREATE)) == 1


def test_stripes_own_pause_is_kept(patient: Patient, wire: Wire) -> None:
    """Retry-After is obeyed."""
    wire.answer(LIST, 429, error("rate_limit"), Retry_After="7")

    patient.list()

    assert patient.pauses == [7.0]


def test_nobody_is_kept_waiting_for_minutes(patient: Patient, wire: Wire) -> None:
    """A person may be waiting for the page."""
    wire.answer(LIST, 429, error("rate_limit"), Retry_After="600")

    with pytest.raises(StripeUnavailable):
        patient.list()
    assert patient.pauses == []


def test_a_silent_stripe_is_given_up_after_four_tries(patient: Patient, wire: Wire) -> None:
    """The caller is told that trying again is safe."""
    wire.cut_before(LIST)

    with pytest.raises(StripeUnavailable, match=r"could not be asked to list customers, tried 4 times: no connection"):
        patient.list()
    assert patient.pauses == [0.5, 1.0, 2.0]


def test_pauses_differ_between_processes(wire: Wire) -> None:
    """Everybody who was turned away at once does not come back at once."""
    pauses: list[float] = []
    chances = iter([0.0, 0.5])
    api = StripeApi(SecretStr(KEY), wire.url, sleep=pauses.append, chance=lambda: next(chances))
    wire.answer(LIST, 500)
    wire.answer(LIST, 500)

    api.read("to list customers", lambda client: client.v1.customers.list())

    assert pauses == [0.25, 0.75]


def test_no_error_shows_the_key(patient: Patient, wire: Wire) -> None:
    """Errors are logged, and shown to developers."""
    wire.answer(LIST, 401, json.dumps({"error": {"message": f"Invalid API Key provided: {KEY}"}}).encode())

    with pytest.raises(StripeRefused) as refusal:
        patient.list()

    assert "Invalid API Key provided: sk_test_***" in str(refusal.value)
    assert "patience" not in str(refusal.value)


def test_the_official_client_is_there_for_the_rest(patient: Patient) -> None:
    """Whatever has no verb is done with Stripe's own client, already configured."""
    assert patient.api.client.v1.customers.create({"name": "Ada"}).name == "Ada"


def test_background_work_keeps_its_pace() -> None:
    """A sweep never uses up the account's limit while somebody wants to pay."""
    time = Time()
    bucket = TokenBucket(per_second=10, burst=2, sleep=time.sleep, now_seconds=time.now)

    begun = [time.take(bucket.take) for _ in range(5)]

    assert begun == pytest.approx([0.0, 0.0, 0.1, 0.2, 0.3])


class Time:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def take(self, take: Callable[[], None]) -> float:
        take()
        return self.seconds


FORKED = """
import os
from pydantic import SecretStr
from paydesk.billing.stripe_api import StripeApi

api = StripeApi(SecretStr("sk_test_fork"), "http://127.0.0.1:9")
parents = api.client
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(int(api.client is parents))
"""


def test_a_forked_process_has_connections_of_its_own() -> None:
    """The client keeps them open: two processes must not read each other's answers."""
    assert subprocess.run([sys.executable, "-c", FORKED], check=False, timeout=60).returncode == 0
