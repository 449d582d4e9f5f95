"""Faults: what an app must survive, on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver

HOUR = 3600


def names(client: stripe.StripeClient) -> list[str | None]:
    """The customers there are, oldest first."""
    return [customer.name for customer in reversed(client.v1.customers.list().data)]


def listen(client: stripe.StripeClient, receiver: Receiver) -> None:
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})


def arrived(receiver: Receiver) -> list[str]:
    return [received.event["data"]["object"]["name"] for received in receiver.received]


# At API requests


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (429, stripe.RateLimitError, "rate_limit"),
        (500, stripe.APIError, None),
        (402, stripe.CardError, "card_declined"),
    ],
)
def test_an_error_is_answered_before_anything_is_done(
    client: stripe.StripeClient, controls: Controls, status: int, raised: type[stripe.StripeError], code: str | None
) -> None:
    """The next request gets it, and the one after that is a healthy one."""
    controls.post("/faults", fault="error", status=status)

    with pytest.raises(raised) as error:
        client.v1.customers.create({"name": "first"})
    client.v1.customers.create({"name": "second"})

    assert error.value.error is not None
    assert (error.value.http_status, error.value.error.code) == (status, code)
    assert names(client) == ["second"]


def test_an_error_leaves_the_idempotency_key_free(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing was done, so the same key may do it."""
    controls.post("/faults", fault="error", status=500)

    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})

    assert names(client) == ["Ada"]


def test_a_lock_timeout_may_be_retried(client: stripe.StripeClient, controls: Controls) -> None:
    """With the header that makes official SDKs try again."""
    controls.post("/faults", fault="lock_timeout")

    with pytest.raises(stripe.RateLimitError) as error:
        client.v1.customers.create()

    assert error.value.error is not None
    assert error.value.error.code == "lock_timeout"
    assert error.value.headers is not None
    assert error.value.headers["Stripe-Should-Retry"] == "true"


def test_a_timeout_before_the_work_has_no_effect(client: stripe.StripeClient, controls: Controls) -> None:
    """The caller sees a broken connection, and a retry with the same key does the work once."""
    controls.post("/faults", fault="timeout_before")

    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})
    after_the_cut = names(client)
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})

    assert (after_the_cut, names(client)) == ([], ["Ada"])


def test_a_timeout_after_the_work_has_all_of_it(client: stripe.StripeClient, controls: Controls) -> None:
    """The caller sees the very same broken connection; the retry gets the answer that was lost."""
    controls.post("/faults", fault="timeout_after")

    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})
    after_the_cut = names(client)
    again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})

    assert after_the_cut == names(client) == ["Ada"]
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_a_slow_answer_can_be_a_stale_one(client: stripe.StripeClient, controls: Controls) -> None:
    """`when: after`: read first, answered late, so that what happened in between is not in it."""
    customer = client.v1.customers.create({"name": "old"})
    armed = controls.post("/faults", fault="slow", seconds=1, method="GET", path="/v1/customers/*")
    read: list[str | None] = []
    reader = threading.Thread(target=lambda: read.append(client.v1.customers.retrieve(customer.id).name))

    reader.start()
    while controls.get("/faults")["faults"][0]["struck"] == armed["struck"]:
        pass
    client.v1.customers.update(customer.id, {"name": "new"})
    reader.join()

    assert read == ["old"]


def test_a_slow_start_sees_what_happened_meanwhile(client: stripe.StripeClient, controls: Controls) -> None:
    """`when: before`: the request waits at the door."""
    customer = client.v1.customers.create({"name": "old"})
    armed = controls.post("/faults", fault="slow", seconds=1, when="before", method="GET", path="/v1/customers/*")
    read: list[str | None] = []
    reader = threading.Thread(target=lambda: read.append(client.v1.customers.retrieve(customer.id).name))

    reader.start()
    while controls.get("/faults")["faults"][0]["struck"] == armed["struck"]:
        pass
    client.v1.customers.update(customer.id, {"name": "new"})
    reader.join()

    assert read == ["new"]


def test_a_fault_strikes_only_what_it_fits(client: stripe.StripeClient, controls: Controls) -> None:
    """By method and path, as often as it was told to."""
    controls.post("/faults", fault="error", method="POST", path="/v1/products", times=2)

    client.v1.customers.create()
    client.v1.products.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.products.create({"name": "Ebook"})
    client.v1.products.create({"name": "Ebook"})

    (fault,) = controls.get("/faults")["faults"]
    assert (fault["struck"], fault["times"]) == (2, 0)


def test_a_share_of_requests_fails_the_same_way_every_time(local_stripe: LocalStripe, key: str) -> None:
    """`rate` with a `seed`: what failed today fails tomorrow, so that a bug found by chance can be found again."""

    def failures(sandbox: str) -> list[int]:
        client, controls = local_stripe.client(sandbox), Controls(local_stripe.url, sandbox)
        controls.post("/faults", fault="error", rate=0.4, seed=7)
        failed = []
        for number in range(20):
            try:
                client.v1.customers.list()
            except stripe.APIError:
                failed.append(number)
        controls.close()
        return failed

    first, second = failures(key), failures(key + "again")

    assert first == second
    assert 0 < len(first) < 20


def test_a_disarmed_fault_is_over(client: stripe.StripeClient, controls: Controls) -> None:
    """One of them, or all."""
    one = controls.post("/faults", fault="error", rate=1.0)
    controls.post("/faults", fault="lock_timeout", rate=1.0)

    controls.delete(f"/faults/{one['id']}")
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.list()
    controls.delete("/faults")

    assert client.v1.customers.list().data == []


def test_a_fault_belongs_to_its_sandbox(local_stripe: LocalStripe, controls: Controls) -> None:
    """Suites that run side by side do not hurt each other."""
    controls.post("/faults", fault="error", rate=1.0)

    assert local_stripe.client("sk_test_unhurt").v1.products.list().data == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "fault"),
        ({"fault": "gremlins"}, "fault"),
        ({"fault": "error", "status": 200}, "status"),
        ({"fault": "error", "times": 0}, "times"),
        ({"fault": "error", "rate": 1.5}, "rate"),
        ({"fault": "slow", "when": "sometimes"}, "when"),
        ({"fault": "slow", "seconds": -1}, "seconds"),
        ({"fault": "drop", "path": "/v1/customers"}, "path"),
        ({"fault": "duplicate", "copies": 1}, "copies"),
        ({"fault": "drop", "until": "tomorrow"}, "until"),
    ],
)
def test_a_fault_that_makes_no_sense_is_not_armed(controls: Controls, fields: dict[str, object], param: str) -> None:
    """A test that relies on a misspelt fault would pass for the wrong reason."""
    refused = controls.ask("POST", "/faults", fields)

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert controls.get("/faults") == {"faults": []}


# At deliveries


def test_a_dropped_event_never_arrives(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """It happened all the same: a sweep finds it, and it can be resent."""
    listen(client, receiver)
    controls.post("/faults", fault="drop")
    client.v1.customers.create({"name": "lost"})
    client.v1.customers.create({"name": "found"})
    controls.push(24 * HOUR)
    event = client.v1.events.list({"type": "customer.created", "delivery_success": False}).data[0]
    before = arrived(receiver)

    controls.post(f"/events/{event.id}/resend")
    controls.settle()

    assert (before, arrived(receiver)) == (["found"], ["found", "lost"])
    assert controls.deliveries(event.id)[0]["state"] == "lost"


def test_a_duplicated_event_arrives_as_often_as_asked(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """The same id each time."""
    listen(client, receiver)
    controls.post("/faults", fault="duplicate", copies=3, event="customer.*")
    client.v1.customers.create({"name": "Ada"})
    controls.settle()

    event = client.v1.events.list().data[0]

    assert [received.event["id"] for received in receiver.received] == [event.id] * 3
    assert event.pending_webhooks == 0


def test_a_delayed_event_arrives_when_its_time_has_come(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Pushing the clock ends the wait."""
    listen(client, receiver)
    controls.post("/faults", fault="delay", seconds=HOUR)
    client.v1.customers.create({"name": "late"})
    client.v1.customers.create({"name": "in time"})
    controls.push(HOUR - 60)
    before = arrived(receiver)

    controls.push(60)

    assert (before, arrived(receiver)) == (["in time"], ["in time", "late"])


def test_a_reordered_event_is_overtaken_by_the_next(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """It is sent when the later one was answered, without any waiting."""
    listen(client, receiver)
    controls.post("/faults", fault="reorder")
    client.v1.customers.create({"name": "first"})
    controls.settle()
    before = arrived(receiver)

    client.v1.customers.create({"name": "second"})
    controls.settle()

    assert (before, arrived(receiver)) == ([], ["second", "first"])


def test_a_reordered_event_that_nothing_overtakes_arrives_late(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """Nothing is lost for want of a later event."""
    listen(client, receiver)
    controls.post("/faults", fault="reorder", seconds=60)
    client.v1.customers.create({"name": "alone"})

    controls.push(60)

    assert arrived(receiver) == ["alone"]


def test_faults_at_deliveries_add_up(client: stripe.StripeClient, receiver: Receiver, controls: Controls) -> None:
    """Twice, and both of them late."""
    listen(client, receiver)
    controls.post("/faults", fault="duplicate")
    controls.post("/faults", fault="delay", seconds=60)
    client.v1.customers.create({"name": "Ada"})
    controls.settle()
    before = arrived(receiver)

    controls.push(60)

    assert (before, arrived(receiver)) == ([], ["Ada", "Ada"])


# Standing faults: those a server is started with


@pytest.fixture(scope="module")
def bad_weather() -> Iterator[LocalStripe]:
    """A local Stripe as a person starts one to see what their app does about it."""
    server = LocalStripe("--memory", "--fault", "duplicate=1", "--fault", "error=1,status=429,path=/v1/refunds*")
    yield server
    server.stop()


def test_a_server_can_be_started_with_faults(bad_weather: LocalStripe, receiver: Receiver, key: str) -> None:
    """They are in every sandbox, before its first call, and have no end."""
    client, controls = bad_weather.client(key), Controls(bad_weather.url, key)
    listen(client, receiver)
    for name in ("Ada", "Grace"):
        client.v1.customers.create({"name": name})
    controls.settle()

    with pytest.raises(stripe.RateLimitError):
        client.v1.refunds.list()
    shown = controls.get("/faults")["faults"]
    controls.close()

    assert sorted(arrived(receiver)) == ["Ada", "Ada", "Grace", "Grace"]
    told = [(one["fault"], one["times"], one["struck"]) for one in shown]
    assert told == [("duplicate", None, 2), ("error", None, 1)]


def test_a_sandbox_can_be_spared_and_reset(bad_weather: LocalStripe, key: str) -> None:
    """Disarmed faults are gone from this sandbox; emptying it brings back what it began with."""
    client, controls = bad_weather.client(key), Controls(bad_weather.url, key)
    controls.delete("/faults")
    spared = client.v1.refunds.list().data

    controls.post("/reset")
    again = controls.get("/faults")["faults"]
    controls.close()

    assert spared == []
    assert [(one["fault"], one["struck"]) for one in again] == [("duplicate", 0), ("error", 0)]


def test_faults_with_one_seed_have_luck_of_their_own(
    client: stripe.StripeClient, receiver: Receiver, controls: Controls
) -> None:
    """A tenth duplicated and a tenth dropped are two tenths: what is lost was not sent twice in the first place."""
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    controls.post("/faults", fault="duplicate", rate=0.5)
    controls.post("/faults", fault="drop", rate=0.5)
    for number in range(12):
        client.v1.products.create({"name": str(number)})
    controls.settle()

    events = client.v1.events.list({"type": "product.created", "limit": 100}).data
    states = {tuple(each["state"] for each in controls.deliveries(event.id)) for event in events}

    assert states == {("delivered",), ("lost",), ("delivered", "delivered"), ("lost", "lost")}
