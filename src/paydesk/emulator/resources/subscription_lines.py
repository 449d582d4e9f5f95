"""The lines that a subscription puts on its invoices: each item, for a period, at its price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import discounting
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
    the part of a period that nobody prorates (`is_free`), it costs nothing. `used` is how much its meter counted in
    the period; what is measured costs nothing in advance.
    """

    item: Document
    period: Period
    whole: Period | None = None
    is_trial: bool = False
    is_free: bool = False
    used: int | None = None

    def cost(self, amount: int) -> int:
        """What an amount that is due for the whole period comes to here."""
        if self.is_trial or self.is_free:
            return 0
        return amount if self.whole is None else share(amount, self.whole, self.period)


def lines(world: World, subscription: Document, charges: Sequence[Charge], invoice: str) -> list[Line]:
    """The lines of these charges on an invoice."""
    made = []
    for charge in charges:
        quantity = charge.item.get("quantity") if charge.used is None else charge.used
        if quantity is None:
            continue
        price = world.ever("price", charge.item["price"]["id"])
        line = _line(world, subscription, charge, invoice)
        if charge.is_trial:
            made.append(line | _of_trial(world, subscription, price, quantity))
            continue
        for part in price_costs.parts(price, subscription["currency"], quantity):
            shown = of_part(world, price, part, charge.cost(part.amount), subscription["currency"])
            made.append(line | shown | {"id": world.mint("il_")})
    return made


def of_part(world: World, price: Document, part: Part, amount: int, currency: str) -> Line:
    """What a line says of a part of what a price costs, of which this amount is billed."""
    return _sold(price, _description(world, price, part, currency), part.quantity, part.unit_amount_decimal, amount)


def name_of(world: World, price: Mapping[str, Any], quantity: int) -> str:
    """What is sold, with its number where that is more than one: as the lines of a change call it."""
    product = world.find("product", price["product"])
    name = "Subscription" if product is None else str(product["name"])
    return name if quantity == 1 else f"{quantity} × {name}"


def day(moment: int) -> str:
    """The day of a moment, as lines show it: `10 Nov 2025`."""
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then.day} {then:%b %Y}"


def _line(world: World, subscription: Document, charge: Charge, invoice: str) -> Line:
    """A line without what it says of its cost."""
    item = charge.item
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription.id,
        "subscription_item": item.id,
    }
    return {
        "id": "",
        "object": "line_item",
        "amount": 0,
        "currency": subscription["currency"],
        "description": None,
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
        "pricing": None,
        "quantity": 0,
        "quantity_decimal": "0",
        "subscription": subscription.id,
        "subtotal": 0,
        "taxes": [],
    }


def _of_trial(world: World, subscription: Document, price: Document, quantity: int) -> Line:
    is_classic = subscription["billing_mode"]["type"] == "classic"
    what = name_of(world, price, 1) if is_classic else _many(world, price, quantity)
    text = f"{'Trial period' if is_classic else 'Free trial'} for {what}"
    return _sold(price, text, quantity, "0", 0) | {"id": world.mint("il_")}


def _sold(price: Document, description: str, quantity: int, each: str, amount: int) -> Line:
    return {
        "amount": amount,
        "description": description,
        "pricing": {
            "price_details": {"price": price.id, "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": each,
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
    }


def _description(world: World, price: Document, part: Part, currency: str) -> str:
    # A band's flat fee is for no units, and its line speaks of none.
    what = name_of(world, price, 1) if part.is_flat else _many(world, price, part.quantity)
    tier = "" if part.tier is None else f"Tier {part.tier} "
    return f"{what} ({tier}at {_each(part.unit_amount_decimal, currency)} {_how_often(price)})"


def _many(world: World, price: Document, quantity: int) -> str:
    """How many of what: `3 × Pro`, `3 users × Pro`."""
    product = world.find("product", price["product"])
    unit = None if product is None else product.get("unit_label")
    return f"{quantity} {unit} × {name_of(world, price, 1)}" if unit else f"{quantity} × {name_of(world, price, 1)}"


def _each(unit_amount: str, currency: str) -> str:
    """The price of one, as text; a fraction of the smallest unit is shown as such."""
    exact = Decimal(unit_amount)
    if exact == exact.to_integral_value():
        return amount_text(int(exact), currency)
    return f"{exact.scaleb(-exponent(currency)):f} {currency.upper()}"


def _how_often(price: Document) -> str:
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return f"/ {interval}" if count == 1 else f"every {count} {interval}s"
