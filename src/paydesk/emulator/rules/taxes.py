"""What tax rates add to an amount, or find in it.

Each rate's tax is rounded once per line. All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

# Why a customer who is exempt pays none.
_EXEMPT: Final = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


def on_line(amount: int, rates: Sequence[Mapping[str, Any]], tax_exempt: str | None) -> list[dict[str, Any]]:
    """`taxes` of an invoice line of this amount; `tax_exempt` is the customer's.

    Exclusive taxes come on top of the amount. Inclusive ones are in it, and all worked out from what is left
    of it without any of them.
    """
    if not rates:
        return []
    inside = sum((Decimal(str(rate["percentage"])) for rate in rates if rate["inclusive"]), Decimal(0))
    net = Decimal(amount) / (1 + inside / 100)
    reason = _EXEMPT.get(tax_exempt or "none")
    taxes = []
    for rate in rates:
        taxed = net if rate["inclusive"] else Decimal(amount)
        percentage = Decimal(0) if reason else Decimal(str(rate["percentage"]))
        taxes.append(
            {
                "amount": _rounded(taxed * percentage / 100),
                "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
                "tax_rate_details": {"tax_rate": rate["id"]},
                "taxability_reason": reason or "not_available",
                "taxable_amount": _rounded(taxed),
                "type": "tax_rate_details",
            }
        )
    return taxes


def summed(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`total_taxes`: the lines' taxes, added up for each rate."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        for tax in line["taxes"]:
            key = (tax["tax_rate_details"]["tax_rate"], tax["taxability_reason"])
            known = sums.get(key)
            if known is None:
                sums[key] = dict(tax)
            else:
                known["amount"] += tax["amount"]
                known["taxable_amount"] += tax["taxable_amount"]
    return list(sums.values())


def total(taxes: Iterable[Mapping[str, Any]], behavior: str) -> int:
    """What these taxes come to: those that are `inclusive`, or `exclusive`."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == behavior)


def _rounded(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
