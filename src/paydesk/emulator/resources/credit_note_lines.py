"""Credit note lines: what a credit note takes back, line by line of its invoice, or in words of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.resources import invoice_lines, tax_rate
from paydesk.emulator.rules import crediting, price_costs, taxes
from paydesk.emulator.rules.crediting import Credited
from paydesk.emulator.rules.money import amount_text
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

CREDIT_NOTE_LINE_ITEM = Kind(
    "credit_note_line_item",
    "cnli_",
    missing="No such credit note line item: '%s'",
    references={"discount_amounts.discount": "discount", "pretax_credit_amounts.discount": "discount"},
)
Line = dict[str, Any]


def of(note: Document) -> list[Line]:
    """All lines of a credit note."""
    kept: list[Line] = note.private["lines"]
    return kept


def described(world: World, invoice: Document, notes: Iterable[Document], given: dict[str, Any]) -> list[Credited]:
    """The lines of a new credit note, without ids. `notes` are those that count already.

    Raises:
        StripeError: 400 where a line says too much or too little, or more of the invoice than there is left.
    """
    if not given.get("lines"):
        return [Credited(_flat(world, given["amount"]))]
    credited: dict[str, int] = {}
    for note in notes:
        for line in of(note):
            _count(credited, line)
    parts = []
    for place, asked in enumerate(given["lines"]):
        under = Under(f"lines[{place}]")
        if asked["type"] == "invoice_line_item":
            part = _of_invoice(world, invoice, credited, asked, under)
        else:
            part = _own(world, invoice, asked, under)
        _count(credited, part.line)
        parts.append(part)
    return parts


def _count(credited: dict[str, int], line: Line) -> None:
    if "invoice_line_item" in line:
        credited[line["invoice_line_item"]] = credited.get(line["invoice_line_item"], 0) + line["amount"]


def _of_invoice(
    world: World, invoice: Document, credited: dict[str, int], asked: dict[str, Any], under: Under
) -> Credited:
    _refuse(asked, under, "description", "unit_amount", "unit_amount_decimal", "tax_rates")
    if asked.get("invoice_line_item") is None:
        raise missing_param(under("invoice_line_item"))
    lines = invoice_lines.of(invoice)
    charged = lines[invoice_lines.index(lines, asked["invoice_line_item"], under("invoice_line_item"))]
    before = credited.get(charged["id"], 0)
    amount = _amount(charged, asked, under)
    left = charged["amount"] - before
    if not 0 < amount <= left:
        currency = invoice["currency"]
        raise invalid(
            f"The amount to credit ({amount_text(amount, currency)}) must be more than zero, and no more than what is "
            f"left of the invoice line item ({amount_text(max(0, left), currency)}).",
            param=under("amount" if asked.get("quantity") is None else "quantity"),
        )
    rates = [dict(world.get("tax_rate", tax["tax_rate_details"]["tax_rate"])) for tax in charged["taxes"]]
    part = crediting.share(charged, amount, before, inside=_inside(invoice, charged, rates))
    line = _shaped(
        world,
        **part.line,
        description=charged["description"],
        invoice_line_item=charged["id"],
        metadata=metadata({}, asked.get("metadata") or {}),
        quantity=asked.get("quantity"),
        tax_rates=rates,
        type="invoice_line_item",
    )
    return replace(part, line=line)


def _inside(invoice: Document, charged: Line, rates: list[dict[str, Any]]) -> int:
    """What is taxed inside an invoice's line, its own discounts taken off."""
    own = sum(one["amount"] for one in charged["discount_amounts"] if one["discount"] in charged["discounts"])
    return taxes.total(taxes.on_line(charged["amount"] - own, rates, invoice["customer_tax_exempt"]), "inclusive")


def _amount(charged: Line, asked: dict[str, Any], under: Under) -> int:
    amount, quantity = asked.get("amount"), asked.get("quantity")
    if amount is not None and quantity is not None:
        raise exclusive(under("amount"), under("quantity"))
    if amount is not None:
        return int(amount)
    if quantity is None:
        raise missing_param(under("amount"))
    if not 1 <= quantity <= (charged["quantity"] or 0):
        raise invalid(
            f"The quantity to credit must be at least 1, and no more than the {charged['quantity']} invoiced.",
            param=under("quantity"),
        )
    return crediting.of_quantity(charged, quantity)


def _own(world: World, invoice: Document, asked: dict[str, Any], under: Under) -> Credited:
    _refuse(asked, under, "amount", "invoice_line_item")
    said = [name for name in ("unit_amount", "unit_amount_decimal") if asked.get(name) is not None]
    if len(said) > 1:
        raise exclusive(*(under(name) for name in said))
    if not said:
        raise missing_param(under("unit_amount"))
    each, quantity = str(asked[said[0]]), asked.get("quantity", 1)
    if quantity < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=under("quantity"),
        )
    amount = price_costs.amount(each, quantity)
    rates = tax_rate.chosen(world, asked.get("tax_rates"), param=under("tax_rates"))
    taxed = taxes.on_line(amount, rates, invoice["customer_tax_exempt"])
    line = _shaped(
        world,
        amount=amount,
        description=asked.get("description"),
        metadata=metadata({}, asked.get("metadata") or {}),
        quantity=quantity,
        tax_rates=rates,
        taxes=taxed,
        type="custom_line_item",
        unit_amount=asked.get("unit_amount"),
        unit_amount_decimal=each,
    )
    return Credited(line, inside=taxes.total(taxed, "inclusive"))


def _refuse(asked: dict[str, Any], under: Under, *names: str) -> None:
    for name in names:
        if asked.get(name) is not None:
            raise invalid(f"`{name}` cannot be used for a line of type `{asked['type']}`.", param=under(name))


def _flat(world: World, amount: int) -> Line:
    """The one line of a credit note that only says how much."""
    return _shaped(
        world,
        amount=amount,
        quantity=1,
        type="custom_line_item",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )


def _shaped(world: World, **said: Any) -> Line:
    line = {
        "id": "",
        "object": "credit_note_line_item",
        "amount": 0,
        "description": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": world.livemode,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": None,
        "tax_rates": [],
        "taxes": [],
        "type": "",
        "unit_amount": None,
        "unit_amount_decimal": None,
    }
    return line | said
