"""Prices: how much a product costs, and how often. Once made, an amount never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import product as products
from paydesk.emulator.rules import pricing
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

PRICE = Kind(
    "price",
    "price_",
    filters=(
        "active",
        "currency",
        "lookup_key",
        "product",
        "recurring.interval",
        "recurring.meter",
        "recurring.usage_type",
        "type",
    ),
    references={"product": "product"},
    includes={
        "currency_options": lambda world, price: pricing.currency_options(price),
        "tiers": lambda world, price: price.private.get("tiers"),
    },
)


# Done with the id of a price that was changed.
CHANGED = "subscription_item.price_changed"


def create_inline(world: World, given: dict[str, Any], *, param: str) -> Document:
    """The price that a caller described instead of naming one (Checkout's `price_data`), kept.

    It is for this one use: never active, and so is the product it may bring with it. `param` is where the
    description stands in the request, as in `line_items[0][price_data]`.

    Raises:
        StripeError: 400, where the description is wrong or its product does not exist or was archived.
    """
    under = Under(param)
    product = product_of(world, given, under, is_inline=True)
    return pricing.keep(world, pricing.new_price(world, given, product, param=param, is_inline=True))


def for_sale(world: World, identifier: str, *, param: str) -> Document:
    """A price that something new can be sold at.

    Raises:
        StripeError: 400 where there is none, or it or its product was archived.
    """
    price = world.get("price", identifier, param=param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param=param)
    _check_sold(world, price["product"], param)
    return price


def _check_sold(world: World, identifier: str, param: str) -> None:
    product = world.get("product", identifier, param=param)
    if not product["active"]:
        raise invalid(
            f"The product `{product.id}` is inactive. This field only accepts active products and their prices.",
            code="product_inactive",
            param=param,
        )


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    product = product_of(world, given, Under(""))
    price = pricing.new_price(world, given, product)
    _take_lookup_key(world, price, given)
    return pricing.keep(world, price)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    price = world.get("price", call.path["price"])
    change(world, price, given)
    if given.get("tax_behavior", price["tax_behavior"]) != price["tax_behavior"]:
        if price["tax_behavior"] != "unspecified":
            raise invalid(
                f"The tax_behavior of a price cannot be changed once it is set: it is `{price['tax_behavior']}`.",
                param="tax_behavior",
            )
        price["tax_behavior"] = given["tax_behavior"]
    for currency, option in (given.get("currency_options") or {}).items():
        pricing.set_option(price, currency, option)
    if "currency_options" in given and given["currency_options"] is None:
        price.private["currency_options"] = {}
    _take_lookup_key(world, price, given)
    save(world, price)
    return price


def change(world: World, price: Document, given: dict[str, Any]) -> None:
    """What may change of a price and of its plan alike; it is not yet saved.

    Raises:
        StripeError: 400 where a product's default price would be archived.
    """
    if given.get("active") is False and price["active"]:
        check_not_default(world, price, "archived")
    for name in ("active", "nickname"):
        if name in given:
            price[name] = given[name]
    if "metadata" in given:
        price["metadata"] = metadata(price["metadata"], given["metadata"])


def save(world: World, price: Document) -> None:
    """Keep a price's changes, tell of them, and let whatever shows the price show it as it is."""
    pricing.save(world, price)
    world.perform(CHANGED, price.id)


def check_not_default(world: World, price: Document, done: str) -> None:
    """Refuse to take away the price by which a product is sold."""
    product = world.find("product", price["product"])
    if product is not None and product["default_price"] == price.id:
        raise invalid(f"This price cannot be {done} because it is the default price of its product.")


def product_of(world: World, given: dict[str, Any], under: Under, *, is_inline: bool = False) -> str:
    """The id of the product a price is for, which is made where it is described."""
    named, described = given.get("product"), given.get("product_data")
    if named is not None and described is not None:
        raise exclusive(under("product"), under("product_data"))
    if named is not None:
        if is_inline:
            _check_sold(world, named, under("product"))
        return world.get("product", named, param=under("product")).id
    if described is None:
        raise invalid(_MISSING_INLINE_PRODUCT if is_inline else _MISSING_PRODUCT)
    product = products.new(world, described, param=under("product_data"))
    if is_inline:
        product["active"] = False
    return world.add(product, "product.created").id


def _take_lookup_key(world: World, price: Document, given: dict[str, Any]) -> None:
    """Give a price its lookup key, from its holder if the caller says so."""
    if "lookup_key" not in given:
        return
    key = given["lookup_key"]
    holder = None if key is None else world.first("price", "lookup_key", key)
    if holder is not None and holder is not price:
        if not given.get("transfer_lookup_key"):
            raise invalid(f"A price (`{holder.id}`) already uses that lookup key.", param="lookup_key")
        holder["lookup_key"] = None
        save(world, holder)
    price["lookup_key"] = key


_MISSING_PRODUCT = "You must specify either `product` or `product_data` when creating a price."
_MISSING_INLINE_PRODUCT = "You must specify either `product` or `product_data` in `price_data`."

_SETTABLE = words("active currency_options lookup_key metadata nickname tax_behavior transfer_lookup_key")

KINDS = (PRICE,)
ROUTES = (
    Route(
        "POST",
        "/v1/prices",
        _create,
        uses=_SETTABLE
        | words(
            "billing_scheme currency custom_unit_amount product product_data recurring tiers tiers_mode "
            "transform_quantity unit_amount unit_amount_decimal"
        ),
        area="price",
    ),
    search(
        "/v1/prices/search",
        PRICE,
        fields="active currency lookup_key:text metadata:map product type",
    ),
    retrieve("/v1/prices/{price}", PRICE),
    Route("POST", "/v1/prices/{price}", _update, uses=_SETTABLE, area="price"),
    listing(
        "/v1/prices",
        PRICE,
        filters=(
            "lookup_keys=lookup_key product recurring.interval recurring.meter recurring.usage_type type currency "
            "active"
        ),
    ),
)
TASKS: dict[str, Any] = {}
