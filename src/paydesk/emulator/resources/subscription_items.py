"""Which prices a subscription sells, and how many of each: what a request may say of its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.routes import words
from paydesk.emulator.resources import discounting, price, subscription_shape, tax_rate
from paydesk.emulator.rules import cycles, money, price_costs
from paydesk.emulator.rules.discounts import Part, shares
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.discounts import Applied

ITEMS_MAX: Final = 20
QUANTITY_MAX: Final = 999_999_999
# What is used of an entry of `items`, besides what only an update says.
TAKEN: Final = words("discounts metadata plan price price_data quantity tax_rates")


def priced(world: World, given: dict[str, Any], under: Under, currency: str | None) -> Document | None:
    """The recurring price that an entry of `items` names or describes; None where it does neither.

    No request can say `{sold}`: that is the id of a price which Checkout has sold at already, archived or not.

    Raises:
        StripeError: 400 where it is none a subscription can sell at, in its currency if it has one already.
    """
    ways = [name for name in ("price", "price_data", "plan", "sold") if given.get(name) is not None]
    if not ways:
        return None
    if len(ways) > 1:
        raise exclusive(*(under(name) for name in ways))
    (way,) = ways
    if way == "price_data":
        found = price.create_inline(world, given["price_data"], param=under("price_data"))
    elif way == "sold":
        found = world.ever("price", given["sold"])
    else:
        found = price.for_sale(world, given[way], param=under(way))
        if found["recurring"] is None:
            raise invalid(
                "The price specified is set to `type=one_time` but this field only accepts prices with "
                "`type=recurring`.",
                param=under(way),
            )
    if currency is not None:
        price_costs.check(found, currency, param=under(way))
    return found


def quantity(given: dict[str, Any], under: Under, sold: Document) -> int | None:
    """How many an entry of `items` asks for; None for what is measured.

    Raises:
        StripeError: 400 where it is out of range, or a number makes no sense.
    """
    many = given.get("quantity")
    if sold["recurring"]["usage_type"] == "metered":
        if many is not None:
            raise invalid(
                "You cannot set the quantity for a metered price: it is billed by what is used.",
                param=under("quantity"),
            )
        return None
    if many is None:
        return 1
    if not 0 <= many <= QUANTITY_MAX:
        raise StripeError("Invalid non-negative integer", code="parameter_invalid_integer", param=under("quantity"))
    return int(many)


def new(world: World, subscription: Document, given: dict[str, Any], under: Under) -> Document:
    """The item that an entry of `items` asks for; not kept yet, and in no period."""
    sold = priced(world, given, under, subscription["currency"])
    if sold is None:
        raise missing_param(under("price"))
    item = subscription_shape.new_item(world, subscription.id, sold, quantity(given, under, sold))
    describe(world, subscription, item, given, under)
    return item


def change(world: World, subscription: Document, item: Document, given: dict[str, Any], under: Under) -> None:
    """Make of an item what an entry of `items` wants it to be; it is not saved yet.

    As at Stripe, at another price one is sold, unless the entry says how many.

    Raises:
        StripeError: 400 where it cannot be sold at that price, or in that quantity.
    """
    found = priced(world, given, under, subscription["currency"])
    is_other = found is not None and found.id != item["price"]["id"]
    if found is not None:
        subscription_shape.set_price(item, found)
    if is_other or given.get("quantity") is not None:
        sold = world.ever("price", item["price"]["id"])
        subscription_shape.set_quantity(item, quantity(given, under, sold))
    describe(world, subscription, item, given, under)


def describe(world: World, subscription: Document, item: Document, given: dict[str, Any], under: Under) -> None:
    """Take over what an entry says of an item besides what it sells, and how many.

    Raises:
        StripeError: 400 where a discount cannot be redeemed for it.
    """
    if "metadata" in given:
        item["metadata"] = metadata(item["metadata"], given["metadata"])
    if "tax_rates" in given:
        item["tax_rates"] = tax_rate.chosen(world, given["tax_rates"], param=under("tax_rates"))
    if "discounts" in given:
        customer, currency = subscription["customer"], subscription["currency"]
        item["discounts"] = discounting.replace(
            world,
            item["discounts"],
            given["discounts"],
            discounting.purchase(world, customer, currency, cost_of(world, subscription, item)),
            param=under("discounts"),
            inherited=subscription["discounts"],
            subscription=subscription.id,
            subscription_item=item.id,
        )


def check(subscription: Document, items: Sequence[Document]) -> None:
    """Refuse items that one subscription cannot hold together.

    Raises:
        StripeError: 400.
    """
    if not items:
        raise invalid(
            "A subscription must have at least one active plan. To cancel a subscription, please use the cancel API "
            "endpoint on /v1/subscriptions."
        )
    if len(items) > ITEMS_MAX:
        raise invalid(f"Array items exceeded maximum {ITEMS_MAX} allowed elements.", param="items")
    seen: set[str] = set()
    for item in items:
        if item["price"]["id"] in seen:
            raise invalid(
                "Cannot create a Subscription with multiple Subscription Items with the same Price: "
                f"{item['price']['id']}."
            )
        seen.add(item["price"]["id"])
    rhythms = {(item["plan"]["interval"], item["plan"]["interval_count"]) for item in items}
    if len(rhythms) > 1 and subscription["billing_mode"]["type"] == "classic":
        raise invalid(
            "All prices of a subscription with `billing_mode[type]=classic` must have the same billing interval.",
            param="items",
        )
    if not cycles.are_aligned(rhythms):
        raise invalid(
            "The billing interval of each price of a subscription must be a multiple of the shortest interval.",
            param="items",
        )


def cost(world: World, subscription: Document, items: Sequence[Document]) -> int:
    """What a whole period of these items costs, in the subscription's currency."""
    return sum(cost_of(world, subscription, item) for item in items)


def net_costs(world: World, subscription: Document, items: Sequence[Document]) -> dict[str, int]:
    """What a whole period of each of these items costs, by its id, after what their discounts and the whole's take off.

    Classic subscriptions take an amount off each item for itself.
    """
    if subscription["billing_mode"]["type"] == "classic" and len(items) > 1:
        return {item.id: net_costs(world, subscription, [item])[item.id] for item in items}
    currency = subscription["currency"]
    own = [_in_force(world, item["discounts"], currency) for item in items]
    whole = _in_force(world, subscription["discounts"], currency)
    parts = [Part(item["price"]["product"], cost_of(world, subscription, item)) for item in items]
    taken = shares(parts, own, whole, step=money.step(currency))
    return {
        item.id: part.amount - sum(share.amount for share in off)
        for item, part, off in zip(items, parts, taken, strict=True)
    }


def _in_force(world: World, identifiers: Sequence[str], currency: str) -> list[Applied]:
    return discounting.applied(world, discounting.in_force(world, identifiers, world.now), currency)


def cost_of(world: World, subscription: Document, item: Document) -> int:
    """What a whole period of an item costs; what is measured costs nothing in advance."""
    if "quantity" not in item:
        return 0
    sold = world.ever("price", item["price"]["id"])
    return price_costs.total(sold, subscription["currency"], item["quantity"])
