"""The invoices a customer got, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.pages import render
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources.invoice_shape import INVOICE

if TYPE_CHECKING:
    from starlette.responses import Response

PAGE_SIZE: Final = 20
# A draft is nobody's business yet.
_SHOWN: Final = ["open", "paid", "uncollectible", "void"]
_WORDS: Final = {"open": "Due", "paid": "Paid", "uncollectible": "Unpaid", "void": "Void"}


@dataclass(frozen=True)
class Row:
    """An invoice in a line."""

    id: str
    number: str
    day: str
    amount: int
    currency: str
    status: str
    word: str
    url: str
    pdf_url: str


def rows(visit: Visit, count: int, before: str | None = None) -> tuple[tuple[Row, ...], str | None]:
    """So many invoices, those that are older than `before` where one is named; and its last one's id where there are
    more."""
    asked: dict[str, Any] = {"customer": visit.customer.id, "status": _SHOWN, "limit": count}
    if before is not None:
        asked["starting_after"] = before
    page = lists.page(visit.world, INVOICE, "", asked, narrowed_by=("customer", "status"))
    found = tuple(_row(invoice, visit.world.now) for invoice in page.value()["data"])
    return found, found[-1].id if page.has_more else None


def day(moment: int) -> str:
    """A day as a customer reads it."""
    date = datetime.fromtimestamp(moment, UTC)
    return f"{date:%B} {date.day}, {date.year}"


def _row(invoice: dict[str, Any], now: int) -> Row:
    is_late = invoice["status"] == "open" and invoice["due_date"] is not None and invoice["due_date"] < now
    return Row(
        id=invoice["id"],
        number=invoice["number"],
        day=day(invoice["effective_at"] or invoice["created"]),
        amount=invoice["total"],
        currency=invoice["currency"],
        status=invoice["status"],
        word="Overdue" if is_late else _WORDS[invoice["status"]],
        url=invoice["hosted_invoice_url"],
        pdf_url=invoice["invoice_pdf"],
    )


def _show(visit: Visit) -> Response:
    before = visit.text("before") or None
    known = None if before is None else visit.world.find("invoice", before)
    if known is None or known["customer"] != visit.customer.id:
        before = None
    found, older = rows(visit, PAGE_SIZE, before)
    return visit.page(
        "portal_invoices.html",
        invoices=found,
        older=None if older is None else visit.path("invoices", before=older),
        newest=None if before is None else visit.path("invoices"),
    )


ROOM: Final = Room(
    is_open=lambda visit: bool(visit.feature("invoice_history")["enabled"]),
    show=_show,
    submit=lambda visit: render.redirect(visit.path("invoices")),
    refused=lambda visit, refusal: render.redirect(visit.path()),
)
