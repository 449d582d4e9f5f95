"""What discounts take off: every cent is explained by a line, and no line goes below nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.emulator.rules.discounts import Applied, Part, Share, Terms, ends, shares, spread, taken, taken_in_turn

AMOUNTS = st.integers(min_value=0, max_value=99_999_999)
PRODUCTS = st.sampled_from(["prod_a", "prod_b", "prod_c"])
PART = st.builds(Part, PRODUCTS, AMOUNTS)
PARTS = st.lists(PART, max_size=12)
ONLY = st.none() | st.lists(PRODUCTS, unique=True, max_size=2).map(tuple)
PERCENTS = st.decimals(min_value="0.01", max_value=100, places=2).map(str)
TERMS = st.builds(Terms, PERCENTS, st.none(), ONLY) | st.builds(Terms, st.none(), AMOUNTS, ONLY)


def book(amount: int) -> Part:
    """A line that sells a book."""
    return Part("prod_book", amount)


@pytest.mark.parametrize(
    ("discount", "amounts", "off"),
    [
        (Terms("25", None), (2000,), (500,)),
        (Terms("25.5", None), (1999,), (510,)),
        (Terms("50", None), (1,), (1,)),
        (Terms("50", None), (33, 33, 33), (17, 17, 16)),
        (Terms("100", None), (1999, 1), (1999, 1)),
        (Terms(None, 500), (2000, 500), (400, 100)),
        (Terms(None, 100), (100, 100, 100), (34, 33, 33)),
        (Terms(None, 500), (300,), (300,)),
        (Terms(None, 500), (300, -100), (200, 0)),
        (Terms("100", None), (300, -100), (300, 0)),
        (Terms("10", None, ("prod_pen",)), (1000,), (0,)),
    ],
)
def test_worked_examples(discount: Terms, amounts: tuple[int, ...], off: tuple[int, ...]) -> None:
    """Rounded once, half a cent up; spread in proportion; an amount is no more than there is, credits counted."""
    assert taken(discount, [book(amount) for amount in amounts]) == off


@pytest.mark.parametrize(
    ("discount", "amounts", "step", "off"),
    [
        (Terms("25", None), (19990,), 10, (5000,)),
        (Terms("25", None), (1900, 100), 100, (500, 0)),
        (Terms("100", None), (19990, 10), 10, (19990, 10)),
        (Terms("10", None), (19995,), 10, (2000,)),
        (Terms("25", None), (19995,), 10, (4999,)),
    ],
)
def test_currencies_counted_finer_than_they_are(
    discount: Terms, amounts: tuple[int, ...], step: int, off: tuple[int, ...]
) -> None:
    """A quarter of 19.990 dinars is 5.000: the last digit must stay 0, where it was."""
    assert taken(discount, [book(amount) for amount in amounts], step=step) == off


def test_a_percentage_is_of_what_is_left() -> None:
    """$5 off and then 10 %, or the other way round: not the same."""
    five, tenth = Terms(None, 500), Terms("10", None)

    assert taken_in_turn([five, tenth], [book(2000)]) == ((500,), (150,))
    assert taken_in_turn([tenth, five], [book(2000)]) == ((200,), (500,))


@given(st.lists(TERMS, max_size=4), PARTS, st.sampled_from([1, 10, 100]))
def test_no_line_goes_below_nothing(discounts: list[Terms], parts: list[Part], step: int) -> None:
    """Whatever discounts meet, a line can only become free, and only lines they are for become cheaper."""
    turns = taken_in_turn(discounts, parts, step=step)

    for index, part in enumerate(parts):
        assert 0 <= sum(turn[index] for turn in turns) <= part.amount
        assert all(
            turn[index] == 0 or terms.applies_to(part.product) for terms, turn in zip(discounts, turns, strict=True)
        )


@given(PERCENTS, ONLY, PARTS)
def test_a_percentage_is_exact_to_half_a_cent(percent: str, only: tuple[str, ...] | None, parts: list[Part]) -> None:
    """On the whole, and on each line to less than a cent."""
    discount = Terms(percent, None, only)
    eligible = [part.amount if discount.applies_to(part.product) else 0 for part in parts]

    off = taken(discount, parts)

    assert abs(sum(off) - sum(eligible) * Decimal(percent) / 100) <= Decimal("0.5")
    assert all(
        abs(one - amount * Decimal(percent) / 100) < Decimal("1.5") for one, amount in zip(off, eligible, strict=True)
    )


@given(AMOUNTS, ONLY, PARTS)
def test_an_amount_is_taken_off_to_the_cent(amount: int, only: tuple[str, ...] | None, parts: list[Part]) -> None:
    """All of it, or as much as there is."""
    discount = Terms(None, amount, only)
    eligible = sum(part.amount for part in parts if discount.applies_to(part.product))

    assert sum(taken(discount, parts)) == min(amount, eligible)


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1))
def test_shares_add_up_and_are_fair(amount: int, weights: list[int]) -> None:
    """No share is a whole cent away from its exact value."""
    shares = spread(amount, weights)

    whole = sum(weights)
    assert sum(shares) == (amount if whole else 0)
    if whole:
        assert all(abs(share * whole - amount * weight) < whole for share, weight in zip(shares, weights, strict=True))


def test_lines_own_discounts_come_first() -> None:
    """A book has 10 % off, then $5 go off the whole, in proportion to what is left of each line."""
    tenth, five = Applied("di_tenth", Terms("10", None)), Applied("di_five", Terms(None, 500))

    book_owes, pen_owes = shares([book(2000), Part("prod_pen", 700)], [[tenth], []], [five])

    assert book_owes == [Share("di_tenth", 200, is_own=True), Share("di_five", 360, is_own=False)]
    assert pen_owes == [Share("di_five", 140, is_own=False)]


def test_a_discount_is_named_only_where_it_is_for() -> None:
    """With 0 where it found nothing left; not at all on what is not discountable, or another product."""
    free, five = Applied("di_free", Terms("100", None)), Applied("di_five", Terms(None, 500, ("prod_book",)))
    proration = Part("prod_book", 900, is_discountable=False)

    owed = shares([book(2000), Part("prod_pen", 700), proration], [[free], [five], [free]], [five])

    assert [[(share.discount, share.amount) for share in line] for line in owed] == [
        [("di_free", 2000), ("di_five", 0)],
        [],
        [],
    ]


def test_lines_may_have_a_discount_together() -> None:
    """The tiers of one price are several lines, and have the item's discount once."""
    five, shared = Applied("di_five", Terms(None, 500)), Applied("di_half", Terms("50", None))
    tiers = [book(3000), book(1000), Part("prod_pen", 800), book(-9000)]

    owed = shares(tiers, [[five, shared], [five, shared], [], []], [])

    assert [[share.amount for share in line] for line in owed] == [[375, 1313], [125, 437], [], []]


def test_no_discount_is_taken_twice_off_a_line() -> None:
    """What a line has itself does not come again with the whole."""
    half = Applied("di_half", Terms("50", None))

    first, second = shares([book(1000), book(1000)], [[half], []], [half])

    assert [share.amount for share in first] == [500]
    assert [share.amount for share in second] == [500]


@given(st.lists(st.tuples(PART, TERMS), max_size=8), st.lists(TERMS, max_size=3))
def test_shares_leave_every_line_at_nothing_or_more(lines: list[tuple[Part, Terms]], whole: list[Terms]) -> None:
    """Own discounts and those of the whole together."""
    parts = [part for part, _ in lines]
    own = [[Applied(f"di_own_{index}", terms)] for index, (_, terms) in enumerate(lines)]

    owed = shares(parts, own, [Applied(f"di_{index}", terms) for index, terms in enumerate(whole)])

    for part, line in zip(parts, owed, strict=True):
        assert all(share.amount >= 0 for share in line)
        assert sum(share.amount for share in line) <= part.amount


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-15T10:30:05", 3, "2026-04-15T10:30:05"),
        ("2026-01-31T00:00:00", 1, "2026-02-28T00:00:00"),
        ("2027-11-30T00:00:00", 3, "2028-02-29T00:00:00"),
        ("2026-12-31T23:59:59", 12, "2027-12-31T23:59:59"),
    ],
)
def test_repeating_counts_months_of_the_calendar(start: str, months: int, end: str) -> None:
    """To the second, on the same day, or on the month's last."""
    began = int(datetime.fromisoformat(f"{start}+00:00").timestamp())

    assert ends("repeating", months, began) == int(datetime.fromisoformat(f"{end}+00:00").timestamp())
    assert ends("forever", None, began) is None
    assert ends("once", None, began) is None
