"""A credit note as a PDF, at its `pdf` address: what was credited, and how it goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from paydesk.emulator.pages import paper, render, secret_links
from paydesk.emulator.pages.paper import Row, Sheet
from paydesk.emulator.resources import account, credit_note_lines
from paydesk.emulator.resources.credit_note import CREDIT_NOTE
from paydesk.emulator.rules import taxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.world import World


class CreditNotePage:
    """Shows credit notes on paper."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def pdf(self, request: Request) -> Response:
        """GET."""
        found = secret_links.found(self._kernel, CREDIT_NOTE, request)
        if found is None:
            return render.nothing_here()
        sandbox, identifier = found
        sheet = self._kernel.within(sandbox, lambda world: _sheet(world, world.get(CREDIT_NOTE.name, identifier)))
        return render.pdf(paper.written(sheet), sheet.title.replace(" ", "-"))


def _sheet(world: World, note: Document) -> Sheet:
    invoice = world.get("invoice", note["invoice"])
    customer = invoice["customer_name"] or invoice["customer_email"]
    notes = (
        f"For invoice {invoice['number']}",
        f"Issued {render.day(note['effective_at'])}",
        f"Withdrawn {render.day(note['voided_at'])}" if note["voided_at"] else None,
        f"Credited to {customer}" if customer else None,
        note["memo"],
    )
    return Sheet(
        title=f"Credit note {note['number']}",
        seller=account.seller(world),
        livemode=world.livemode,
        notes=tuple(text for text in notes if text),
        rows=tuple(_line(line, note["currency"]) for line in credit_note_lines.of(note)),
        sums=tuple(_sums(note)),
    )


def _line(line: credit_note_lines.Line, currency: str) -> Row:
    many = f" (Qty {line['quantity']:,})" if line["quantity"] not in (None, 1) else ""
    return Row(f"{line['description'] or 'Credit'}{many}", render.money(line["amount"], currency))


def _sums(note: Document) -> Iterator[Row]:
    """What the lines come to, and then which way it goes back."""
    refunded = sum(one["amount_refunded"] for one in note["refunds"])
    elsewhere = note["out_of_band_amount"] or 0
    for name, amount in (
        ("Discounts", -note["discount_amount"]),
        ("Tax", taxes.total(note["total_taxes"], "exclusive")),
        ("Off what is due", note["pre_payment_amount"]),
        ("Refunded", refunded),
        ("Credit for the next invoice", note["post_payment_amount"] - refunded - elsewhere),
        ("Given back in another way", elsewhere),
    ):
        if amount:
            yield Row(name, render.money(amount, note["currency"]))
    yield Row("Amount credited", render.money(note["amount"], note["currency"]))
