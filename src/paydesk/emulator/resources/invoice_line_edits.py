"""Editing a draft: its lines added, changed and removed. Each keeps its invoice item in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import invoice_lines, invoiceitem
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.lists import Page
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_lines import Line


def _list(call: Call) -> Page:
    return invoice_lines.page(call, call.world.get("invoice", call.path["invoice"]))


def _add(call: Call) -> Document:
    world, invoice = call.world, _draft(call)
    customer = world.get("customer", invoice["customer"], param="customer")
    for place, given in enumerate(call.params["lines"]):
        under = Under(f"lines[{place}]")
        if given.get("invoice_item") is None:
            invoiceitem.add(world, customer, invoice, _as_item(given), under)
            continue
        item = world.get("invoiceitem", given["invoice_item"], param=under("invoice_item"))
        if item["customer"] != customer.id or item["invoice"] is not None or item["currency"] != invoice["currency"]:
            raise invalid(
                f"The invoice item {item.id} does not wait for an invoice of this customer in this currency.",
                param=under("invoice_item"),
            )
        invoiceitem.change(world, item, _as_item(given), under)
        line = invoiceitem.assign(world, item, invoice)
        invoice_lines.put(world, invoice, [*invoice_lines.of(invoice), line])
    return _edited(call, invoice)


def _update(call: Call) -> Document:
    world, invoice = call.world, _draft(call)
    for place, given in enumerate(call.params["lines"]):
        _change(world, invoice, given["id"], given, Under(f"lines[{place}]"))
    return _edited(call, invoice)


def _update_one(call: Call) -> Line:
    world, invoice = call.world, _draft(call)
    _change(world, invoice, call.path["line_item_id"], call.params, Under(""))
    world.save(invoice, "invoice.updated")
    lines = invoice_lines.of(invoice)
    return lines[invoice_lines.index(lines, call.path["line_item_id"], "line_item_id")]


def _remove(call: Call) -> Document:
    world, invoice = call.world, _draft(call)
    for place, given in enumerate(call.params["lines"]):
        lines = invoice_lines.of(invoice)
        at = invoice_lines.index(lines, given["id"], f"lines[{place}][id]")
        item = _item(world, lines[at])
        if item is not None and given["behavior"] == "unassign":
            item["invoice"] = None
            world.save(item)
        elif item is not None:
            world.delete(item, "invoiceitem.deleted")
        invoice_lines.put(world, invoice, [*lines[:at], *lines[at + 1 :]])
    return _edited(call, invoice)


def _draft(call: Call) -> Document:
    invoice = call.world.get("invoice", call.path["invoice"])
    if invoice["status"] != "draft":
        raise invoiceitem.not_editable()
    return invoice


def _edited(call: Call, invoice: Document) -> Document:
    if "invoice_metadata" in call.params:
        invoice["metadata"] = metadata(invoice["metadata"], call.params["invoice_metadata"])
    call.world.save(invoice, "invoice.updated")
    return invoice


def _change(world: World, invoice: Document, identifier: str, given: dict[str, Any], under: Under) -> None:
    lines = invoice_lines.of(invoice)
    item = _item(world, lines[invoice_lines.index(lines, identifier, under("id"))])
    if item is None:
        raise StripeError("This line cannot be changed: it was made by a subscription.", param=under("id"))
    invoiceitem.change(world, item, _as_item(given), under)
    invoiceitem.refresh_line(world, invoice, item)


def _item(world: World, line: Line) -> Document | None:
    identifier = invoice_lines.item_of(line)
    return None if identifier is None else world.find("invoiceitem", identifier)


def _as_item(given: dict[str, Any]) -> dict[str, Any]:
    """What is said of a line, as it is said of an invoice item."""
    return {name: value for name, value in given.items() if name not in ("id", "invoice_item", "expand")}


_OF_LINE = words(
    "amount description discountable discounts metadata period price_data pricing quantity quantity_decimal tax_rates"
)
_OF_LINES = frozenset(f"lines.{name}" for name in _OF_LINE) | {"invoice_metadata"}
_REFUSED_OF_LINES = {f"lines.{name}": why for name, why in invoiceitem.NOT_MODELLED.items()}
_PATH = "/v1/invoices/{invoice}"
_AREA = "invoice"

ROUTES = (
    Route("GET", _PATH + "/lines", _list, uses=words("limit starting_after ending_before"), area=_AREA),
    Route(
        "POST",
        _PATH + "/lines/{line_item_id}",
        _update_one,
        uses=_OF_LINE,
        refuses=invoiceitem.NOT_MODELLED,
        area=_AREA,
    ),
    Route(
        "POST",
        _PATH + "/add_lines",
        _add,
        uses=_OF_LINES | {"lines.invoice_item"},
        refuses=_REFUSED_OF_LINES,
        area=_AREA,
    ),
    Route(
        "POST", _PATH + "/update_lines", _update, uses=_OF_LINES | {"lines.id"}, refuses=_REFUSED_OF_LINES, area=_AREA
    ),
    Route("POST", _PATH + "/remove_lines", _remove, uses=words("invoice_metadata lines.id lines.behavior"), area=_AREA),
)
