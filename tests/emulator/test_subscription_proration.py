"""Prorations to the cent: whatever happens in a period, a second of it costs what a second of it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.emulator.clocks import advance, clock_at
from tests.emulator.invoicing import customer, refused
from tests.emulator.months import APRIL, FEBRUARY, Month, coupon
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed


def test_another_price_sells_one_unless_told_otherwise(client: stripe.StripeClient) -> None:
    """The quantity falls back to 1 with the price; whoever names the same price again, or none, keeps theirs."""
    april = Month(client)
    april.sells(quantity=3, proration_behavior="none")

    kept = april.sells(price=item(april.made).price.id, proration_behavior="none")
    fallen = april.sells(price=price(client, 1000).id, proration_behavior="none")
    told = april.sells(price=price(client, 2000).id, quantity=5, proration_behavior="none")

    assert [one["items"].data[0].quantity for one in (kept, fallen, told)] == [3, 1, 5]


@pytest.mark.parametrize(
    ("mode", "back"),
    [("flexible", -1000), ("classic", -2000)],
)
def test_what_was_never_billed_is_not_given_back(client: stripe.StripeClient, mode: str, back: int) -> None:
    """$30 to $60 for nothing, ten days later back to $30: flexible billing gives back what was paid, and no more."""
    april = Month(client, billing_mode={"type": mode})
    april.goes(10)
    april.sells(price=price(client, 6000).id, proration_behavior="none")
    april.goes(20)

    april.sells(price=price(client, 3000).id, proration_behavior="always_invoice")

    assert [amount for _, amount in lines(latest(client, april.made))] == [back, 1000]


@pytest.mark.parametrize(("mode", "back"), [("flexible", -417), ("classic", -250)])
def test_an_amount_off_is_given_back_in_its_share(client: stripe.StripeClient, mode: str, back: int) -> None:
    """$5 off $10 and $20: the cheaper one, left half-way, had a third of it; in classic billing, all of it."""
    small, large = price(client, 1000), price(client, 2000)
    april = Month(client, small, large, discounts=coupon(client, amount_off=500), billing_mode={"type": mode})
    april.goes(15)

    client.v1.subscription_items.delete(item(april.made).id)

    assert april.waits() == [("Unused time on Pro", back)]


def test_discounts_are_in_what_a_change_gives_back_and_costs(client: stripe.StripeClient) -> None:
    """20 % off all, and 50 % off the item before that: on both lines; with the discounts as the change leaves them."""
    april = Month(client, discounts=coupon(client, percent_off=20))
    april.goes(15)
    april.sells(discounts=coupon(client, percent_off=50))
    april.waits()

    april.sells(price=price(client, 6000).id)
    both = april.waits()
    april.sells(price=price(client, 9000).id, discounts="")

    assert both == [("Unused time on Pro", -1200), ("Remaining time on Pro", 1500)]
    assert april.waits()[2:] == [("Unused time on Pro", -1500), ("Remaining time on Pro", 4500)]


def test_a_discount_that_was_used_up_is_in_what_is_given_back_only(client: stripe.StripeClient) -> None:
    """$10 off, once: half of $20.00 comes back, and half of the new price is due in full."""
    april = Month(client, discounts=coupon(client, amount_off=1000, duration="once"))
    april.goes(15)

    april.sells(price=price(client, 6000).id)

    assert april.waits() == [("Unused time on Pro", -1000), ("Remaining time on Pro", 3000)]


def test_a_part_of_a_period_costs_what_that_part_of_the_whole_does(client: stripe.StripeClient) -> None:
    """Ten days until the anchor: five of them at $1.00 come back, five at $2.00 are due."""
    april = Month(client, billing_cycle_anchor=APRIL + 10 * DAY)
    (_, first), start = lines(latest(client, april.made))[0], APRIL + 10 * DAY - 31 * DAY
    assert first == 3000 * 10 // 31
    assert period(april.made) == (APRIL, APRIL + 10 * DAY)
    april.goes(5)

    april.sells(price=price(client, 6000).id)

    assert start < APRIL
    assert april.waits() == [("Unused time on Pro", -484), ("Remaining time on Pro", 6000 * 5 // 31)]
    april.goes(11)
    assert lines(latest(client, april.made))[-1][1] == 6000


def test_each_debit_is_given_back_for_itself(client: stripe.StripeClient) -> None:
    """A change that counts from before the last one gives back what was billed before and since."""
    april = Month(client)
    april.goes(20)
    april.sells(price=price(client, 6000).id)

    april.sells(price=price(client, 9000).id, proration_date=APRIL + 10 * DAY)

    assert april.waits()[2:] == [
        ("Unused time on Pro", -1000),
        ("Unused time on Pro", -2000),
        ("Remaining time on Pro", 6000),
    ]


def test_nothing_is_given_back_twice(client: stripe.StripeClient) -> None:
    """Nor what somebody else pays for: change for change, second for second."""
    april = Month(client)
    amounts = [6000, 1500, 0, 9000, 3000]
    for place, amount in enumerate(amounts):
        april.goes(5 * (place + 1))
        april.sells(price=price(client, amount).id)

    billed = sum(total for _, _, total in invoices(client, april.made))
    assert billed + sum(amount for _, amount in april.waits()) == sum(amount * 5 // 30 for amount in [3000, *amounts])


def test_a_day_of_the_month_outlives_another_rhythm(client: stripe.StripeClient) -> None:
    """Hung on the 31st, two months from the last of February end on the last of April, and then of June."""
    clock = clock_at(client)  # 31 January 2030, noon
    made = subscribed(client, customer(client, test_clock=clock.id), price(client, 1000))
    advance(client, clock, clock.frozen_time + 30 * DAY)
    two: Any = {"items": [{"id": item(made).id, "price": price(client, 2000, recurring={"interval_count": 2}).id}]}

    now = client.v1.subscriptions.update(made.id, two)
    advance(client, clock, clock.frozen_time + 100 * DAY)

    days = [f"{datetime.fromtimestamp(moment, UTC):%d %b}" for moment in period(now)]
    then = client.v1.subscriptions.retrieve(made.id)
    assert days == ["28 Feb", "30 Apr"]
    assert f"{datetime.fromtimestamp(period(then)[1], UTC):%d %b}" == "30 Jun"


def test_rhythms_must_fit_into_each_other(client: stripe.StripeClient) -> None:
    """Every one is a multiple of the shortest; in classic billing there is only one."""
    cases: list[tuple[tuple[tuple[str, int], ...], bool]] = [
        ((("month", 1), ("month", 3)), True),
        ((("month", 1), ("year", 1)), True),
        ((("day", 1), ("week", 1), ("month", 3)), True),
        ((("week", 2), ("week", 4)), True),
        ((("month", 2), ("month", 3)), False),
        ((("week", 1), ("month", 1)), False),
        ((("day", 2), ("week", 1)), False),
        ((("month", 5), ("year", 1)), False),
    ]
    ada = customer(client)

    for rhythms, fits in cases:
        sold = [price(client, 500, every, recurring={"interval_count": count}) for every, count in rhythms]
        if fits:
            assert len(subscribed(client, ada, *sold)["items"].data) == len(sold)
            with refused("billing interval"):
                subscribed(client, ada, *sold, billing_mode={"type": "classic"})
        else:
            with refused("interval"):
                subscribed(client, ada, *sold)


def test_what_is_added_for_once_waits_in_flexible_billing(client: stripe.StripeClient) -> None:
    """And is billed at once in classic billing, where prorations are."""
    extra = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Set-up"}})
    found = {}
    for mode in ("flexible", "classic"):
        april = Month(client, billing_mode={"type": mode})
        april.updates(add_invoice_items=[{"price": extra.id}], proration_behavior="always_invoice")
        found[mode] = invoices(client, april.made)[1:]

    assert found == {"flexible": [], "classic": [("subscription_update", "paid", 900)]}


def test_an_hour_is_enough(client: stripe.StripeClient) -> None:
    """Days and hours alike: the period's seconds are counted."""
    april = Month(client, price(client, 720_00))
    advance(client, april.clock, APRIL + HOUR)

    client.v1.subscriptions.cancel(april.made.id, {"invoice_now": True, "prorate": True})

    assert april.balance() == -719_00


@pytest.mark.parametrize(("mode", "starts", "billed"), [("flexible", APRIL, 3000), ("classic", APRIL + 10 * DAY, 3000)])
def test_whoever_paid_nothing_so_far_pays_at_once(
    client: stripe.StripeClient, mode: str, starts: int, billed: int
) -> None:
    """For the rest of the period in flexible billing; classic billing begins one, on an anchor of its own."""
    april = Month(client, price(client, 0), billing_mode={"type": mode})
    april.goes(10)

    now = april.sells(price=price(client, 3000 if mode == "classic" else 4500).id)

    assert (now.billing_cycle_anchor, period(now)[0]) == (starts, starts)
    assert invoices(client, april.made)[1:] == [("subscription_update", "paid", billed)]


def test_a_first_part_of_a_period_keeps_its_end_in_another_rhythm(client: stripe.StripeClient) -> None:
    """Ten days until the anchor, by the month or by the quarter: each of them at its rate."""
    april = Month(client, billing_cycle_anchor=APRIL + 10 * DAY)
    april.goes(5)

    now = april.sells(price=price(client, 9000, recurring={"interval_count": 3}).id)

    assert (period(now), now.billing_cycle_anchor) == ((APRIL, APRIL + 10 * DAY), APRIL + 10 * DAY)
    assert [amount for _, amount in lines(latest(client, april.made))] == [-484, 500]
    april.goes(11)
    assert period(april.now()) == (APRIL + 10 * DAY, APRIL + 101 * DAY)


@pytest.mark.parametrize(
    ("mode", "more", "billed", "starts", "anchor"),
    [
        ("flexible", {}, [3000, 3000], APRIL - 18 * DAY, FEBRUARY),
        ("flexible", {"proration_behavior": "none"}, [0], APRIL, FEBRUARY),
        ("flexible", {"billing_cycle_anchor": APRIL + 10 * DAY}, [2678, 3000], APRIL - 21 * DAY, APRIL + 10 * DAY),
        ("classic", {}, [3000 * 46 // 28, 3000], APRIL, APRIL),
        ("classic", {"proration_behavior": "none"}, [3000], APRIL, APRIL),
    ],
)
def test_a_subscription_can_be_dated_back(
    client: stripe.StripeClient, mode: str, more: dict[str, Any], billed: list[int], starts: int, anchor: int
) -> None:
    """To 14 February. Flexible billing hangs on that day and bills period by period; classic billing bills what has
    gone by at one go, by the month that began then, and begins a period now. Or nobody is charged for it."""
    april = Month(client, backdate_start_date=FEBRUARY, billing_mode={"type": mode}, **more)

    bill = latest(client, april.made)
    assert [amount for _, amount in lines(bill)] == billed
    assert (april.made.start_date, april.made.billing_cycle_anchor) == (FEBRUARY, anchor)
    assert (period(april.made)[0], april.made.status, bill.status) == (starts, "active", "paid")
    april.goes(period(april.made)[1] / DAY - APRIL / DAY + 0.1)
    assert [amount for _, amount in lines(latest(client, april.made))] == [3000]


def test_nothing_begins_in_the_past_that_is_ahead(client: stripe.StripeClient) -> None:
    """Whether it would be billed or not."""
    ada = customer(client)

    for behavior in ("create_prorations", "none"):
        with refused("backdate_start_date"):
            subscribed(client, ada, backdate_start_date=ada.created + DAY, proration_behavior=behavior)


def test_classic_billing_can_be_left_for_good(client: stripe.StripeClient) -> None:
    """From then on what was billed is given back, and not what it costs now."""
    april = Month(client, billing_mode={"type": "classic"})
    april.goes(10)
    april.sells(price=price(client, 6000).id, proration_behavior="none")
    april.goes(20)

    moved = client.v1.subscriptions.migrate(april.made.id, {"billing_mode": {"type": "flexible"}})
    april.sells(price=price(client, 3000).id)

    assert (april.made.billing_mode.type, moved.billing_mode.type) == ("classic", "flexible")
    assert moved.billing_mode.updated_at == APRIL + 20 * DAY
    assert [amount for _, amount in april.waits()] == [-1000, 1000]
    with refused("billing_mode"):
        back: Any = {"billing_mode": {"type": "classic"}}
        client.v1.subscriptions.migrate(april.made.id, back)
