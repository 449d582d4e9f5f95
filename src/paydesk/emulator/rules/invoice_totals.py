"""What an invoice comes to: the sums of its lines, and what of them is due after the customer's balance.

All amounts are whole numbers of the currency's smallest unit. A balance below zero is the customer's credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from paydesk.emulator.rules import taxes
from paydesk.emulator.rules.money import minimum


@dataclass(frozen=True)
class Settlement:
    """What is due of an invoice, and what its finalisation does to the customer's balance.

    `applied` is how much the balance moves because the invoice uses it, or leaves a credit; `carried` is what is too
    little to be charged and stays owed. `ending` is the balance after both.
    """

    due: int
    applied: int
    carried: int
    ending: int


def settle(total: int, balance: int, currency: str) -> Settlement:
    """Use up the customer's credit, or collect what they owe, with an invoice of this total."""
    due = total + balance
    if due <= 0:
        return Settlement(due=0, applied=total, carried=0, ending=due)
    if due < minimum(currency):
        return Settlement(due=0, applied=-balance, carried=due, ending=due)
    return Settlement(due=due, applied=-balance, carried=0, ending=0)


def totals(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums an invoice shows of its lines, each as the API shows it."""
    kept = tuple(lines)
    subtotal = sum(line["subtotal"] for line in kept)
    taxed = taxes.summed(kept)
    net = subtotal - taxes.total(taxed, "inclusive")
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": net,
        "total": subtotal + taxes.total(taxed, "exclusive"),
        "total_discount_amounts": [],
        "total_excluding_tax": net,
        "total_pretax_credit_amounts": [],
        "total_taxes": taxed,
    }
