"""What the invoice page shows: worked out here, so that the template only arranges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from paydesk.emulator.pages import checkout_view, render
from paydesk.emulator.pages.checkout_form import Typed
from paydesk.emulator.resources import (
    account,
    credit_note,
    discounting,
    invoice_collection,
    invoice_lines,
    invoice_payment,
)
from paydesk.emulator.rules import taxes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.checkout_view import Sample, TestCard


@dataclass(frozen=True)
class Off:
    """What a discount takes off. `note` is empty where the amount says it all."""

    label: str
    note: str
    amount: int


@dataclass(frozen=True)
class Line:
    """A line of the invoice, with the discounts that are for it alone."""

    name: str
    amount: int
    note: str
    discounts: tuple[Off, ...]


@dataclass(frozen=True)
class Credit:
    """A credit note for the invoice, and where it is on paper."""

    number: str
    amount: int
    pdf_url: str


@dataclass(frozen=True)
class View:
    """Everything the page's template shows."""

    action: str
    seller: str
    number: str
    livemode: bool
    currency: str
    subtotal: int
    discounts: tuple[Off, ...]
    tax: int
    total: int
    due: int
    deductions: tuple[tuple[str, int], ...]
    is_paid: bool
    is_payable: bool
    told: str
    billed_to: str | None
    tax_ids: tuple[str, ...]
    description: str | None
    footer: str | None
    lines: tuple[Line, ...]
    credits: tuple[Credit, ...]
    receipt_url: str | None
    pdf_url: str
    cards: tuple[TestCard, ...]
    sample: Sample
    countries: Mapping[str, str]
    typed: Typed
    asks_person: bool = False
    alert: str | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def focus(self) -> str | None:
        """The first field that needs another look."""
        return next(iter(self.problems), None)


def of(
    world: World,
    invoice: Document,
    *,
    typed: Typed | None = None,
    alert: str | None = None,
    problems: Mapping[str, str] | None = None,
    asks_person: bool = False,
) -> View:
    """The page of a finalised invoice."""
    is_paid = invoice["status"] == "paid"
    return View(
        action=invoice["hosted_invoice_url"],
        seller=account.seller(world),
        number=invoice["number"],
        livemode=world.livemode,
        currency=invoice["currency"],
        subtotal=invoice["subtotal"],
        discounts=_of_the_whole(world, invoice),
        tax=taxes.total(invoice["total_taxes"], "exclusive"),
        total=invoice["total"],
        due=invoice["amount_paid"] if is_paid else invoice["amount_remaining"],
        deductions=_deductions(invoice, is_paid=is_paid),
        is_paid=is_paid,
        is_payable=is_payable(world, invoice),
        told=_told(invoice),
        billed_to=invoice["customer_name"] or invoice["customer_email"],
        tax_ids=_tax_ids(world, invoice),
        description=invoice["description"],
        footer=invoice["footer"],
        lines=tuple(_line(world, line) for line in invoice_lines.of(invoice)),
        credits=tuple(
            Credit(note["number"], note["amount"], note["pdf"]) for note in credit_note.issued(world, invoice)
        ),
        receipt_url=_receipt(world, invoice),
        pdf_url=invoice["invoice_pdf"],
        cards=checkout_view.test_cards(world),
        sample=checkout_view.sample(world),
        countries=render.countries(),
        typed=(typed or Typed(name=invoice["customer_name"] or "")).without_card(),
        alert=alert,
        problems=problems or {},
        asks_person=asks_person,
    )


def is_payable(world: World, invoice: Document) -> bool:
    """Whether a card can be taken for it: something is due, and no bank is being asked."""
    if invoice["status"] not in ("open", "uncollectible") or not invoice["amount_remaining"]:
        return False
    return bool(invoice_collection.intent_of(world, invoice)["status"] != "processing")


def _deductions(invoice: Document, *, is_paid: bool) -> tuple[tuple[str, int], ...]:
    """What lies between the total and what is due, or was paid in the end."""
    credited = invoice["pre_payment_credit_notes_amount"]
    balance = invoice["amount_due"] + credited - invoice["total"]
    paid_before = 0 if is_paid else invoice["amount_paid"]
    named = (("Customer's balance", balance), ("Credit notes", -credited), ("Paid so far", -paid_before))
    return tuple((name, amount) for name, amount in named if amount)


def _tax_ids(world: World, invoice: Document) -> tuple[str, ...]:
    """Both sides' numbers, each with what it is and whose."""
    own = [world.find("tax_id", identifier) for identifier in invoice["account_tax_ids"] or ()]
    named = [(one, "your") for one in invoice["customer_tax_ids"]] + [(one, "our") for one in own if one is not None]
    return tuple(f"{one['type'].replace('_', ' ').upper()} {one['value']} ({whose} tax ID)" for one, whose in named)


def _told(invoice: Document) -> str:
    """Where the invoice stands, in a few words."""
    if invoice["status"] == "paid":
        return f"Paid on {render.day(invoice['status_transitions']['paid_at'])}"
    if invoice["due_date"] is not None:
        return f"Due {render.day(invoice['due_date'])}"
    return f"Issued {render.day(invoice['effective_at'])}"


def _of_the_whole(world: World, invoice: Document) -> tuple[Off, ...]:
    """The discounts that come after the subtotal: a line's own are in it."""
    amounts: dict[str, int] = {}
    for line in invoice_lines.of(invoice):
        for share in line["discount_amounts"]:
            if share["discount"] not in line["discounts"]:
                amounts[share["discount"]] = amounts.get(share["discount"], 0) + share["amount"]
    return tuple(_off(world, identifier, amount) for identifier, amount in amounts.items() if amount)


def _off(world: World, identifier: str, amount: int) -> Off:
    label, percent = discounting.described(world, identifier)
    return Off(label, "" if percent is None else f"{percent}% off", amount)


def _line(world: World, line: invoice_lines.Line) -> Line:
    period = line["period"]
    notes = []
    # A flat fee is for no units.
    if line["quantity_decimal"] not in (None, "0", "1"):
        notes.append(f"Qty {Decimal(line['quantity_decimal']):,}")
    if period["end"] != period["start"]:
        notes.append(f"{render.day(period['start'])} – {render.day(period['end'])}")
    own = tuple(
        _off(world, share["discount"], share["amount"])
        for share in line["discount_amounts"]
        if share["discount"] in line["discounts"]
    )
    return Line(line["description"] or "Item", line["amount"], " · ".join(notes), own)


def _receipt(world: World, invoice: Document) -> str | None:
    paid = [payment for payment in invoice_payment.of_invoice(world, invoice) if payment["status"] == "paid"]
    if not paid:
        return None
    intent = world.get("payment_intent", paid[0]["payment"]["payment_intent"])
    charge = None if intent["latest_charge"] is None else world.find("charge", intent["latest_charge"])
    receipt: str | None = charge["receipt_url"] if charge is not None and charge["paid"] else None
    return receipt
