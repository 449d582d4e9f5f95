"""Trials: how long one lasts, what can happen in it, and what its end brings."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.clocks import START, advance, clock_at
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import (
    DAY,
    HOUR,
    half_way,
    invoices,
    item,
    latest,
    lines,
    period,
    price,
    subscribed,
    waiting,
)


def on_clock(client: stripe.StripeClient, *prices: stripe.Price, card: str | None = "pm_card_visa", **more: Any) -> Any:
    """A subscription that begins on 31 January 2030, at noon."""
    clock = clock_at(client)
    return subscribed(client, customer(client, card, test_clock=clock.id), *prices, **more), clock


def changed(client: stripe.StripeClient, made: stripe.Subscription, **given: Any) -> stripe.Subscription:
    """The subscription after an update."""
    told: Any = given
    return client.v1.subscriptions.update(made.id, told)


def test_whatever_is_sold_in_a_trial_costs_nothing_until_its_end(client: stripe.StripeClient) -> None:
    """Items that join, and items in another rhythm, wait for the trial's end, however short their own periods are."""
    made, clock = on_clock(client, price(client, 1000), trial_period_days=60)
    advance(client, clock, START + 10 * DAY)

    changed(client, made, items=[{"id": item(made).id, "price": price(client, 700, "week").id}])
    now = changed(client, made, items=[{"price": price(client, 100, "day", recurring={"interval_count": 7}).id}])
    advance(client, clock, START + 24 * DAY)
    advance(client, clock, START + 38 * DAY)

    then = client.v1.subscriptions.retrieve(made.id)
    assert (period(now), period(now, 1)[1]) == ((START, made.trial_end), made.trial_end)
    assert (then.status, invoices(client, made), waiting(client)) == ("trialing", invoices(client, made)[:1], [])
    advance(client, clock, START + 50 * DAY)
    advance(client, clock, START + 60 * DAY)
    assert latest(client, made).total == 800


def test_a_longer_trial_goes_on(client: stripe.StripeClient, controls: Controls) -> None:
    """It began when it did; its end is announced anew, and what follows hangs on it."""
    made = subscribed(client, trial_period_days=14)
    controls.push(12 * DAY)
    end = made.created + 30 * DAY

    longer = changed(client, made, trial_end=end)

    assert (longer.status, longer.trial_start, longer.trial_end) == ("trialing", made.trial_start, end)
    assert (period(longer), longer.billing_cycle_anchor) == ((made.created, end), end)
    controls.push(18 * DAY + HOUR + 1)
    assert events(client).count("customer.subscription.trial_will_end") == 2
    assert invoices(client, made)[1:] == [("subscription_cycle", "paid", 2500)]


@pytest.mark.parametrize("mode", ["flexible", "classic"])
def test_a_second_trial_tells_when_it_began(client: stripe.StripeClient, controls: Controls, mode: str) -> None:
    """Flexible billing tells of the latest trial's beginning, classic billing of the first one's."""
    made = subscribed(client, trial_period_days=1, billing_mode={"type": mode})
    controls.push(10 * DAY)

    again = changed(client, made, trial_end=made.created + 20 * DAY)

    later = controls.get("/clock")["now"]
    assert again.trial_start == (later if mode == "flexible" else made.trial_start)
    assert period(again) == (later, made.created + 20 * DAY)


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
@pytest.mark.parametrize("ends", [{"trial_end": "now"}, {"billing_cycle_anchor": {"type": "now"}}])
def test_a_trial_that_is_ended_without_a_card(
    client: stripe.StripeClient, behavior: str, status: str, ends: dict[str, Any]
) -> None:
    """Ends or rests as it would have by itself, and bills nothing."""
    made = subscribed(
        client,
        customer(client, None),
        trial_period_days=14,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )

    ended = changed(client, made, **ends)

    assert (ended.status, ended.trial_end) == (status, period(ended)[1])
    assert invoices(client, made) == [("subscription_create", "paid", 0)]
    assert events(client)[-1] == f"customer.subscription.{'deleted' if behavior == 'cancel' else 'paused'}"


def test_a_trial_that_is_to_be_billed_needs_a_card(client: stripe.StripeClient) -> None:
    """Nothing changes without one."""
    made = subscribed(client, customer(client, None), trial_period_days=14)

    with refused("This customer has no attached payment source or default payment method.") as refusal:
        changed(client, made, trial_end="now")

    assert refusal.value.code == "resource_missing"
    assert client.v1.subscriptions.retrieve(made.id).status == "trialing"


@pytest.mark.parametrize(("behavior", "stub"), [("create_prorations", 2500 * 10 // 31), ("none", 0)])
def test_a_trial_can_lead_to_an_anchor(client: stripe.StripeClient, behavior: str, stub: int) -> None:
    """What lies between its end and the anchor is billed for its share, or is free."""
    anchor = START + 28 * DAY  # 28 February
    made, clock = on_clock(client, trial_end=START + 18 * DAY, billing_cycle_anchor=anchor, proration_behavior=behavior)
    advance(client, clock, START + 19 * DAY)
    part = client.v1.subscriptions.retrieve(made.id)
    advance(client, clock, START + 29 * DAY)

    assert period(part) == (START + 18 * DAY, anchor)
    assert [total for _, _, total in invoices(client, made)] == [0, stub, 2500]


def test_a_named_day_is_given_up_for_a_trials_end(client: stripe.StripeClient) -> None:
    """Whoever was billed on the 15th, and is given a trial, is billed on the day it ends."""
    made, clock = on_clock(client, billing_cycle_anchor_config={"day_of_month": 15})
    end = START + 20 * DAY  # 20 February

    changed(client, made, trial_end=end)
    advance(client, clock, end + 2 * HOUR)

    now = client.v1.subscriptions.retrieve(made.id)
    assert (now.billing_cycle_anchor, now.billing_cycle_anchor_config) == (end, None)
    assert period(now) == (end, end + 28 * DAY)
    assert lines(latest(client, made))[-1] == ("1 × Pro (at $25.00 / month)", 2500)


def test_a_trial_needs_to_be_asked_for(client: stripe.StripeClient) -> None:
    """A price may offer one, and does not start it."""
    pro = price(client, recurring={"trial_period_days": 7})
    plain = subscribed(client, None, pro)

    trial = subscribed(client, None, pro, trial_from_plan=True)
    later = changed(client, plain, trial_from_plan=True)

    assert (plain.status, trial.status, later.status) == ("active", "trialing", "trialing")
    assert trial.trial_end == trial.created + 7 * DAY


def test_what_is_sold_once_beside_a_trial_is_billed_as_agreed(client: stripe.StripeClient) -> None:
    """At once, or in a draft that is to be sent."""
    setup = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Set-up"}})
    extra: Any = {"add_invoice_items": [{"price": setup.id}], "trial_period_days": 14}

    charged = subscribed(client, None, **extra)
    sent = subscribed(client, customer(client, None), collection_method="send_invoice", days_until_due=5, **extra)

    assert (charged.status, latest(client, charged).status) == ("trialing", "paid")
    assert (sent.status, latest(client, sent).status, latest(client, sent).total) == ("trialing", "draft", 900)


@pytest.mark.parametrize("end", [1_000_000_000, 6_000_000_000])
def test_a_trial_ends_within_two_years(client: stripe.StripeClient, end: int) -> None:
    """Neither in the past nor for good: for a new subscription, and for one that is there."""
    made = subscribed(client)

    with refused("timestamp"):
        subscribed(client, trial_end=end)
    with refused("timestamp"):
        changed(client, made, trial_end=end)


def test_a_trial_given_later_bills_nothing_twice(client: stripe.StripeClient, controls: Controls) -> None:
    """What is left of the period comes back once, whatever follows in the trial."""
    made = half_way(client, controls, price(client, 1000))

    changed(client, made, trial_end=period(made)[1] + 10 * DAY)
    changed(client, made, items=[{"id": item(made).id, "price": price(client, 5000).id}])
    client.v1.subscriptions.cancel(made.id, {"prorate": True})

    assert waiting(client) == [("Unused time on Pro", -500)]


def test_a_trial_is_called_by_its_mode(client: stripe.StripeClient) -> None:
    """What its line says."""
    flexible = subscribed(client, trial_period_days=3)
    classic = subscribed(client, trial_period_days=3, billing_mode={"type": "classic"})

    assert lines(latest(client, flexible)) == [("Free trial for 1 × Pro", 0)]
    assert lines(latest(client, classic)) == [("Trial period for Pro", 0)]


def test_what_was_given_up_for_a_trial_does_not_come_back(client: stripe.StripeClient, controls: Controls) -> None:
    """Who is given a trial without proration has given up what was paid for, also when it ends early."""
    made = half_way(client, controls, price(client, 1000))
    changed(client, made, trial_end=period(made)[1] + 10 * DAY, proration_behavior="none")

    client.v1.subscriptions.cancel(made.id, {"prorate": True})

    assert waiting(client) == []


def test_a_trial_that_is_paid_by_invoice_needs_no_card(client: stripe.StripeClient) -> None:
    """Whatever is to be done about a missing one."""
    settings: Any = {"end_behavior": {"missing_payment_method": "cancel"}}
    how: Any = {"collection_method": "send_invoice", "days_until_due": 5, "trial_settings": settings}
    made = subscribed(client, customer(client, None), trial_period_days=7, **how)

    ended = changed(client, made, trial_end="now")

    assert (ended.status, latest(client, made).status, latest(client, made).total) == ("active", "draft", 2500)
