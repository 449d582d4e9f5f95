"""Paper: what a business sends its customers as a PDF, an invoice or a credit note."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any, Final

MARGIN_MM: Final = 20


@dataclass(frozen=True)
class Row:
    """A line of text, and an amount as it is shown."""

    text: str
    amount: str


@dataclass(frozen=True)
class Sheet:
    """What is on it, from top to bottom. The last of the `sums` is what it is about."""

    title: str
    seller: str
    livemode: bool
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[Row, ...]
    footer: str | None = None


def written(sheet: Sheet) -> bytes:
    """The document. Built anew each time, and always the same for the same sheet."""
    from reportlab.lib.pagesizes import A4  # 26 MB that only who opens a document needs
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
        title=sheet.title,
        author=sheet.seller,
        invariant=1,
    ).build(_story(sheet, A4[0] - 2 * margin))
    return paper.getvalue()


def _story(sheet: Sheet, width: float) -> list[Any]:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Spacer

    styles = getSampleStyleSheet()

    def said(text: str, style: str = "BodyText") -> Any:
        # reportlab reads markup: what people wrote is only text.
        return Paragraph(escape(text), styles[style])

    mode = "Rehearsal of live mode" if sheet.livemode else "Local test mode"
    story = [
        said(f"{mode}: no money has moved, and none is asked for."),
        said(sheet.seller, "Heading2"),
        said(sheet.title, "Heading1"),
        *(said(note) for note in sheet.notes),
        Spacer(1, 18),
        _table(sheet, width, said),
    ]
    if sheet.footer:
        story += [Spacer(1, 18), said(sheet.footer)]
    return story


def _table(sheet: Sheet, width: float, said: Any) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table, TableStyle

    *above, last = (*sheet.rows, *sheet.sums)
    cells = [*([said(row.text), row.amount] for row in above), [last.text, last.amount]]
    rule, first_sum = HexColor("#b8b8b0"), len(sheet.rows)
    style = TableStyle(
        [
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEABOVE", (0, 0), (-1, 0), 0.6, rule),
            ("LINEABOVE", (0, first_sum), (-1, first_sum), 0.6, rule),
            ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
        ]
    )
    return Table(cells, colWidths=[width * 0.75, width * 0.25], style=style)
