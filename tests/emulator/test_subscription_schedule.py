"""Subscription schedules: what a subscription will be, phase by phase, decided in advance."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, invoices, item, lines, period, price, subscribed


def planned(
    client: stripe.StripeClient, *phases: dict[str, Any], start: int | str = "now", **more: Any
) -> stripe.SubscriptionSchedule:
    """A schedule of these phases, by a customer whose card works."""
    given: Any = {"customer": customer(client).id, "start_date": start, "phases": list(phases), **more}
    return client.v1.subscription_schedules.create(given)


def phase(sold: stripe.Price, months: int = 1, **more: Any) -> dict[str, Any]:
    """So many months at a price."""
    return {"items": [{"price": sold.id}], "duration": {"interval": "month", "interval_count": months}, **more}


def led(client: stripe.StripeClient, schedule: stripe.SubscriptionSchedule) -> stripe.Subscription:
    """The subscription a schedule leads, or let go."""
    now = client.v1.subscription_schedules.retrieve(schedule.id)
    return client.v1.subscriptions.retrieve(str(now.subscription or now.released_subscription))


def test_a_schedule_that_starts_now_has_a_subscription_at_once(client: stripe.StripeClient) -> None:
    """In its first phase, and billed for it."""
    pro = price(client, 1000)

    made = planned(client, phase(pro, 3, metadata={"deal": "intro"}))

    one = led(client, made)
    first: Any = made.phases[0]
    assert (made.status, made.end_behavior, one.schedule) == ("active", "release", made.id)
    assert made.current_phase is not None
    assert made.current_phase.start_date == first.start_date == one.start_date
    assert (one.status, one.metadata["deal"], item(one).price.id) == ("active", "intro", pro.id)
    assert invoices(client, one) == [("subscription_create", "paid", 1000)]
    assert events(client)[-1] == "subscription_schedule.created"


def test_a_schedule_can_wait_for_its_start(client: stripe.StripeClient, controls: Controls) -> None:
    """Until then there is no subscription, and nothing is billed."""
    start = customer(client).created + 10 * DAY

    made = planned(client, phase(price(client, 1000)), start=start)

    assert (made.status, made.subscription, made.current_phase) == ("not_started", None, None)
    controls.push(10 * DAY)
    begun = client.v1.subscription_schedules.retrieve(made.id)
    assert (begun.status, led(client, made).start_date) == ("active", start)
    assert client.v1.subscription_schedules.list({"scheduled": True}).data == []


def test_a_start_that_nobody_can_be_charged_for_waits_for_its_payment(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """Nobody is there to be told: the subscription is incomplete, and its invoice can be paid."""
    ada = customer(client, None)
    given: Any = {"customer": ada.id, "start_date": ada.created + DAY, "phases": [phase(price(client, 1000))]}
    made = client.v1.subscription_schedules.create(given)

    controls.push(DAY)

    one = led(client, made)
    assert one.status == "incomplete"
    client.v1.invoices.pay(str(one.latest_invoice), {"paid_out_of_band": True})
    assert led(client, made).status == "active"


def test_phases_follow_each_other(client: stripe.StripeClient, controls: Controls) -> None:
    """Each renewal bills what its phase sells, from its first second; the item stays the same one."""
    cheap, dear = price(client, 1000), price(client, 3000)
    made = planned(client, phase(cheap), phase(dear, 2, metadata={"deal": "full"}))
    one = led(client, made)

    controls.push(93 * DAY)

    now = led(client, made)
    assert invoices(client, one) == [
        ("subscription_create", "paid", 1000),
        ("subscription_cycle", "paid", 3000),
        ("subscription_cycle", "paid", 3000),
        ("subscription_cycle", "paid", 3000),
    ]
    assert (item(now).id, item(now).price.id, now.metadata["deal"]) == (item(one).id, dear.id, "full")
    assert client.v1.invoice_items.list({"pending": True}).data == []


def test_after_the_last_phase_the_subscription_is_free(client: stripe.StripeClient, controls: Controls) -> None:
    """Or over, if that was decided."""
    pro = price(client, 1000)
    freed, ended = planned(client, phase(pro)), planned(client, phase(pro), end_behavior="cancel")

    controls.push(32 * DAY)

    assert (led(client, freed).status, led(client, freed).schedule) == ("active", None)
    assert led(client, ended).status == "canceled"
    assert client.v1.subscription_schedules.retrieve(ended.id).status == "completed"
    assert "subscription_schedule.completed" in events(client)


def test_a_subscription_can_be_led_from_now_on(client: stripe.StripeClient, controls: Controls) -> None:
    """Its present period becomes the first phase; what follows is added to it."""
    one = subscribed(client, customer(client), price(client, 9000))
    cheap = price(client, 1000)
    made = client.v1.subscription_schedules.create({"from_subscription": one.id})
    first: Any = made.phases[0]
    assert (first.start_date, first.end_date) == period(one)
    assert client.v1.subscriptions.retrieve(one.id).schedule == made.id
    given: Any = {
        "phases": [
            {
                "items": [{"price": item(one).price.id, "quantity": 1}],
                "start_date": first.start_date,
                "end_date": first.end_date,
            },
            phase(cheap),
        ]
    }

    client.v1.subscription_schedules.update(made.id, given)

    assert item(client.v1.subscriptions.retrieve(one.id)).price.unit_amount == 9000
    assert client.v1.invoice_items.list({"pending": True}).data == []
    controls.push(31 * DAY + HOUR + 1)
    now = client.v1.subscriptions.retrieve(one.id)
    assert (item(now).price.unit_amount, item(now).id) == (1000, item(one).id)
    assert invoices(client, one) == [("subscription_create", "paid", 9000), ("subscription_cycle", "paid", 1000)]


def test_a_month_can_become_a_year(client: stripe.StripeClient, controls: Controls) -> None:
    """The year counts from the phase's beginning, and is billed whole."""
    monthly, yearly = price(client, 1000), price(client, 10_000, "year")
    made = planned(client, phase(monthly), {"items": [{"price": yearly.id}]})
    one = led(client, made)
    end = period(one)[1]

    controls.push(32 * DAY)

    now = led(client, made)
    assert period(now)[0] == end
    assert 365 <= (period(now)[1] - end) // DAY <= 366
    assert invoices(client, one)[1:] == [("subscription_cycle", "paid", 10_000)]


def test_the_current_phase_can_be_changed(client: stripe.StripeClient, controls: Controls) -> None:
    """At once, prorated as the update says."""
    made = planned(client, phase(price(client, 1000)))
    first: Any = made.phases[0]
    controls.push(15 * DAY)
    given: Any = {
        "phases": [
            {
                "items": [{"price": price(client, 5000).id}],
                "start_date": first.start_date,
                "end_date": first.end_date,
            }
        ],
        "proration_behavior": "always_invoice",
    }

    client.v1.subscription_schedules.update(made.id, given)

    one = led(client, made)
    assert item(one).price.unit_amount == 5000
    assert invoices(client, one)[1][:2] == ("subscription_update", "paid")


def test_a_phase_can_be_a_trial(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing is charged until the next one."""
    pro = price(client, 1000)
    made = planned(client, phase(pro, trial=True), phase(pro))
    one = led(client, made)
    assert one.status == "trialing"

    controls.push(32 * DAY)

    assert led(client, made).status == "active"
    assert invoices(client, one) == [("subscription_create", "paid", 0), ("subscription_cycle", "paid", 1000)]


def test_a_phase_can_cost_something_once(client: stripe.StripeClient) -> None:
    """With the invoice that begins it."""
    fee = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Set-up"}})

    made = planned(client, phase(price(client, 1000), add_invoice_items=[{"price": fee.id}]))

    bill = client.v1.invoices.retrieve(str(led(client, made).latest_invoice))
    assert lines(bill) == [("Set-up", 900), ("1 × Pro (at $10.00 / month)", 1000)]


def test_a_schedule_can_let_go(client: stripe.StripeClient) -> None:
    """The subscription goes on as it is."""
    made = planned(client, phase(price(client, 1000), 6))

    released = client.v1.subscription_schedules.release(made.id)

    assert (released.status, released.subscription) == ("released", None)
    assert released.released_subscription is not None
    assert led(client, made).schedule is None
    assert events(client)[-1] == "subscription_schedule.released"
    with refused("You cannot release a subscription schedule"):
        client.v1.subscription_schedules.release(made.id)


def test_a_schedule_can_be_canceled(client: stripe.StripeClient) -> None:
    """And its subscription with it; the other way round too."""
    pro = price(client, 1000)
    one, other = planned(client, phase(pro)), planned(client, phase(pro))

    client.v1.subscription_schedules.cancel(one.id)
    client.v1.subscriptions.cancel(str(other.subscription))

    assert led(client, one).status == "canceled"
    for schedule in (one, other):
        assert client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


def test_the_end_of_what_is_led_is_the_schedules_business(client: stripe.StripeClient) -> None:
    """A direct update would contradict it."""
    made = planned(client, phase(price(client, 1000)))

    with refused("managed by the subscription schedule"):
        client.v1.subscriptions.update(str(made.subscription), {"cancel_at_period_end": True})


def test_the_end_is_announced(client: stripe.StripeClient, controls: Controls) -> None:
    """Seven days before."""
    planned(client, phase(price(client, 1000), 2))

    controls.push(56 * DAY)

    assert "subscription_schedule.expiring" in events(client)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"phases": []}, "A subscription schedule must have at least one phase."),
        ({"phases": [{"items": [{"price": "price_x"}]}]}, "No such price: 'price_x'"),
        ({"start_date": None}, "Missing required param: start_date."),
        ({"customer": None}, "Missing required param: customer."),
        ({"from_subscription": "sub_x", "phases": [{}]}, "from_subscription"),
        ({"phases": [{"end_date": 1_000_000_000}]}, "A phase must end after it begins."),
    ],
)
def test_what_cannot_be_is_refused(client: stripe.StripeClient, given: dict[str, Any], message: str) -> None:
    """With a sentence, and nothing is written."""
    pro = price(client)
    told: Any = {"customer": customer(client).id, "start_date": "now", "phases": [phase(pro)]}
    for name, value in given.items():
        if value is None:
            del told[name]
        elif name == "phases" and value and "items" not in value[0]:
            told[name] = [{"items": [{"price": pro.id}], **value[0]}]
        else:
            told[name] = value

    with refused(message):
        client.v1.subscription_schedules.create(told)

    assert client.v1.subscription_schedules.list({}).data == []
