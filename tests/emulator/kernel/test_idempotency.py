"""Idempotency: a key gets one answer, for a day."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
import stripe

from paydesk.emulator.kernel.agenda import Task
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kernel import Kernel
from paydesk.emulator.kernel.messages import Request
from paydesk.emulator.kernel.routes import Call, Route
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.resources import event
from tests.conftest import LocalStripe
from tests.emulator.wire import Reply, Wire

DAY = 24 * 3600


def customers(wire: Wire) -> int:
    """How many customers there are."""
    return len(wire.get("/v1/customers?limit=100").value["data"])


def push(wire: Wire, seconds: int) -> None:
    assert wire.post("/_local/clock/advance", f'{{"seconds": {seconds}}}').status == 200


def test_the_same_request_is_answered_the_same(wire: Wire) -> None:
    """Byte for byte, with the id of the first one, and done once."""
    first = wire.post("/v1/customers", "email=ada@example.com&metadata[a]=1", Idempotency_Key="attempt-1")
    again = wire.post("/v1/customers", "metadata[a]=1&email=ada%40example.com", Idempotency_Key="attempt-1")

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["original-request"] == first.headers["request-id"]
    assert again.headers["request-id"] != first.headers["request-id"]
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == "attempt-1"
    assert "idempotent-replayed" not in first.headers
    assert customers(wire) == 1


def test_a_replay_shows_what_was_then(wire: Wire) -> None:
    """Not what became of it."""
    first = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")
    wire.post(f"/v1/customers/{first.value['id']}", "name=Mary")
    wire.send("DELETE", f"/v1/customers/{first.value['id']}")

    again = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")

    assert again.body == first.body


def test_a_decline_is_replayed_too(wire: Wire) -> None:
    """402: the bank is not asked twice. Another try needs another key."""
    first = wire.post("/v1/customers", "payment_method=pm_card_chargeDeclined", Idempotency_Key="attempt-1")
    again = wire.post("/v1/customers", "payment_method=pm_card_chargeDeclined", Idempotency_Key="attempt-1")

    assert (first.status, again.status, again.headers["idempotent-replayed"]) == (402, 402, "true")
    assert again.body == first.body


def test_a_refusal_of_the_endpoint_is_replayed(wire: Wire) -> None:
    """It had begun: even when the product exists by then, the answer stays what it was."""
    body = "currency=usd&unit_amount=1&product=ebook"
    first = wire.post("/v1/prices", body, Idempotency_Key="attempt-1")
    wire.post("/v1/products", "id=ebook&name=E-book")

    again = wire.post("/v1/prices", body, Idempotency_Key="attempt-1")

    assert (first.status, again.status) == (400, 400)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("body", ["colour=red", "balance=much", "metadata[" + "k" * 41 + "]=x"])
def test_a_refusal_before_the_endpoint_is_not_kept(wire: Wire, body: str) -> None:
    """A parameter that cannot be: correct it, and use the key again."""
    refused = wire.post("/v1/customers", body, Idempotency_Key="attempt-1")
    corrected = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")

    assert (refused.status, corrected.status) == (400, 200)
    assert "idempotent-replayed" not in corrected.headers


def test_a_parameter_that_only_the_endpoint_can_miss_is_not_kept(wire: Wire) -> None:
    """It is a refusal of the request all the same: add what is missing, and use the key again."""
    refused = wire.post("/v1/checkout/sessions", "mode=setup&currency=usd", Idempotency_Key="attempt-1")
    body = "mode=setup&currency=usd&success_url=http://127.0.0.1:9/thanks"
    corrected = wire.post("/v1/checkout/sessions", body, Idempotency_Key="attempt-1")

    assert (refused.status, refused.error["code"]) == (400, "parameter_missing")
    assert (corrected.status, "idempotent-replayed" in corrected.headers) == (200, False)


def test_a_refusal_names_its_key_too(wire: Wire) -> None:
    """And says that trying again changes nothing; of one that waits for another, that is not said."""
    refused = wire.post("/v1/customers", "colour=red", Idempotency_Key="attempt-1")

    assert refused.headers["idempotency-key"] == "attempt-1"
    assert refused.headers["original-request"] == refused.headers["request-id"]
    assert refused.headers["stripe-should-retry"] == "false"


def test_a_mistake_of_ours_is_replayed_too() -> None:
    """500: the endpoint had begun, so its answer is kept as Stripe keeps it, and nothing else is."""

    def crash(call: Call) -> dict[str, str]:
        call.world.emit("customer.created", Document({"id": "cus_1", "object": "customer"}))
        raise RuntimeError("what went wrong")

    class Crashing:
        KINDS = (event.EVENT,)
        ROUTES = (Route("POST", "/v1/crash", crash, is_listed=False), *event.ROUTES)
        TASKS: ClassVar[dict[str, Task]] = {}

    kernel = Kernel(Store(None), (Crashing(),))
    headers = {"authorization": "Bearer sk_test_crash", "idempotency-key": "attempt-1"}

    first, again = (kernel.answer(Request("POST", "/v1/crash", "", headers)) for _ in range(2))
    told = kernel.answer(Request("GET", "/v1/events", "", headers))

    assert (first.status, again.status, again.body) == (500, 500, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert b"what went wrong" not in first.body
    assert json.loads(told.body)["data"] == []


def test_other_parameters_under_the_same_key_are_refused(wire: Wire) -> None:
    """One key, one intention."""
    first = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")

    reply = wire.post("/v1/customers", "name=Mary", Idempotency_Key="attempt-1")

    assert reply.headers["original-request"] == first.headers["request-id"]
    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")
    assert reply.error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        "Try using a key other than 'attempt-1' if you meant to execute a different request."
    )
    assert "code" not in reply.error
    assert customers(wire) == 1


def test_another_endpoint_under_the_same_key_is_refused(wire: Wire, client: stripe.StripeClient) -> None:
    """Naming both; the SDK raises its IdempotencyError."""
    wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")

    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.products.create({"name": "Ada"}, {"idempotency_key": "attempt-1"})

    assert "('/v1/customers' vs '/v1/products')" in str(refused.value)


def test_a_key_lives_a_day(wire: Wire) -> None:
    """Then it starts a new request."""
    first = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1").value
    push(wire, DAY - 60)
    replayed = wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1").value
    push(wire, 120)
    anew = wire.post("/v1/customers", "name=Mary", Idempotency_Key="attempt-1").value

    assert replayed == first
    assert anew["name"] == "Mary"
    assert customers(wire) == 2


def test_a_key_belongs_to_its_sandbox_and_mode(wire: Wire, key: str) -> None:
    """The same key elsewhere is another key."""
    live = Wire(wire.url, key.replace("sk_test_", "sk_live_local_"))
    other = Wire(wire.url, f"{key}x")

    replies = [who.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1") for who in (wire, live, other)]

    assert len({reply.value["id"] for reply in replies}) == 3


@pytest.mark.parametrize("impossible", ["", "x" * 256])
def test_a_key_that_is_none_is_refused(wire: Wire, impossible: str) -> None:
    """Empty, or longer than 255 characters."""
    assert wire.post("/v1/customers", Idempotency_Key=impossible).status == 400
    assert customers(wire) == 0


def test_a_key_of_255_characters_is_fine(wire: Wire) -> None:
    """The longest there is."""
    assert wire.post("/v1/customers", Idempotency_Key="x" * 255).status == 200


def test_reading_and_deleting_take_no_notice(wire: Wire) -> None:
    """GET and DELETE are what they are; a key on them means nothing."""
    customer = wire.post("/v1/customers").value["id"]

    before = wire.send("GET", f"/v1/customers/{customer}", headers={"Idempotency-Key": "attempt-1"})
    wire.post(f"/v1/customers/{customer}", "name=Ada")
    after = wire.send("GET", f"/v1/customers/{customer}", headers={"Idempotency-Key": "attempt-1"})
    gone = wire.send("DELETE", f"/v1/customers/{customer}", headers={"Idempotency-Key": "attempt-1"})
    again = wire.send("DELETE", f"/v1/customers/{customer}", headers={"Idempotency-Key": "attempt-1"})

    assert (before.value["name"], after.value["name"]) == (None, "Ada")
    assert (gone.status, again.status) == (200, 404)


def test_an_event_tells_which_key_made_it(client: stripe.StripeClient) -> None:
    """So that an app recognises its own doing."""
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "attempt-1"})

    event = client.v1.events.list().data[0]

    assert event.request is not None
    assert event.request.idempotency_key == "attempt-1"
    assert (event.request.id or "").startswith("req_")


@pytest.mark.parametrize("when", ["before", "after"])
def test_of_eight_at_once_one_wins(wire: Wire, when: str) -> None:
    """The others are told that it is still running, or get its answer; the work is done once."""
    slow = f'{{"fault": "slow", "when": "{when}", "seconds": 0.3, "path": "/v1/customers", "times": 1}}'
    assert wire.post("/_local/faults", slow).status == 200

    def attempt(_: int) -> Reply:
        return wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1")

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(attempt, range(8)))

    done = [reply for reply in replies if reply.status == 200]
    refused = [reply for reply in replies if reply.status != 200]
    assert len([reply for reply in done if "idempotent-replayed" not in reply.headers]) == 1
    assert len({reply.body for reply in done}) == 1
    assert {(reply.status, reply.error["code"]) for reply in refused} <= {(409, "idempotency_key_in_use")}
    assert not any("stripe-should-retry" in reply.headers for reply in refused)
    assert customers(wire) == 1
    assert wire.post("/v1/customers", "name=Ada", Idempotency_Key="attempt-1").body == done[0].body


def test_a_clients_own_retries_charge_once(local_stripe: LocalStripe, key: str) -> None:
    """An answer that was lost on its way: the SDK asks again with the same key, and gets it."""
    wire = Wire(local_stripe.url, key)
    client = stripe.StripeClient(key, base_addresses={"api": local_stripe.url}, max_network_retries=2)
    wire.post("/_local/faults", '{"fault": "timeout_after", "path": "/v1/customers", "times": 1}')

    customer = client.v1.customers.create({"name": "Ada"})

    assert customer.name == "Ada"
    assert customers(wire) == 1
