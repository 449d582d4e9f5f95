"""Products: what is sold. What it costs is said by its prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.rules import pricing
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

PRODUCT = Kind(
    "product",
    "prod_",
    filters=("active", "shippable", "type", "url"),
    references={"default_price": "price"},
)


def new(world: World, given: dict[str, Any], *, param: str = "") -> Document:
    """A product, not kept yet. `given` are the parameters of a product, found in the request under `param`.

    Raises:
        StripeError: 400, for a blank name or an id that is taken.
    """
    identifier = given.get("id") or world.mint("prod_")
    if world.find("product", identifier) is not None:
        raise invalid("Product already exists.", code="resource_already_exists", param=Under(param)("id"))
    return Document(
        {
            "id": identifier,
            "object": "product",
            "active": given.get("active", True),
            "created": world.now,
            "default_price": None,
            "description": given.get("description"),
            "images": given.get("images") or [],
            "livemode": world.livemode,
            "marketing_features": _features(given.get("marketing_features")),
            "metadata": metadata({}, given.get("metadata", {})),
            "name": _name(given["name"], Under(param)("name")),
            "package_dimensions": given.get("package_dimensions"),
            "shippable": given.get("shippable"),
            "statement_descriptor": given.get("statement_descriptor"),
            "tax_code": given.get("tax_code"),
            "tax_details": _tax_details(given.get("tax_details")),
            "type": given.get("type", "service"),
            "unit_label": given.get("unit_label"),
            "updated": world.now,
            "url": given.get("url"),
        }
    )


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    product = new(world, given)
    price = None
    if given.get("default_price_data") is not None:
        price = pricing.new_price(world, given["default_price_data"], product.id, param="default_price_data")
        product["default_price"] = price.id
    world.add(product, "product.created")
    if price is not None:
        pricing.keep(world, price)
    return product


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    product = world.get("product", call.path["id"])
    for name in _SIMPLE & given.keys():
        product[name] = given[name]
    if "images" in given:
        product["images"] = given["images"] or []
    if "marketing_features" in given:
        product["marketing_features"] = _features(given["marketing_features"])
    if "metadata" in given:
        product["metadata"] = metadata(product["metadata"], given["metadata"])
    if "name" in given:
        product["name"] = _name(given["name"], "name")
    if "tax_details" in given:
        product["tax_details"] = _tax_details(given["tax_details"])
    if "default_price" in given:
        product["default_price"] = _default_price(world, product, given["default_price"])
    _keep_update(world, product)
    return product


def _keep_update(world: World, product: Document) -> None:
    """Its event always tells when the product was last updated before, even within one second."""
    before = product["updated"]
    previous = world.save(product)
    if previous:
        product["updated"] = world.now
        world.save(product)
        world.emit("product.updated", product, {**previous, "updated": before})


def _delete(call: Call) -> dict[str, Any]:
    product = call.world.get("product", call.path["id"])
    if any("is_inline" not in price.private for price in call.world.having("price", "product", product.id)):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    return call.world.delete(product, "product.deleted")


def _name(given: str, param: str) -> str:
    """A name without the blanks around it."""
    name = given.strip()
    if not name:
        raise invalid(f"The {param} cannot be blank.", code="parameter_invalid_string_blank", param=param)
    return name


def _features(given: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [
        {"name": _name(feature["name"], f"marketing_features[{index}][name]")}
        for index, feature in enumerate(given or [])
    ]


def _tax_details(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {name: given.get(name) for name in ("performance_location", "tax_code")}


def _default_price(world: World, product: Document, identifier: str | None) -> str | None:
    if identifier is None:
        return None
    price = world.get("price", identifier, param="default_price")
    if price["product"] != product.id:
        raise invalid(f"The price `{identifier}` does not belong to this product.", param="default_price")
    if not price["active"]:
        raise invalid(
            f"The price `{identifier}` is inactive, so it cannot be the default price of a product.",
            param="default_price",
        )
    return identifier


_SIMPLE = words("active description package_dimensions shippable statement_descriptor tax_code unit_label url")
_SETTABLE = _SIMPLE | words("images marketing_features metadata name tax_details")

KINDS = (PRODUCT,)
ROUTES = (
    Route(
        "POST",
        "/v1/products",
        _create,
        uses=_SETTABLE | words("default_price_data id type"),
        area="product",
    ),
    search(
        "/v1/products/search",
        PRODUCT,
        fields="active description:text metadata:map name:text shippable url",
    ),
    retrieve("/v1/products/{id}", PRODUCT),
    Route("POST", "/v1/products/{id}", _update, uses=_SETTABLE | {"default_price"}, area="product"),
    Route("DELETE", "/v1/products/{id}", _delete, area="product"),
    listing("/v1/products", PRODUCT, filters="ids=id url type shippable active"),
)
TASKS: dict[str, Any] = {}
