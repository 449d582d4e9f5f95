"""What an invoice item or line costs: an amount, or a price and how many."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid
from paydesk.emulator.resources import price
from paydesk.emulator.resources import product as products
from paydesk.emulator.rules import price_costs, pricing, quantities
from paydesk.emulator.rules.money import AMOUNT_MAX, check_currency, check_granularity
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# Of these, one says what a thing costs.
WAYS: Final = ("amount", "price_data", "pricing", "sold", "unit_amount_decimal")


@dataclass(frozen=True)
class Cost:
    """What something costs in all, at which price, and what it is called."""

    amount: int
    currency: str
    name: str
    pricing: dict[str, Any]
    quantity: int | Decimal


def cost(
    world: World, given: dict[str, Any], *, currency: str | None, under: Under, quantity: Decimal | None = None
) -> Cost:
    """The cost of what a request describes.

    `currency` is that of the invoice or the customer, if they have one. `quantity` counts where the request gives
    none. `under` says where the parameters stand.

    Raises:
        StripeError: 400 where the request says too much or too little, or the price cannot be used.
    """
    ways = [name for name in WAYS if given.get(name) is not None]
    if len(ways) > 1:
        raise exclusive(*(under(name) for name in ways))
    if not ways:
        raise StripeError(
            f"Missing required param: {under('amount')}.", code="parameter_missing", param=under("amount")
        )
    said = given.get("currency")
    wanted = currency if said is None else check_currency(said, param=under("currency"))
    asked = quantities.asked(given, under)
    many = asked if asked is not None else quantity if quantity is not None else Decimal(1)
    (way,) = ways
    if way == "amount":
        if asked not in (None, 1):
            raise exclusive(under("amount"), under("quantity"))
        return _of_amount(world, given, wanted or "usd", under)
    if way == "unit_amount_decimal":
        each = str(given["unit_amount_decimal"])
        name = given.get("description") or "Invoice item"
        return _checked(price_costs.amount(each, many), wanted or "usd", name, _shown(None, None, each), many, under)
    priced = _price(world, given, under)
    return _at(world, priced, wanted or priced["currency"], many, under)


def of_price(world: World, priced: Document, currency: str, quantity: int) -> Cost:
    """What a quantity costs at a price."""
    return _at(world, priced, currency, Decimal(quantity), Under(""))


def of_item(world: World, item: Document, given: dict[str, Any], under: Under) -> Cost:
    """What an invoice item costs when nothing but how many there are of it changes."""
    asked = quantities.asked(given, under)
    many = Decimal(item["quantity_decimal"]) if asked is None else asked
    pricing, currency = item["pricing"], item["currency"]
    priced = world.find("price", pricing.get("price_details", {}).get("price", ""))
    if priced is None:
        amount = price_costs.amount(pricing["unit_amount_decimal"], many)
        return _checked(amount, currency, item["description"], pricing, many, under)
    return _at(world, priced, currency, many, under)


def _of_amount(world: World, given: dict[str, Any], currency: str, under: Under) -> Cost:
    amount: int = given["amount"]
    name = given.get("description") or "Invoice item"
    # Stripe makes a price of every amount, archived, and tells nobody.
    product = products.new(world, {"name": name[:250], "active": False})
    world.add(product)
    described = pricing.new_price(world, {"currency": currency, "unit_amount": abs(amount)}, product.id, is_inline=True)
    described["unit_amount"], described["unit_amount_decimal"] = amount, str(amount)
    world.add(described)
    return _checked(amount, currency, name, _shown(described.id, product.id, str(amount)), Decimal(1), under)


def _price(world: World, given: dict[str, Any], under: Under) -> Document:
    if given.get("sold") is not None:
        # No request can say this: Checkout has sold at this price already, whatever became of it.
        return world.ever("price", given["sold"])
    if given.get("price_data") is not None:
        return price.create_inline(world, given["price_data"], param=under("price_data"))
    named = given["pricing"].get("price")
    if named is None:
        raise StripeError(
            f"Missing required param: {under('pricing[price]')}.",
            code="parameter_missing",
            param=under("pricing[price]"),
        )
    priced = price.for_sale(world, named, param=under("pricing[price]"))
    if priced["recurring"] is not None:
        raise invalid(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
            param=under("pricing[price]"),
        )
    return priced


def _at(world: World, priced: Document, currency: str, quantity: Decimal, under: Under) -> Cost:
    parts = price_costs.parts(priced, currency, int(quantity), param=under("pricing[price]"))
    # Bands have no unit amount in common: then none is shown.
    each = parts[0].unit_amount_decimal if len(parts) == 1 else None
    product = world.find("product", priced["product"])
    name = "Invoice item" if product is None else product["name"]
    amount = sum(part.amount for part in parts)
    if not quantities.is_whole(quantity):
        if each is None or priced["billing_scheme"] == "tiered" or priced["transform_quantity"] is not None:
            raise invalid(
                "The local Stripe does not model fractions of units at prices with tiers or `transform_quantity` yet.",
                param=under("quantity_decimal"),
            )
        amount = price_costs.amount(each, quantity)
    return _checked(amount, currency, name, _shown(priced.id, priced["product"], each), quantity, under)


def _checked(amount: int, currency: str, name: str, shown: dict[str, Any], quantity: Decimal, under: Under) -> Cost:
    check_granularity(amount, currency, param=under("amount"))
    if abs(amount) > AMOUNT_MAX:
        raise StripeError(
            f"Invalid integer: {amount} is more than an invoice can hold.",
            code="amount_too_large",
            param=under("amount"),
        )
    return Cost(amount, currency, name, shown, quantity)


def _shown(price_id: str | None, product: str | None, each: str | None) -> dict[str, Any]:
    details = {} if price_id is None else {"price_details": {"price": price_id, "product": product}}
    return {**details, "type": "price_details", "unit_amount_decimal": each}
