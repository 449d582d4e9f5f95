"""Taxes in Checkout: the tax rates that a seller puts on line items, and what they come to after the discount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.rules import taxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.checkout_line_items import Line


def taxed(world: World, lines: Sequence[Line], customer: str | None) -> list[Line]:
    """Line items, discounted already, with their taxes. A customer who is exempt pays none."""
    known = None if customer is None else world.find("customer", customer)
    return [_taxed(line, None if known is None else known["tax_exempt"]) for line in lines]


def on_top(session: Document) -> int:
    """What of a session's total is tax that is not in its prices."""
    sums = session["total_details"]
    return 0 if sums is None else session["amount_total"] - session["amount_subtotal"] + sums["amount_discount"]


def breakdown(world: World, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """What of a session's total is owed to which rate."""
    return [
        {
            "amount": tax["amount"],
            "rate": dict(world.ever("tax_rate", tax["tax_rate_details"]["tax_rate"])),
            "taxability_reason": _reason(tax),
            "taxable_amount": tax["taxable_amount"],
        }
        for tax in taxes.summed(lines)
    ]


def _taxed(line: Line, tax_exempt: str | None) -> Line:
    left = line["amount_subtotal"] - line["amount_discount"]
    found = taxes.on_line(left, line["tax_rates"], tax_exempt)
    return line | {
        "amount_tax": sum(tax["amount"] for tax in found),
        "amount_total": left + taxes.total(found, "exclusive"),
        "taxes": found,
    }


def _reason(tax: dict[str, Any]) -> str | None:
    """Checkout knows no word for taxes nobody asked the reason of."""
    return None if tax["taxability_reason"] == "not_available" else str(tax["taxability_reason"])
