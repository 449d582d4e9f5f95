"""Credit notes: an invoice that was too much, put right without changing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources import credit_note_lines, credit_note_returns, invoice_settling
from paydesk.emulator.resources.credit_note_lines import CREDIT_NOTE_LINE_ITEM
from paydesk.emulator.resources.credit_note_returns import Returns
from paydesk.emulator.rules import crediting
from paydesk.emulator.rules.crediting import Split
from paydesk.emulator.rules.money import amount_text

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

CREDIT_NOTE = Kind(
    "credit_note",
    "cn_",
    missing="No such credit note: '%s'",
    filters=("customer", "invoice"),
    references={
        "customer": "customer",
        "customer_balance_transaction": "customer_balance_transaction",
        "discount_amounts.discount": "discount",
        "invoice": "invoice",
        "pretax_credit_amounts.discount": "discount",
        "refunds.refund": "refund",
    },
    embeds=("lines",),
)

_CREDITABLE: Final = ("open", "paid")
# A preview is no object that could be looked up.
_PREVIEW: Final = "cn_preview"


@dataclass(frozen=True)
class Decided:
    """A credit note as it would be made, and what would follow from it."""

    note: Document
    invoice: Document
    split: Split
    returns: Returns


def issued(world: World, invoice: Document) -> list[Document]:
    """The credit notes of an invoice that count, newest first."""
    return [note for note in of_invoice(world, invoice) if note["status"] == "issued"]


def of_invoice(world: World, invoice: Document) -> list[Document]:
    """All credit notes of an invoice, newest first."""
    return list(world.having("credit_note", "invoice", invoice.id))


def _create(call: Call) -> Document:
    world = call.world
    decided = _decide(world, call.params)
    note, invoice = decided.note, decided.invoice
    note["id"] = world.mint("cn_")
    for line in credit_note_lines.of(note):
        line["id"] = world.mint("cnli_")
    note["lines"] = _embedded(note)
    note.private["secret"] = secret = f"{note.id.removeprefix('cn_')}{world.characters(32)}"
    mode = "live" if world.livemode else "test"
    note["pdf"] = f"{world.base_url}/credit_notes/{world.sandbox.account}/{mode}_{secret}/pdf?s=ap"
    credit_note_returns.carry_out(world, note, invoice, decided.returns)
    call.echo(note)
    world.add(note, "credit_note.created")
    invoice_settling.credit(world, invoice, before=decided.split.before_payment, after=decided.split.after_payment)
    return note


def _preview(call: Call) -> Document:
    note = _decide(call.world, call.params).note
    for place, line in enumerate(credit_note_lines.of(note), 1):
        line["id"] = f"cnli_preview_{place}"
    note["lines"] = _embedded(note)
    return note


def _preview_lines(call: Call) -> lists.Page:
    return _lines_of(call, _preview(call))


def _decide(world: World, given: dict[str, Any]) -> Decided:
    """What a request comes to. Nothing is written.

    Raises:
        StripeError: 400 where there is nothing to credit, or not so much.
    """
    invoice = world.get("invoice", given["invoice"], param="invoice")
    if invoice["status"] not in _CREDITABLE:
        raise invalid(
            f"Credit notes can only be issued for open or paid invoices; this one is {invoice['status']}.",
            param="invoice",
        )
    if given.get("amount") is None and not given.get("lines"):
        raise StripeError(
            "One of `amount`, `lines` or `shipping_cost` must be provided.", code="parameter_missing", param="amount"
        )
    notes = issued(world, invoice)
    returns = credit_note_returns.asked(world, invoice, notes, given)
    note = _shaped(world, invoice, given)
    credited = credit_note_lines.described(world, invoice, notes, given)
    note.private["lines"] = [part.line for part in credited]
    note.update(crediting.totals(credited))
    _check_total(world, invoice, notes, note, returns, given)
    parts = crediting.split(note["total"], invoice["amount_remaining"])
    credit_note_returns.check(world, invoice, returns, parts.after_payment)
    note["pre_payment_amount"], note["post_payment_amount"] = parts.before_payment, parts.after_payment
    note["type"] = parts.type
    return Decided(note, invoice, parts, returns)


def _check_total(
    world: World,
    invoice: Document,
    notes: list[Document],
    note: Document,
    returns: Returns,
    given: dict[str, Any],
) -> None:
    total, currency = note["total"], invoice["currency"]
    if given.get("amount", total) != total:
        raise invalid(
            f"The `amount` ({amount_text(given['amount'], currency)}) is not what the lines come to "
            f"({amount_text(total, currency)}).",
            param="amount",
        )
    if total < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    apart = credit_note_returns.refunded_apart(world, invoice, notes) - sum(amount for _, amount in returns.linked)
    left = invoice["total"] - sum(one["total"] for one in notes) - max(0, apart)
    if total > left:
        raise invalid(
            f"The credit note's amount ({amount_text(total, currency)}) is greater than what can still be credited of "
            f"the invoice ({amount_text(max(0, left), currency)}).",
            param="amount" if given.get("lines") is None else "lines",
        )


def _shaped(world: World, invoice: Document, given: dict[str, Any]) -> Document:
    count = len(of_invoice(world, invoice)) + 1
    return Document(
        {
            "id": _PREVIEW,
            "object": "credit_note",
            "amount": 0,
            "amount_shipping": 0,
            "created": world.now,
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "customer_account": None,
            "customer_balance_transaction": None,
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": given.get("effective_at") or world.now,
            "invoice": invoice.id,
            "lines": {},
            "livemode": world.livemode,
            "memo": given.get("memo"),
            "metadata": metadata({}, given.get("metadata") or {}),
            "number": f"{invoice['number']}-CN-{count:02d}",
            "out_of_band_amount": given.get("out_of_band_amount"),
            "pdf": "",
            "post_payment_amount": 0,
            "pre_payment_amount": 0,
            "pretax_credit_amounts": [],
            "reason": given.get("reason"),
            "refunds": [],
            "shipping_cost": None,
            "status": "issued",
            "subtotal": 0,
            "subtotal_excluding_tax": 0,
            "total": 0,
            "total_excluding_tax": 0,
            "total_taxes": [],
            "type": "",
            "voided_at": None,
        }
    )


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    note = world.get("credit_note", call.path["id"])
    if "memo" in given:
        note["memo"] = given["memo"]
    if "metadata" in given:
        note["metadata"] = metadata(note["metadata"], given["metadata"])
    world.save(note, "credit_note.updated")
    return note


def _void(call: Call) -> Document:
    world = call.world
    note = world.get("credit_note", call.path["id"])
    invoice = world.get("invoice", note["invoice"])
    if note["status"] == "void":
        raise invalid("This credit note has already been voided.")
    if invoice["status"] != "open":
        raise invalid(f"You can only void credit notes of open invoices. This one's is {invoice['status']}.")
    note["status"], note["voided_at"] = "void", world.now
    previous = world.save(note)
    world.emit("credit_note.voided", note, previous)
    invoice_settling.owe_again(world, invoice, note["pre_payment_amount"])
    return note


def _lines(call: Call) -> lists.Page:
    return _lines_of(call, call.world.get("credit_note", call.path["credit_note"]))


def _lines_of(call: Call, note: Document) -> lists.Page:
    return lists.kept(credit_note_lines.of(note), call.params, call.url, CREDIT_NOTE_LINE_ITEM)


def _embedded(note: Document) -> dict[str, Any]:
    lines = credit_note_lines.of(note)
    return lists.kept(lines, {}, f"/v1/credit_notes/{note.id}/lines", CREDIT_NOTE_LINE_ITEM).value()


_SAID = words(
    "amount credit_amount effective_at invoice lines memo metadata out_of_band_amount reason refund_amount refunds"
)
_REFUSED = {
    "lines.tax_amounts": "taxes by amount are not modelled; send `tax_rates`, or credit the invoice's own lines.",
    "refunds.payment_record_refund": "payment records are not modelled.",
    "shipping_cost": "shipping costs are not modelled.",
}
_PAGE = words("limit starting_after ending_before")
_AREA = CREDIT_NOTE.area
_PATH = "/v1/credit_notes/{id}"

KINDS = (CREDIT_NOTE, CREDIT_NOTE_LINE_ITEM)
ROUTES = (
    Route("POST", "/v1/credit_notes", _create, uses=_SAID, refuses=_REFUSED, area=_AREA),
    Route("GET", "/v1/credit_notes/preview", _preview, uses=_SAID, refuses=_REFUSED, area=_AREA),
    Route("GET", "/v1/credit_notes/preview/lines", _preview_lines, uses=_SAID | _PAGE, refuses=_REFUSED, area=_AREA),
    retrieve(_PATH, CREDIT_NOTE),
    Route("POST", _PATH, _update, uses=words("memo metadata"), area=_AREA),
    Route("POST", _PATH + "/void", _void, area=_AREA),
    Route("GET", "/v1/credit_notes/{credit_note}/lines", _lines, uses=_PAGE, area=_AREA),
    listing("/v1/credit_notes", CREDIT_NOTE, filters="customer customer_account invoice"),
)
TASKS: dict[str, Any] = {}
