"""Income: what subscriptions bring in a month, to the smallest unit, and how many end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.operations.income import Income, monthly, months_until

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def subscribe(store: Store, *rows: dict[str, Any]) -> None:
    """Subscriptions over 29 dollars a month since September, but for what is said."""
    usual = {"user_id": "ada", "slot": "main", "status": "active", "seats": 1, "livemode": False}
    costs = {"amount_minor": 2900, "currency": "usd", "billed_every": "month", "created_at": day(9, 10)}
    with store.write() as connection:
        for number, row in enumerate(rows):
            connection.execute(
                store.tables.subscriptions.insert().values(**{**usual, **costs, "id": f"sub_{number}", **row})
            )


@pytest.mark.parametrize(
    ("amount", "every", "in_a_month"),
    [
        (2900, "month", Fraction(2900)),
        (29000, "year", Fraction(29000, 12)),
        (8700, "3 months", Fraction(2900)),
        (1000, "week", Fraction(13000, 3)),
        (1000, "2 weeks", Fraction(6500, 3)),
        (100, "day", Fraction(36500, 12)),
        (2**53 + 1, "2 years", Fraction(2**53 + 1, 24)),
        (None, "month", None),
        (2900, None, None),
        (2900, "fortnight", None),
    ],
)
def test_every_rhythm_is_brought_to_a_month(amount: int | None, every: str | None, in_a_month: Fraction | None) -> None:
    """Exactly: nothing is rounded before everything is added up."""
    assert monthly(amount, every) == in_a_month


def test_revenue_is_added_up_exactly_and_by_currency(store: Store, clock: Clock) -> None:
    """Three yearly plans of $290 are $72.50 a month, and not three times a rounded $24.17; yen are no dollars."""
    yearly = {"amount_minor": 29000, "billed_every": "year"}
    subscribe(store, yearly, yearly, yearly, {"amount_minor": 500, "currency": "jpy"}, {"amount_minor": None})

    latest = Income(store, livemode=False, now=clock).months()[-1]

    assert latest.revenue_minor == {"jpy": 500, "usd": 7250}
    assert (latest.live, latest.uncounted, latest.is_under_way) == (5, 1, True)


@pytest.mark.parametrize(
    ("row", "is_live"),
    [
        ({}, True),
        ({"status": "past_due"}, True),
        ({"status": "trialing", "trial_ends_at": day(12, 1)}, False),
        ({"status": "active", "trial_ends_at": day(11, 1)}, True),
        ({"status": "unpaid"}, False),
        ({"status": "paused"}, False),
        ({"status": "incomplete"}, False),
        ({"status": "incomplete_expired", "ended_at": day(9, 11)}, False),
        ({"status": "canceled", "ended_at": day(11, 1)}, False),
        ({"livemode": True}, False),
        ({"deleted_at": day(11, 1)}, False),
    ],
)
def test_what_is_live_is_what_the_page_says(store: Store, clock: Clock, row: dict[str, Any], is_live: bool) -> None:
    """A trial brings nothing yet, a missing payment still does, and the other mode is another world."""
    subscribe(store, row)

    latest = Income(store, livemode=False, now=clock).months()[-1]

    assert latest.revenue_minor == ({"usd": 2900} if is_live else {})


def test_months_tell_who_came_and_who_left(store: Store, clock: Clock) -> None:
    """Churn is of those who were there when the month began: who came and left within it is no part of it."""
    subscribe(
        store,
        {},
        {"status": "canceled", "ended_at": day(10, 5)},
        {"status": "canceled", "created_at": day(10, 2), "ended_at": day(10, 20)},
        {"created_at": day(10, 12)},
        {"status": "canceled", "created_at": day(9, 30), "ended_at": day(11, 20)},
    )

    august, september, october, november = Income(store, livemode=False, now=clock).months(4)

    assert (august.live, august.begun, august.ended, august.churn) == (0, 0, 0, None)
    assert (september.live, september.begun, september.ended, september.churn) == (3, 3, 0, None)
    assert (october.live, october.begun, october.ended, october.churn) == (3, 2, 2, Fraction(1, 3))
    assert (november.live, november.begun, november.ended, november.churn) == (2, 0, 1, Fraction(1, 3))
    assert [month.revenue_minor.get("usd", 0) for month in (august, september, october, november)] == [
        0,
        8700,
        8700,
        5800,
    ]


def test_whoever_left_before_the_trial_was_over_was_never_there(store: Store, clock: Clock) -> None:
    """Nothing was ever paid: neither a beginning nor an end."""
    subscribe(store, {"status": "canceled", "trial_ends_at": day(10, 10), "ended_at": day(10, 9)})

    months = Income(store, livemode=False, now=clock).months(3)

    assert {(month.live, month.begun, month.ended) for month in months} == {(0, 0, 0)}


def test_months_are_the_calendar_s() -> None:
    """Over the turn of a year, from the first moment of one to the first of the next, without a gap."""
    months = months_until(datetime(2026, 2, 28, 23, 59, tzinfo=UTC), 3)

    assert [(begins.strftime("%Y-%m-%d"), ends.strftime("%Y-%m-%d")) for begins, ends in months] == [
        ("2025-12-01", "2026-01-01"),
        ("2026-01-01", "2026-02-01"),
        ("2026-02-01", "2026-03-01"),
    ]
    assert months[0][1] - months[0][0] == timedelta(days=31)
