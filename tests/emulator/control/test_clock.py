"""The clock: time in a sandbox moves when it is told to."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, opened
from tests.emulator.receiver import Answer, Receiver
from tests.emulator.subscribing import price, subscribed

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
    now = controls.get("/clock")["now"]
    for name, value in (
        *(("seconds", seconds) for seconds in (-1, "soon", 1.5, 10**12)),
        ("by", "soon"),
        ("by", "11 years"),
        ("by", "99999999 years"),
        ("months", -1),
        ("to", now - DAY),
    ):
        refused = controls.ask("POST", "/clock/advance", {name: value})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, name)

    assert controls.ask("POST", "/clock/advance", {}).json()["error"]["code"] == "parameter_missing"
    assert controls.ask("POST", "/clock/advance", {"by": "1d", "days": 1}).status_code == 400
    assert controls.get("/clock")["ahead"] == 0


@pytest.mark.parametrize("fields", [{"by": "1 month"}, {"by": "P1M"}, {"months": 1}])
def test_a_clock_is_pushed_by_months_of_the_calendar(controls: Controls, fields: dict[str, Any]) -> None:
    """From the last of January to the last of February."""
    last_of_january = datetime(datetime.now(UTC).year + 1, 1, 31, 12, tzinfo=UTC)
    controls.post("/clock/advance", to=int(last_of_january.timestamp()))

    pushed = controls.post("/clock/advance", **fields)

    shown = datetime.fromtimestamp(pushed["now"], UTC)
    end_of_february = datetime(shown.year, 3, 1, tzinfo=UTC) - timedelta(days=1)
    assert (shown.month, shown.day) == (2, end_of_february.day)
    assert 0 <= (shown - last_of_january.replace(month=2, day=shown.day)).total_seconds() < 60


def test_a_pushed_clock_goes_the_same_way_each_time() -> None:
    """The same seed and the same calls: months of retries and due dates in the same order, to the last id."""
    runs = []
    for _ in range(2):
        server = LocalStripe("--memory", "--seed", "again")
        client = server.client("sk_test_again")
        subscribed(client, customer(client))
        subscribed(client, customer(client), price(client, 700, every="week"))
        # By their ids: what happened on the day on which two lists meet is in both.
        history: dict[str, tuple[str, str]] = {}
        with contextlib.closing(Controls(server.url, "sk_test_again")) as controls:
            for days, card in (
                (1, "pm_card_visa"),
                (40, "pm_card_chargeCustomerFail"),
                (2, "pm_card_chargeCustomerFail"),
            ):
                ada = customer(client, card)
                drafted(client, ada, 1500, auto_advance=True)
                opened(client, ada, 700, collection_method="send_invoice", days_until_due=days)
                # What is made in one second or the next is due in one or the next: not so what is minutes apart.
                controls.push(600)
            # Events are shown for thirty days.
            for _ in range(3):
                controls.post("/clock/advance", by="29 days")
                told = client.v1.events.list({"limit": 100, "type": "invoice.*"}).auto_paging_iter()
                history |= {event.id: (event.type, event.data.object["id"]) for event in reversed([*told])}
        runs.append([*history.items()])
        server.stop()

    assert runs[0] == runs[1]
    types = [kind for _, (kind, _) in runs[0]]
    # A bill, two first invoices, two months and twelve weeks that were renewed.
    assert (types.count("invoice.paid"), types.count("invoice.overdue")) == (1 + 2 + 2 + 12, 3)
    assert types.count("invoice.payment_failed") > 10


def test_others_are_answered_while_a_clock_is_pushed(
    local_stripe: LocalStripe, client: stripe.StripeClient, controls: Controls, receiver: Receiver
) -> None:
    """A long push is seen on its way; whoever lives in another sandbox notices nothing of it."""
    is_over = threading.Event()
    receiver.answer = lambda _: Answer(when=is_over)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.finalized"]})
    drafted(client, customer(client), 1500, auto_advance=True)

    pushing = threading.Thread(target=controls.push, args=[DAY])
    pushing.start()
    receiver.wait_for(1)
    with contextlib.closing(Controls(local_stripe.url, "sk_test_beside_a_push")) as others:
        others.push(DAY)
    seen = client.v1.customers.list()
    is_over.set()
    pushing.join()

    assert len(seen.data) == 1
    assert controls.get("/clock")["target"] is None
