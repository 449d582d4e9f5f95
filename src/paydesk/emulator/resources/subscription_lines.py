"""The lines that a subscription puts on its invoices: each item, for a period, at its price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import discounting
from paydesk.emulator.resources.subscription_shape import is_metered
from paydesk.emulator.rules import price_costs
from paydesk.emulator.rules.money import amount_text, exponent
from paydesk.emulator.rules.proration import Period, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_lines import Line
    from paydesk.emulator.rules.price_costs import Part


@dataclass(frozen=True)
class Charge:
    """An item, to be billed for a period.

    `whole` is the period its price is for, where that is another one: then a share of it is billed. In a trial, and in
    the part of a period that nobody prorates (`is_free`), it costs nothing.
    """

    item: Document
    period: Period
    whole: Period | None = None
    is_trial: bool = False
    is_free: bool = False

    def cost(self, amount: int) -> int:
        """What an amount that is due for the whole period comes to here."""
        if self.is_trial or self.is_free:
            return 0
        return amount if self.whole is None else share(amount, self.whole, self.period)


def lines(world: World, subscription: Document, charges: Sequence[Charge], invoice: str) -> list[Line]:
    """The lines of these charges on an invoice."""
    made = []
    for charge in charges:
        if is_metered(charge.item):
            continue
        price = world.get("price", charge.item["price"]["id"])
        product = world.find("product", price["product"])
        for part in price_costs.parts(price, subscription["currency"], charge.item["quantity"]):
            text = _description(product, price, part, subscription["currency"], is_trial=charge.is_trial)
            made.append(_line(world, subscription, charge, part, text, invoice))
    return made


def name_of(world: World, price: Mapping[str, Any], quantity: int) -> str:
    """What is sold, with its number where that is more than one: as the lines of a change call it."""
    product = world.find("product", price["product"])
    name = "Subscription" if product is None else str(product["name"])
    return name if quantity == 1 else f"{quantity} × {name}"


def day(moment: int) -> str:
    """The day of a moment, as lines show it: `10 Nov 2025`."""
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then.day} {then:%b %Y}"


def _line(world: World, subscription: Document, charge: Charge, part: Part, text: str, invoice: str) -> Line:
    item, amount = charge.item, charge.cost(part.amount)
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription.id,
        "subscription_item": item.id,
    }
    return {
        "id": world.mint("il_"),
        "object": "line_item",
        "amount": amount,
        "currency": subscription["currency"],
        "description": text,
        "discount_amounts": [],
        "discountable": True,
        "discounts": discounting.in_force(world, item["discounts"], world.now),
        "invoice": invoice,
        "livemode": world.livemode,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"end": charge.period.end, "start": charge.period.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": item["price"]["id"], "product": item["price"]["product"]},
            "type": "price_details",
            "unit_amount_decimal": "0" if charge.is_trial else part.unit_amount_decimal,
        },
        "quantity": part.quantity,
        "quantity_decimal": str(part.quantity),
        "subscription": subscription.id,
        "subtotal": amount,
        "taxes": [],
    }


def _description(product: Document | None, price: Document, part: Part, currency: str, *, is_trial: bool) -> str:
    name = "Subscription" if product is None else product["name"]
    unit = None if product is None else product.get("unit_label")
    many = f"{part.quantity} {unit}" if unit else f"{part.quantity}"
    if is_trial:
        return f"Free trial for {many} × {name}"
    tier = "" if part.tier is None else f"Tier {part.tier} "
    return f"{many} × {name} ({tier}at {_each(part.unit_amount_decimal, currency)} {_how_often(price)})"


def _each(unit_amount: str, currency: str) -> str:
    """The price of one, as text; a fraction of the smallest unit is shown as such."""
    exact = Decimal(unit_amount)
    if exact == exact.to_integral_value():
        return amount_text(int(exact), currency)
    return f"{exact.scaleb(-exponent(currency)):f} {currency.upper()}"


def _how_often(price: Document) -> str:
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return f"/ {interval}" if count == 1 else f"every {count} {interval}s"
