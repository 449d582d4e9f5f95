"""Proration: Stripe's worked examples, and what holds for every change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.emulator.rules.proration import Period, credit, debit, share

AMOUNTS = st.integers(0, 10_000_000)
PERIODS = st.builds(lambda start, length: Period(start, start + length), st.integers(0, 10**9), st.integers(1, 10**8))


@pytest.mark.parametrize(
    ("old", "new", "length", "moment", "given_back", "costs"),
    [
        # $10 to $20, just half-way: 500 back, 1000 due.
        (1000, 2000, 2_592_000, 1_296_000, -500, 1000),
        # A half is rounded down, whichever way the money goes.
        (5, 9, 1000, 500, -3, 4),
        (1000, 500, 3000, 1000, -667, 333),
        (2500, 5000, 2_592_000, 0, -2500, 5000),
        (2500, 5000, 2_592_000, 2_592_000, 0, 0),
    ],
)
def test_stripes_examples(old: int, new: int, length: int, moment: int, given_back: int, costs: int) -> None:
    """By the second, each line rounded towards minus infinity."""
    period = Period(0, length)

    assert (credit(old, period, moment), debit(new, period, moment)) == (given_back, costs)


@given(AMOUNTS, PERIODS, st.integers(0, 10**8))
def test_what_is_given_back_and_what_was_used_make_the_whole(amount: int, period: Period, after: int) -> None:
    """Nobody pays twice for a second, and the rounding is the customer's: at most one unit a line."""
    moment = min(period.start + after, period.end)

    used = share(amount, period, Period(period.start, moment))

    assert used - credit(amount, period, moment) - amount in (0, 1)
    assert -amount <= credit(amount, period, moment) <= 0 <= debit(amount, period, moment) <= amount


@given(AMOUNTS, PERIODS, st.integers(0, 10**8))
def test_a_change_to_the_same_costs_at_most_a_unit(amount: int, period: Period, after: int) -> None:
    """In the customer's favour."""
    moment = min(period.start + after, period.end)

    assert credit(amount, period, moment) + debit(amount, period, moment) in (-1, 0)
