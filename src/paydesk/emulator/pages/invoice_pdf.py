"""An invoice as a PDF: the same things its page says, on paper."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from paydesk.emulator.pages.render import money

if TYPE_CHECKING:
    from paydesk.emulator.pages.invoice_view import Off, View

MARGIN_MM = 20


def written(view: View) -> bytes:
    """The document. Built anew each time, and always the same for the same invoice."""
    from reportlab.lib.pagesizes import A4  # 26 MB that only who opens an invoice needs
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    paper = BytesIO()
    margin = MARGIN_MM * mm
    SimpleDocTemplate(
        paper,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=f"Invoice {view.number}",
        author=view.seller,
        invariant=1,
    ).build(_story(view, A4[0] - 2 * margin))
    return paper.getvalue()


def _story(view: View, width: float) -> list[Any]:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Spacer

    styles = getSampleStyleSheet()

    def said(text: str, style: str = "BodyText") -> Any:
        # reportlab reads markup: what people wrote is only text.
        return Paragraph(escape(text), styles[style])

    mode = "Rehearsal of live mode" if view.livemode else "Local test mode"
    story = [
        said(f"{mode}: this is no demand for money."),
        said(view.seller, "Heading2"),
        said(f"Invoice {view.number}", "Heading1"),
        said(view.told),
    ]
    if view.billed_to:
        story.append(said(f"Billed to {view.billed_to}"))
    if view.description:
        story.append(said(view.description))
    story += [Spacer(1, 18), _table(view, width, said)]
    if view.footer:
        story += [Spacer(1, 18), said(view.footer)]
    return story


def _table(view: View, width: float, said: Any) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table, TableStyle

    def amount(minor: int) -> str:
        return money(minor, view.currency)

    lines = []
    for line in view.lines:
        lines.append([said(f"{line.name} ({line.note})" if line.note else line.name), amount(line.amount)])
        lines += [[said(_told(off)), amount(-off.amount)] for off in line.discounts]
    sums = [["Subtotal", amount(view.subtotal)]]
    sums += [[said(_told(off)), amount(-off.amount)] for off in view.discounts]
    if view.tax:
        sums.append(["Tax", amount(view.tax)])
    sums.append(["Total", amount(view.total)])
    sums += [[name, amount(minor)] for name, minor in view.deductions]
    sums.append(["Amount due" if not view.is_paid else "Amount paid", amount(view.due)])
    rule = HexColor("#b8b8b0")
    style = TableStyle(
        [
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEABOVE", (0, 0), (-1, 0), 0.6, rule),
            ("LINEABOVE", (0, len(lines)), (-1, len(lines)), 0.6, rule),
            ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
        ]
    )
    return Table([*lines, *sums], colWidths=[width * 0.75, width * 0.25], style=style)


def _told(off: Off) -> str:
    return f"{off.label} ({off.note})" if off.note else off.label
