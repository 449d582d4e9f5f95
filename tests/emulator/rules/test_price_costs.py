"""What a price costs: every unit is charged once, in the band it falls into."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.rules.price_costs import Part, amount, parts, total

UNITS = st.integers(min_value=0, max_value=999_999_999_999)
CENTS = st.integers(min_value=0, max_value=99_999_999)
FRACTIONS = st.decimals(min_value=0, max_value=10_000, places=12).map(str)


def band(up_to: int | None, each: str | None, flat: str | None = None) -> dict[str, Any]:
    """One of a price's tiers, as it is kept."""
    return {"up_to": up_to, "unit_amount_decimal": each, "flat_amount_decimal": flat}


def price(each: str | None = None, *, tiers: Any = None, mode: str | None = None, **more: Any) -> Document:
    """A price in dollars."""
    public = {
        "id": "price_1",
        "billing_scheme": "per_unit" if tiers is None else "tiered",
        "currency": "usd",
        "custom_unit_amount": None,
        "tiers_mode": mode,
        "transform_quantity": None,
        "unit_amount_decimal": each,
    }
    options = more.pop("currency_options", {})
    return Document(public | more, {"tiers": tiers, "currency_options": options})


@st.composite
def bands(draw: st.DrawFn, amounts: st.SearchStrategy[str]) -> list[dict[str, Any]]:
    """The tiers of a price, some of them with a flat fee."""
    ends = draw(st.lists(st.integers(min_value=1, max_value=1_000_000), unique=True, max_size=5).map(sorted))
    flat = st.none() | amounts
    return [band(end, draw(st.none() | amounts), draw(flat)) for end in [*ends, None]]


WHOLE = bands(CENTS.map(str))
FONTS = [band(5, "700"), band(10, "650"), band(None, "600")]
FEE = [band(None, None, "500")]
FEES = [band(10, "0", "9900"), band(None, "995", "0")]


@pytest.mark.parametrize(
    ("mode", "quantity", "cost"),
    [
        ("volume", 1, 700),
        ("volume", 5, 3500),
        ("volume", 6, 3900),
        ("volume", 20, 12000),
        ("volume", 25, 15000),
        ("graduated", 1, 700),
        ("graduated", 5, 3500),
        ("graduated", 6, 4150),
        ("graduated", 20, 12750),
        ("graduated", 25, 15750),
    ],
)
def test_stripes_worked_example(mode: str, quantity: int, cost: int) -> None:
    """The web fonts of Stripe's page on tiers: 7 dollars up to 5, 6.50 up to 10, then 6."""
    assert total(price(tiers=FONTS, mode=mode), "usd", quantity) == cost


@pytest.mark.parametrize(
    ("priced", "quantity", "expected"),
    [
        (price("1900"), 3, [Part(5700, 3, "1900")]),
        (price("0.5"), 3, [Part(2, 3, "0.5")]),
        (price("0.333333333333"), 0, [Part(0, 0, "0.333333333333")]),
        (price("1000", transform_quantity={"divide_by": 5, "round": "up"}), 11, [Part(3000, 11, "1000")]),
        (price("1000", transform_quantity={"divide_by": 5, "round": "down"}), 11, [Part(2000, 11, "1000")]),
        (
            price(tiers=FEES, mode="graduated"),
            12,
            [
                Part(0, 10, "0", 1),
                Part(9900, 0, "9900", 1, is_flat=True),
                Part(1990, 2, "995", 2),
                Part(0, 0, "0", 2, is_flat=True),
            ],
        ),
        (price(tiers=FEES, mode="graduated"), 10, [Part(0, 10, "0", 1), Part(9900, 0, "9900", 1, is_flat=True)]),
        (price(tiers=FEES, mode="graduated"), 0, [Part(0, 0, "0", 1), Part(9900, 0, "9900", 1, is_flat=True)]),
        (price(tiers=FEES, mode="volume"), 10, [Part(0, 10, "0"), Part(9900, 0, "9900", is_flat=True)]),
        (price(tiers=FEES, mode="volume"), 11, [Part(10945, 11, "995"), Part(0, 0, "0", is_flat=True)]),
        (price(tiers=FEE, mode="volume"), 7, [Part(0, 7, "0"), Part(500, 0, "500", is_flat=True)]),
    ],
)
def test_a_cost_comes_in_parts(priced: Document, quantity: int, expected: list[Part]) -> None:
    """A part for each band that is reached, and one for each flat fee; half a cent is rounded up in each."""
    assert list(parts(priced, "usd", quantity)) == expected


def test_a_price_costs_what_it_says_in_each_of_its_currencies() -> None:
    """Its own amount, or its own tiers, in every one of them."""
    euro = {"custom_unit_amount": None}
    plain = price("1900", currency_options={"eur": {**euro, "unit_amount_decimal": "1800"}})
    tiered = price(tiers=FONTS, mode="graduated", currency_options={"eur": {**euro, "tiers": [band(None, "500")]}})

    assert (total(plain, "usd", 2), total(plain, "eur", 2)) == (3800, 3600)
    assert (total(tiered, "usd", 6), total(tiered, "eur", 6)) == (4150, 3000)


@pytest.mark.parametrize(
    ("priced", "currency", "sentence"),
    [
        (price("1900"), "eur", "only supports `usd`. This doesn't match the expected currency: `eur`."),
        (price(custom_unit_amount={"maximum": None, "minimum": 1, "preset": None}), "usd", "`custom_unit_amount`"),
    ],
)
def test_a_price_without_a_cost_is_refused(priced: Document, currency: str, sentence: str) -> None:
    """It is not sold in this currency, or nobody knows yet what the customer will choose to pay."""
    with pytest.raises(StripeError) as refused:
        parts(priced, currency, 1, param="items[0][price]")

    assert sentence in refused.value.message
    assert (refused.value.status, refused.value.param) == (400, "items[0][price]")


@given(bands(FRACTIONS), UNITS, st.sampled_from(["graduated", "volume"]))
def test_the_parts_are_the_total(tiers: Any, quantity: int, mode: str) -> None:
    """Their amounts sum to what is charged, and their quantities to what was bought: no unit twice, none for free."""
    priced = price(tiers=tiers, mode=mode)

    found = parts(priced, "usd", quantity)

    assert sum(part.amount for part in found) == total(priced, "usd", quantity)
    assert sum(part.quantity for part in found) == quantity
    assert all(part.quantity == 0 for part in found if part.is_flat)
    assert all(part.amount == amount(part.unit_amount_decimal, part.quantity) for part in found if not part.is_flat)


@given(WHOLE, st.integers(min_value=0, max_value=1_100_000))
def test_one_more_unit_costs_what_its_band_says(tiers: Any, quantity: int) -> None:
    """Graduated prices make no jumps but for the flat fee of a band that is entered."""
    priced = price(tiers=tiers, mode="graduated")
    entered = next(tier for tier in tiers if tier["up_to"] is None or quantity + 1 <= tier["up_to"])
    is_new = quantity > 0 and any(tier["up_to"] == quantity for tier in tiers)
    fee = int(entered["flat_amount_decimal"] or 0) if is_new else 0

    more = total(priced, "usd", quantity + 1) - total(priced, "usd", quantity)

    assert more == int(entered["unit_amount_decimal"] or 0) + fee


@given(WHOLE, st.integers(min_value=0, max_value=1_100_000))
def test_volume_prices_all_units_alike(tiers: Any, quantity: int) -> None:
    """Every unit costs what the band of the whole quantity says, and the fee of that band alone is due."""
    below = [None, *(tier["up_to"] for tier in tiers[:-1])]
    (held,) = (
        tier
        for least, tier in zip(below, tiers, strict=True)
        if (least is None or quantity > least) and (tier["up_to"] is None or quantity <= tier["up_to"])
    )

    units, *fees = parts(price(tiers=tiers, mode="volume"), "usd", quantity)

    assert (units.quantity, units.unit_amount_decimal) == (quantity, held["unit_amount_decimal"] or "0")
    assert [fee.unit_amount_decimal for fee in fees] == [
        fee for fee in [held["flat_amount_decimal"]] if fee is not None
    ]


@given(FRACTIONS, st.integers(min_value=0, max_value=1_000_000))
def test_a_price_of_one_band_is_a_price_per_unit(each: str, quantity: int) -> None:
    """Graduated, by volume or without tiers: one unit amount is one cost, and more units never cost less."""
    one = [band(None, each)]
    costs = [
        [total(priced, "usd", many) for many in (quantity, quantity + 1)]
        for priced in (price(each), price(tiers=one, mode="graduated"), price(tiers=one, mode="volume"))
    ]

    assert all(left == right for left, right in pairwise(costs))
    assert costs[0][0] <= costs[0][1]
