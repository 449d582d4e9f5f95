"""What a checkout costs: the amount of each line, and what they come to.

All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True)
class Totals:
    """A session's sums, in the smallest unit of its currency."""

    subtotal: int
    discount: int
    tax: int

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.tax

    def details(self) -> dict[str, int]:
        """The session's `total_details`."""
        return {"amount_discount": self.discount, "amount_shipping": 0, "amount_tax": self.tax}


def line_amount(each: str, quantity: int, transform: Mapping[str, Any] | None) -> int:
    """What a quantity costs at `each` (decimal text: it may be a fraction), rounded once, at the end.

    `transform` is the price's `transform_quantity`.
    """
    exact = Decimal(each) * _packs(transform, quantity)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def totals(lines: Iterable[Mapping[str, Any]]) -> Totals:
    """The sums of line items, each as the API shows it."""
    kept = tuple(lines)
    return Totals(
        subtotal=sum(line["amount_subtotal"] for line in kept),
        discount=sum(line["amount_discount"] for line in kept),
        tax=sum(line["amount_tax"] for line in kept),
    )


def _packs(transform: Mapping[str, Any] | None, quantity: int) -> int:
    """How many times the price is charged: "3 for the price" divides the quantity first."""
    if transform is None:
        return quantity
    whole, rest = divmod(quantity, int(transform["divide_by"]))
    return whole + (1 if rest and transform["round"] == "up" else 0)
