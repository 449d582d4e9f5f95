"""What an invoice comes to: the sums of its lines, and what of them is due after the customer's balance.

All amounts are whole numbers of the currency's smallest unit. A balance below zero is the customer's credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.rules import taxes
from paydesk.emulator.rules.money import minimum

if TYPE_CHECKING:
    from paydesk.emulator.rules.discounts import Share


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


@dataclass(frozen=True)
class Weighed:
    """A line's worth: what it comes to before the whole's discounts, and what is taxed inside that.

    `line` is what the API shows of it: its share of each discount, and the taxes on what is left.
    """

    subtotal: int
    inside: int
    line: dict[str, Any]


def weighed(
    line: Mapping[str, Any], shares: Sequence[Share], rates: Sequence[Mapping[str, Any]], tax_exempt: str | None
) -> Weighed:
    """A line with what its discounts take off, and with the taxes on the rest."""
    subtotal = line["amount"] - sum(share.amount for share in shares if share.is_own)
    left = line["amount"] - sum(share.amount for share in shares)
    return Weighed(
        subtotal,
        taxes.total(taxes.on_line(subtotal, rates, tax_exempt), "inclusive"),
        {
            **line,
            "discount_amounts": [{"amount": share.amount, "discount": share.discount} for share in shares],
            "pretax_credit_amounts": [_credit(share.discount, share.amount) for share in shares],
            "taxes": taxes.on_line(left, rates, tax_exempt),
        },
    )


def totals(parts: Iterable[Weighed]) -> dict[str, Any]:
    """The sums an invoice shows of its lines, each as the API shows it.

    A line's own discounts are in the subtotal already; those of the whole, and taxes on top, come after it.
    """
    kept = tuple(parts)
    taxed = taxes.summed(part.line for part in kept)
    discounts: dict[str, int] = {}
    for part in kept:
        for share in part.line["discount_amounts"]:
            discounts[share["discount"]] = discounts.get(share["discount"], 0) + share["amount"]
    subtotal = sum(part.subtotal for part in kept)
    left = sum(part.line["amount"] for part in kept) - sum(discounts.values())
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - sum(part.inside for part in kept),
        "total": left + taxes.total(taxed, "exclusive"),
        "total_discount_amounts": [{"amount": amount, "discount": discount} for discount, amount in discounts.items()],
        "total_excluding_tax": left - taxes.total(taxed, "inclusive"),
        "total_pretax_credit_amounts": [_credit(discount, amount) for discount, amount in discounts.items()],
        "total_taxes": taxed,
    }


def _credit(discount: str, amount: int) -> dict[str, Any]:
    return {"amount": amount, "discount": discount, "type": "discount"}
