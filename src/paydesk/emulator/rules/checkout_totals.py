"""What a checkout costs: what its lines come to.

All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Totals:
    """A session's sums, in the smallest unit of its currency."""

    subtotal: int
    discount: int
    tax: int
    total: int

    def details(self) -> dict[str, int]:
        """The session's `total_details`."""
        return {"amount_discount": self.discount, "amount_shipping": 0, "amount_tax": self.tax}


def totals(lines: Iterable[Mapping[str, Any]]) -> Totals:
    """The sums of line items, each as the API shows it."""
    kept = tuple(lines)
    return Totals(
        subtotal=sum(line["amount_subtotal"] for line in kept),
        discount=sum(line["amount_discount"] for line in kept),
        tax=sum(line["amount_tax"] for line in kept),
        # Not the other sums' sum: a tax may be in the price.
        total=sum(line["amount_total"] for line in kept),
    )
