"""Invoice lines: what an invoice charges for, line by line.

They live inside their invoice, which shows the first ten of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.lists import Page, kept, place_of
from paydesk.emulator.resources import invoice_discounts
from paydesk.emulator.rules.invoice_totals import settle, totals, weighed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.routes import Call
    from paydesk.emulator.kernel.world import World

LINE_ITEM = Kind(
    "line_item",
    "il_",
    missing="No such invoice line item: '%s'",
    references={
        "discount_amounts.discount": "discount",
        "discounts": "discount",
        "pretax_credit_amounts.discount": "discount",
        "pricing.price_details.price": "price",
        "subscription": "subscription",
    },
)

ITEMS_MAX = 250
Line = dict[str, Any]


def of(invoice: Document) -> list[Line]:
    """All lines of an invoice, in its order."""
    lines: list[Line] = invoice.private.get("lines", [])
    return lines


def from_item(world: World, item: Document, invoice: str) -> Line:
    """The line that an invoice item makes."""
    parent = item["parent"] or {}
    return {
        "id": world.mint("il_"),
        "object": "line_item",
        "invoice": invoice,
        "livemode": world.livemode,
        "subscription": (parent.get("subscription_details") or {}).get("subscription"),
        **of_item(item),
    }


def of_item(item: Document) -> Line:
    """What a line repeats of its invoice item."""
    return {
        "amount": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": item["discountable"],
        "discounts": list(item["discounts"]),
        "metadata": dict(item["metadata"]),
        "parent": _parent(item),
        "period": dict(item["period"]),
        "pretax_credit_amounts": [],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
        "quantity_decimal": item["quantity_decimal"],
        "subtotal": item["amount"],
        "taxes": [],
    }


def _parent(item: Document) -> dict[str, Any]:
    """Where an invoice item's line comes from: the item itself, or the subscription's item it was made for."""
    owner = (item["parent"] or {}).get("subscription_details") or {}
    credited = (item.get("proration_details") or {}).get("credited_items")
    shared = {
        "invoice_item": item.id,
        "proration": item["proration"],
        "proration_details": {"credited_items": (credited or {}).get("invoice_line_item_details")},
        "subscription": owner.get("subscription"),
    }
    if owner.get("subscription_item") is None:
        return {"invoice_item_details": shared, "subscription_item_details": None, "type": "invoice_item_details"}
    details = shared | {"subscription_item": owner["subscription_item"]}
    return {"invoice_item_details": None, "subscription_item_details": details, "type": "subscription_item_details"}


def item_of(line: Line) -> str | None:
    """The invoice item a line was made from, if one was."""
    details = line["parent"]["invoice_item_details"] or line["parent"]["subscription_item_details"] or {}
    found: str | None = details.get("invoice_item")
    return found


def put(world: World, invoice: Document, lines: Sequence[Line]) -> None:
    """Give a draft these lines, and the sums that follow; it is not yet saved."""
    if len(lines) > ITEMS_MAX:
        raise invalid(f"An invoice can hold up to {ITEMS_MAX} items.", code="invoice_items_limit_exceeded")
    invoice.private["lines"] = list(lines)
    weigh(world, invoice)


def weigh(world: World, invoice: Document) -> None:
    """Sum a draft up, with its discounts and taxes, and with what the customer's balance is now."""
    customer = world.find("customer", invoice["customer"])
    exempt = "none" if customer is None else customer["tax_exempt"]
    balance = 0 if customer is None or invoice.private.get("is_prepaid") else customer["balance"]
    parts = [
        weighed(line, shares, _rates(world, invoice, line), exempt)
        for line, shares in zip(of(invoice), invoice_discounts.owed(world, invoice, of(invoice)), strict=True)
    ]
    invoice.private["lines"] = [part.line for part in parts]
    invoice["lines"] = _embedded(invoice)
    invoice.update(totals(parts))
    invoice["starting_balance"] = balance
    invoice["amount_due"] = settle(invoice["total"], balance, invoice["currency"]).due
    invoice["amount_remaining"] = invoice["amount_due"]


def page(call: Call, invoice: Document) -> Page:
    """The page of an invoice's lines that a request asks for."""
    return kept(of(invoice), call.params, call.url, LINE_ITEM)


def index(lines: Sequence[Line], identifier: str, param: str) -> int:
    """Where in an invoice a line stands. Raises 400 where it does not."""
    return place_of(lines, identifier, LINE_ITEM, param)


def _rates(world: World, invoice: Document, line: Line) -> list[dict[str, Any]]:
    """A line's own tax rates, else the invoice's."""
    identifier = item_of(line)
    if identifier is not None:
        item = world.find("invoiceitem", identifier)
    else:
        details = line["parent"]["subscription_item_details"] or {}
        item = world.find("subscription_item", details.get("subscription_item", ""))
    own: list[dict[str, Any]] = [] if item is None else item["tax_rates"]
    return own or invoice["default_tax_rates"]


def _embedded(invoice: Document) -> dict[str, Any]:
    shown = kept(of(invoice), {}, f"/v1/invoices/{invoice.id}/lines", LINE_ITEM)
    return replace(shown, total_count=len(of(invoice))).value()
