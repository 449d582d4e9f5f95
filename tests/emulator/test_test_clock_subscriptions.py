"""Subscriptions on a test clock: months and years of them, in seconds, in order, and the same way each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.clocks import DAY, HOUR, START, advance, clock_at
from tests.emulator.invoicing import customer, refused
from tests.emulator.subscribing import invoices, latest, period, price, subscribed

YEAR = 365 * DAY


def at(day: str) -> int:
    """Noon on a day, when the tests' clock was set."""
    return int(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp())


def test_a_renewal_comes_when_its_clock_says_so(client: stripe.StripeClient) -> None:
    """A draft at the end of the period, on the last of February; paid an hour later, in the clock's time."""
    clock = clock_at(client)
    made = subscribed(client, customer(client, test_clock=clock.id))
    assert (made.test_clock, made.created, period(made)) == (clock.id, START, (START, at("2030-02-28")))

    advance(client, clock, at("2030-02-28"))
    draft = latest(client, made)
    advance(client, clock, at("2030-02-28") + 2 * HOUR)
    paid = latest(client, made)

    assert (draft.id, draft.status, draft.created) == (paid.id, "draft", at("2030-02-28"))
    assert (paid.status, paid.test_clock) == ("paid", clock.id)
    assert paid.status_transitions.paid_at == at("2030-02-28") + HOUR + 1
    assert period(client.v1.subscriptions.retrieve(made.id)) == (at("2030-02-28"), at("2030-03-31"))


@pytest.mark.parametrize(
    ("intervals", "farthest"),
    [
        ([("month", 1)], at("2030-03-31")),
        ([("year", 1)], at("2032-01-31")),
        ([("month", 1), ("week", 2)], START + 28 * DAY),
        ([("day", 3), ("year", 1)], START + 6 * DAY),
    ],
)
def test_a_clock_goes_two_intervals_at_once(
    client: stripe.StripeClient, intervals: list[tuple[str, int]], farthest: int
) -> None:
    """Of the shortest subscription that lives on it; one that has ended does not count."""
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)
    for every, count in intervals:
        subscribed(client, ada, price(client, every=every, recurring={"interval_count": count}))
    over = subscribed(client, ada, price(client, every="day"))
    client.v1.subscriptions.cancel(over.id)

    with refused() as refusal:
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": farthest + 1})

    assert refusal.value.param == "frozen_time"
    assert advance(client, clock, farthest).frozen_time == farthest


def test_a_customer_on_a_clock_has_three_subscriptions_at_most(client: stripe.StripeClient) -> None:
    """Elsewhere nobody counts so soon."""
    clock = clock_at(client)
    ada, eve = customer(client, test_clock=clock.id), customer(client)
    monthly = price(client)
    first, *_ = [subscribed(client, ada, monthly) for _ in range(3)]

    with refused():
        subscribed(client, ada, monthly)
    client.v1.subscriptions.cancel(first.id)

    assert subscribed(client, ada, monthly).status == "active"
    assert [subscribed(client, eve, monthly).status for _ in range(4)] == ["active"] * 4


def test_a_year_on_a_clock_goes_through_in_order() -> None:
    """Three customers, by the month, by the week and on trial, with cards that fail and bills that are overdue: what
    happens is sorted by its time, nothing is left out, and another time it is the same to the last id.
    """
    first, again = (_year(LocalStripe("--memory", "--seed", "year")) for _ in range(2))

    moments = [moment for _, _, moment in first["drafted"]]
    assert moments == sorted(moments)
    assert first["monthly"] == [("subscription_create", "paid", 2500)] + [("subscription_cycle", "paid", 2500)] * 12
    assert len(first["weekly"]) == 1 + 52
    assert {status for _, status, _ in first["weekly"]} == {"paid"}
    assert [status for _, status, _ in first["trial"]] == ["paid", "open"]
    assert first["ended"] == "canceled"
    assert first == again


def test_a_deleted_clock_ends_its_subscriptions(client: stripe.StripeClient) -> None:
    """And its schedules, without a word."""
    clock = clock_at(client)
    made = subscribed(client, customer(client, test_clock=clock.id))
    schedule = client.v1.subscription_schedules.create({"from_subscription": made.id})
    before = len(client.v1.events.list({"limit": 100}).data)

    client.v1.test_helpers.test_clocks.delete(clock.id)

    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"
    assert len(client.v1.events.list({"limit": 100}).data) == before + 1


def test_subscriptions_on_clocks_are_listed_for_those_who_ask(client: stripe.StripeClient) -> None:
    """By their clock or their customer."""
    clock = clock_at(client)
    ada, eve = customer(client, test_clock=clock.id), customer(client)
    of_ada, of_eve = (subscribed(client, owner).id for owner in (ada, eve))

    def listed(**filters: Any) -> list[str]:
        return [found.id for found in client.v1.subscriptions.list(filters).data]  # type: ignore[arg-type]

    assert listed() == listed(status="all") == listed(customer=eve.id) == [of_eve]
    assert listed(test_clock=clock.id) == listed(customer=ada.id) == [of_ada]


def _year(server: LocalStripe) -> dict[str, Any]:
    """A year on a clock, month by month, and what there is to see at the end of it."""
    client = server.client("sk_test_a_year")
    clock = clock_at(client)
    ada, bob, eve = (
        customer(client, card, test_clock=clock.id)
        for card in ("pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail")
    )
    monthly = subscribed(client, ada)
    weekly = subscribed(client, bob, price(client, 700, every="week"))
    trial = subscribed(client, eve, trial_period_days=14)
    events: list[stripe.Event] = []
    now = START
    while now < START + YEAR + HOUR + DAY:
        now += 14 * DAY
        newest = client.v1.events.list({"limit": 1}).data[0].id
        advance(client, clock, now)
        events += client.v1.events.list({"limit": 100, "ending_before": newest}).data[::-1]
    seen = {
        "history": [(event.type, event.id, event.data.object["id"]) for event in events],
        "drafted": [
            (event.type, event.data.object["id"], event.data.object["created"])
            for event in events
            if event.type == "invoice.created"
        ],
        "monthly": invoices(client, monthly)[:13],
        "weekly": invoices(client, weekly)[:53],
        "trial": invoices(client, trial),
        "ended": client.v1.subscriptions.retrieve(trial.id).status,
    }
    server.stop()
    return seen
