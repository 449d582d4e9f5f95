"""Crediting: what goes back with a part of a line."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from paydesk.emulator.rules.crediting import share, split


def line(amount: int, discount: int, tax: int) -> dict[str, Any]:
    """A line of an invoice."""
    return {
        "amount": amount,
        "discounts": [],
        "discount_amounts": [{"amount": discount, "discount": "di_1"}],
        "pretax_credit_amounts": [{"amount": discount, "discount": "di_1", "type": "discount"}],
        "taxes": [{"amount": tax, "taxable_amount": amount - discount, "tax_behavior": "exclusive"}],
    }


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8), st.integers(0, 99), st.integers(0, 30))
def test_the_parts_of_a_line_add_up_to_the_line(parts: list[int], discount_percent: int, tax_percent: int) -> None:
    """However it is cut up: nothing of its discounts and taxes is lost or given twice."""
    amount = sum(parts)
    discount = amount * discount_percent // 100
    charged = line(amount, discount, (amount - discount) * tax_percent // 100)

    before, shares = 0, []
    for part in parts:
        shares.append(share(charged, part, before, inside=0).line)
        before += part

    assert sum(one["discount_amount"] for one in shares) == discount
    assert sum(one["pretax_credit_amounts"][0]["amount"] for one in shares) == discount
    assert sum(one["taxes"][0]["amount"] for one in shares) == charged["taxes"][0]["amount"]
    assert sum(one["taxes"][0]["taxable_amount"] for one in shares) == amount - discount


def test_what_remains_is_lowered_first() -> None:
    """Only the rest is given back of what was paid."""
    named = [(split(total, remaining).type, split(total, remaining)) for total, remaining in ((5, 9), (9, 5), (5, 0))]

    assert [(name, one.before_payment, one.after_payment) for name, one in named] == [
        ("pre_payment", 5, 0),
        ("mixed", 5, 4),
        ("post_payment", 0, 5),
    ]
