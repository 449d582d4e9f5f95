"""Meter events: what customers used."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import refused
from tests.emulator.test_meter import meter

DAY = 86400


def use(client: stripe.StripeClient, customer: str, value: int, **more: Any) -> stripe.billing.MeterEvent:
    """A customer uses something."""
    payload = {"stripe_customer_id": customer, "value": str(value)}
    given: Any = {"event_name": "tokens", "payload": payload, **more}
    return client.v1.billing.meter_events.create(given)


def used(client: stripe.StripeClient, made: stripe.billing.Meter, customer: str, start: int, end: int) -> float:
    """What a customer's use comes to."""
    (summary,) = client.v1.billing.meters.event_summaries.list(
        made.id, {"customer": customer, "start_time": start, "end_time": end}
    ).data
    return summary.aggregated_value


def now(client: stripe.StripeClient) -> int:
    """What time it is in the sandbox."""
    return client.v1.products.create({"name": "Clock"}).created


def hour_of(time: int) -> int:
    """The hour a time falls into."""
    return time - time % 3600


def test_an_event_says_who_used_how_much(client: stripe.StripeClient) -> None:
    """Now, unless it says when; under an identifier of its own, unless it brings one."""
    meter(client)
    ada = client.v1.customers.create({}).id

    event = use(client, ada, 25).to_dict()
    earlier = use(client, ada, 1, identifier="call-1", timestamp=event["created"] - 60)

    assert set(event) == {"object", "created", "event_name", "identifier", "livemode", "payload", "timestamp"}
    assert event["payload"] == {"stripe_customer_id": ada, "value": "25"}
    assert event["timestamp"] == event["created"]
    assert event["identifier"]
    assert (earlier.identifier, earlier.timestamp) == ("call-1", event["created"] - 60)


@pytest.mark.parametrize(
    ("formula", "window", "comes_to"),
    [("sum", None, 40), ("count", None, 4), ("last", None, 7), ("sum", "hour", 15), ("count", "day", 2)],
)
def test_a_meter_adds_up_by_its_formula(
    client: stripe.StripeClient, formula: str, window: str | None, comes_to: int
) -> None:
    """Sum, count or the last by time; where the caller adds up by the hour or day, its latest word on each counts."""
    more: Any = {} if window is None else {"event_time_window": window}
    made = meter(client, default_aggregation={"formula": formula}, **more)
    ada, bob = client.v1.customers.create({}).id, client.v1.customers.create({}).id
    today = now(client) // DAY * DAY
    start = today - 3 * DAY

    use(client, ada, 20, timestamp=start + 100)
    use(client, ada, 5, timestamp=start + 50)
    use(client, ada, 7, timestamp=today - DAY)
    use(client, ada, 8, timestamp=start + 60)
    use(client, bob, 1000, timestamp=start + 100)
    use(client, ada, 1000, timestamp=start - 1)

    assert used(client, made, ada, start, today) == comes_to


def test_usage_is_shown_by_the_hour_and_by_the_day(client: stripe.StripeClient) -> None:
    """The windows of a range, newest first, a page at a time."""
    made = meter(client)
    ada = client.v1.customers.create({}).id
    midnight = now(client) // DAY * DAY - DAY
    for hour in (0, 1, 1, 23):
        use(client, ada, 10, timestamp=midnight + hour * 3600)
    asked: Any = {"customer": ada, "start_time": midnight, "end_time": midnight + DAY}

    days = client.v1.billing.meters.event_summaries.list(made.id, asked | {"value_grouping_window": "day"})
    hours = client.v1.billing.meters.event_summaries.list(
        made.id, asked | {"value_grouping_window": "hour", "limit": 10}
    )

    assert [(day.start_time, day.end_time, day.aggregated_value) for day in days] == [(midnight, midnight + DAY, 40)]
    found = list(hours.auto_paging_iter())
    assert (len(hours.data), hours.has_more, len(found)) == (10, True, 24)
    assert {(hour.start_time - midnight) // 3600: hour.aggregated_value for hour in found if hour.aggregated_value} == {
        23: 10,
        1: 20,
        0: 10,
    }


def test_an_event_sent_twice_is_counted_once(client: stripe.StripeClient, controls: Controls) -> None:
    """Its identifier is remembered for a day."""
    made = meter(client)
    ada = client.v1.customers.create({}).id
    first = use(client, ada, 10, identifier="call-1")

    with refused("An event already exists with identifier call-1."):
        use(client, ada, 10, identifier="call-1")
    controls.push(DAY)
    use(client, ada, 5, identifier="call-1")

    start = hour_of(first.timestamp)
    assert used(client, made, ada, start, start + 2 * DAY) == 15


def test_an_event_sent_by_mistake_is_taken_back(client: stripe.StripeClient, controls: Controls) -> None:
    """Within a day of its arrival; its identifier stays taken."""
    made = meter(client)
    ada = client.v1.customers.create({}).id
    old = use(client, ada, 1, identifier="old")
    controls.push(DAY)
    use(client, ada, 10, identifier="wrong")
    use(client, ada, 100, identifier="right")

    def cancel(identifier: str, event_name: str = "tokens") -> stripe.billing.MeterEventAdjustment:
        given: Any = {"event_name": event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        return client.v1.billing.meter_event_adjustments.create(given)

    taken_back = cancel("wrong")

    assert taken_back.cancel is not None
    assert (taken_back.type, taken_back.event_name, taken_back.cancel.identifier) == ("cancel", "tokens", "wrong")
    for identifier, event_name in (("old", "tokens"), ("nothing", "tokens"), ("right", "calls")):
        with refused("No meter event"):
            cancel(identifier, event_name)
    with refused("already exists"):
        use(client, ada, 10, identifier="wrong")
    start = hour_of(old.timestamp)
    assert used(client, made, ada, start, start + 2 * DAY) == 101


@pytest.mark.parametrize(
    ("ahead", "is_counted"), [(-35 * DAY + 60, True), (-35 * DAY - 60, False), (240, True), (360, False)]
)
def test_usage_is_told_of_in_time(client: stripe.StripeClient, ahead: int, is_counted: bool) -> None:
    """Of the last 35 days, and up to 5 minutes ahead, for clocks that are fast."""
    meter(client)
    ada = client.v1.customers.create({}).id
    time = now(client) + ahead

    if is_counted:
        assert use(client, ada, 1, timestamp=time).timestamp == time
    else:
        with pytest.raises(stripe.InvalidRequestError) as late:
            use(client, ada, 1, timestamp=time)
        assert (late.value.http_status, late.value.param) == (400, "timestamp")


@pytest.mark.parametrize(
    ("payload", "param"),
    [
        ({"value": "1"}, "payload[stripe_customer_id]"),
        ({"stripe_customer_id": "cus_nobody", "value": "1"}, "payload[stripe_customer_id]"),
        ({"stripe_customer_id": "ADA"}, "payload[value]"),
        ({"stripe_customer_id": "ADA", "value": "many"}, "payload[value]"),
        ({"stripe_customer_id": "ADA", "value": "1.5"}, "payload[value]"),
    ],
)
def test_what_cannot_be_counted_is_refused_at_once(
    client: stripe.StripeClient, payload: dict[str, str], param: str
) -> None:
    """Nobody's use, and no number: Stripe would tell of it later, in an event this server does not have."""
    meter(client)
    ada = client.v1.customers.create({}).id
    sent = {key: value.replace("ADA", ada) for key, value in payload.items()}

    with pytest.raises(stripe.InvalidRequestError) as nothing:
        client.v1.billing.meter_events.create({"event_name": "tokens", "payload": sent})

    assert (nothing.value.http_status, nothing.value.param) == (400, param)


def test_usage_can_be_corrected_downwards(client: stripe.StripeClient) -> None:
    """Negative values count."""
    made = meter(client)
    ada = client.v1.customers.create({}).id
    first = use(client, ada, 10)

    use(client, ada, -25)

    start = hour_of(first.timestamp)
    assert used(client, made, ada, start, start + DAY) == -15


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"start_time": 61, "end_time": 120}, "start_time"),
        ({"start_time": 60, "end_time": 121}, "end_time"),
        ({"start_time": 60, "end_time": 120, "value_grouping_window": "hour"}, "start_time"),
        ({"start_time": 0, "end_time": 3600, "value_grouping_window": "day"}, "end_time"),
        ({"start_time": 120, "end_time": 60}, "end_time"),
        ({"start_time": 0, "end_time": 60, "customer": "cus_nobody"}, "customer"),
    ],
)
def test_summaries_begin_and_end_with_their_windows(client: stripe.StripeClient, asked: Any, param: str) -> None:
    """Minutes, hours or days of UTC."""
    made = meter(client)
    ada = client.v1.customers.create({}).id

    with pytest.raises(stripe.InvalidRequestError) as wrong:
        client.v1.billing.meters.event_summaries.list(made.id, {"customer": ada} | asked)

    assert (wrong.value.http_status, wrong.value.param) == (400, param)
