"""Crediting: how much of a bill a credit note takes back, with its share of discounts and taxes.

A line credited in several parts gives back, in the end, exactly what it charged: each part is rounded so that the
parts so far add up. All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from paydesk.emulator.rules import taxes


@dataclass(frozen=True)
class Split:
    """What of a credit lowers what is still owed, and what is given back of what was paid."""

    before_payment: int
    after_payment: int

    @property
    def type(self) -> str:
        """Stripe's word for it."""
        if not self.after_payment:
            return "pre_payment"
        return "mixed" if self.before_payment else "post_payment"


def split(total: int, remaining: int) -> Split:
    """A credit note lowers what remains first, though not below nothing."""
    before = min(total, remaining)
    return Split(before, total - before)


@dataclass(frozen=True)
class Credited:
    """A line of a credit note; `own_discount` is the part of its discounts that was for this line alone, and
    `inside` what is taxed inside of the rest."""

    line: dict[str, Any]
    own_discount: int = 0
    inside: int = 0


def share(line: Mapping[str, Any], amount: int, before: int, *, inside: int) -> Credited:
    """What goes back with so much of an invoice's line, of which `before` was credited already: discounts and taxes.

    `inside` is what is taxed inside the whole line, its own discounts taken off.
    """

    def part(whole: int) -> int:
        return _part(whole, before + amount, line["amount"]) - _part(whole, before, line["amount"])

    discounts = [one | {"amount": part(one["amount"])} for one in line["discount_amounts"]]
    return Credited(
        {
            "amount": amount,
            "discount_amount": sum(one["amount"] for one in discounts),
            "discount_amounts": discounts,
            "pretax_credit_amounts": [one | {"amount": part(one["amount"])} for one in line["pretax_credit_amounts"]],
            "taxes": [
                one | {"amount": part(one["amount"]), "taxable_amount": part(one["taxable_amount"])}
                for one in line["taxes"]
            ],
        },
        own_discount=sum(one["amount"] for one in discounts if one["discount"] in line["discounts"]),
        inside=part(inside),
    )


def of_quantity(line: Mapping[str, Any], quantity: int) -> int:
    """What so many of the units of an invoice's line cost."""
    units = Fraction(line["quantity_decimal"])
    return _part(line["amount"], quantity * units.denominator, units.numerator)


def totals(parts: Iterable[Credited]) -> dict[str, Any]:
    """The sums a credit note shows of its lines, each as the API shows it.

    As on the invoice, a line's own discounts are in the subtotal already; those of the whole, and taxes on top, come
    after it.
    """
    kept = tuple(parts)
    lines = tuple(part.line for part in kept)
    amount = sum(line["amount"] for line in lines)
    discounts = _by("discount", (one for line in lines for one in line["discount_amounts"]))
    discount = sum(one["amount"] for one in discounts)
    taxed = taxes.summed(lines)
    subtotal = amount - sum(part.own_discount for part in kept)
    total = amount - discount + taxes.total(taxed, "exclusive")
    return {
        "amount": total,
        "discount_amount": discount,
        "discount_amounts": discounts,
        "pretax_credit_amounts": _by("discount", (one for line in lines for one in line["pretax_credit_amounts"])),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - sum(part.inside for part in kept),
        "total": total,
        "total_excluding_tax": amount - discount - taxes.total(taxed, "inclusive"),
        "total_taxes": taxed,
    }


def _by(name: str, amounts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Amounts added up for each value of a field."""
    sums: dict[Any, dict[str, Any]] = {}
    for one in amounts:
        known = sums.setdefault(one.get(name), {**one, "amount": 0})
        known["amount"] += one["amount"]
    return list(sums.values())


def _part(whole: int, numerator: int, denominator: int) -> int:
    """A share of an amount, halves rounded away from nothing."""
    exact = 2 * abs(whole) * numerator + denominator
    return (exact // (2 * denominator)) * (1 if whole >= 0 else -1)
