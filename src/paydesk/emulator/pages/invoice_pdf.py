"""An invoice as a PDF: the same things its page says, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.pages import paper
from paydesk.emulator.pages.paper import Row, Sheet
from paydesk.emulator.pages.render import money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.pages.invoice_view import Off, View


def written(view: View) -> bytes:
    """The document."""
    notes = (view.told, f"Billed to {view.billed_to}" if view.billed_to else None, *view.tax_ids, view.description)
    return paper.written(
        Sheet(
            title=f"Invoice {view.number}",
            seller=view.seller,
            livemode=view.livemode,
            notes=tuple(note for note in notes if note),
            rows=tuple(_rows(view)),
            sums=tuple(_sums(view)),
            footer=view.footer,
        )
    )


def _rows(view: View) -> Iterator[Row]:
    for line in view.lines:
        yield Row(f"{line.name} ({line.note})" if line.note else line.name, money(line.amount, view.currency))
        yield from (_off(view, off) for off in line.discounts)


def _sums(view: View) -> Iterator[Row]:
    yield Row("Subtotal", money(view.subtotal, view.currency))
    yield from (_off(view, off) for off in view.discounts)
    if view.tax:
        yield Row("Tax", money(view.tax, view.currency))
    yield Row("Total", money(view.total, view.currency))
    for name, amount in view.deductions:
        yield Row(name, money(amount, view.currency))
    yield Row("Amount paid" if view.is_paid else "Amount due", money(view.due, view.currency))


def _off(view: View, off: Off) -> Row:
    return Row(f"{off.label} ({off.note})" if off.note else off.label, money(-off.amount, view.currency))
