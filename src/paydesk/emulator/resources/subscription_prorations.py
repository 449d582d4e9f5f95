"""What a change in the middle of a period gives back or costs: invoice items that wait for the next invoice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import invoiceitem, subscription_lines
from paydesk.emulator.resources.invoice_pricing import Cost
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.proration import Period

_CREDIT, _DEBIT = "Unused time on", "Remaining time on"
_PLACES: Final = Decimal("1e-12")


@dataclass(frozen=True)
class Proration:
    """The rest of a period at a price, given back (an amount below zero) or still to be paid.

    `billed` tells, for what is given back, how it had been billed.
    """

    item: str
    price: Mapping[str, Any]
    quantity: int
    amount: int
    period: Period
    tax_rates: tuple[Mapping[str, Any], ...] = ()
    billed: Mapping[str, Any] | None = None


def keep(world: World, subscription: Document, proration: Proration) -> Document:
    """Keep it as an invoice item of the subscription's customer, told as `invoiceitem.created`."""
    customer = world.get("customer", subscription["customer"])
    name = subscription_lines.name_of(world, proration.price, proration.quantity)
    what = _CREDIT if proration.amount < 0 else _DEBIT
    cost = Cost(
        proration.amount,
        subscription["currency"],
        name,
        {
            "price_details": {"price": proration.price["id"], "product": proration.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": _each(proration.amount, proration.quantity),
        },
        proration.quantity,
    )
    said = {
        "description": f"{what} {name} after {subscription_lines.day(proration.period.start)}",
        "discountable": False,
        "metadata": subscription["metadata"],
        "period": {"end": proration.period.end, "start": proration.period.start},
    }
    item = invoiceitem.new(world, customer, None, said, cost, Under(""))
    item["parent"] = {
        "subscription_details": {"subscription": subscription.id, "subscription_item": proration.item},
        "type": "subscription_details",
    }
    item["proration"] = True
    item["proration_details"] = {"credited_items": _credited(proration), "discount_amounts": []}
    item["tax_rates"] = [dict(rate) for rate in proration.tax_rates]
    return world.add(item, "invoiceitem.created")


def _credited(proration: Proration) -> dict[str, Any] | None:
    billed = proration.billed
    if proration.amount >= 0 or billed is None:
        return None
    if billed.get("invoice_item") is not None:
        return {"invoice_item": billed["invoice_item"], "type": "invoice_item"}
    if billed.get("invoice") is None:
        return None
    return {
        "invoice_line_item_details": {"invoice": billed["invoice"], "invoice_line_items": list(billed["lines"])},
        "type": "invoice_line_items",
    }


def _each(amount: int, quantity: int) -> str:
    if not quantity:
        return str(amount)
    return f"{(Decimal(amount) / quantity).quantize(_PLACES).normalize():f}"
