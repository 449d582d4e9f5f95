"""Plans: recurring prices as they were called before there were prices. A plan is a price, under the same id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document, from_text, to_text
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import price as prices
from paydesk.emulator.rules import pricing
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    pass

PLAN = Kind(
    "plan",
    "plan_",
    references={"product": "product"},
    includes={"tiers": lambda world, price: price.private.get("tiers")},
    view_of="price",
)

# What a plan calls by another name than its price.
_AMOUNTS: Final = {
    "amount": "unit_amount",
    "amount_decimal": "unit_amount_decimal",
    "transform_usage": "transform_quantity",
}
_ALIKE: Final = ("active", "billing_scheme", "currency", "metadata", "nickname", "tiers", "tiers_mode")
_RECURRING: Final = ("interval", "interval_count", "meter", "trial_period_days", "usage_type")


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    identifier = given.get("id") or world.mint("plan_")
    if world.find("price", identifier) is not None:
        raise invalid("Plan already exists.", code="resource_already_exists", param="id")
    _check_said(given)
    try:
        product = prices.product_of(world, _product(given), Under(""))
        price = pricing.new_price(world, _as_price(given), product)
    except StripeError as refused:
        refused.param = _as_param_of_a_plan(refused.param)
        raise
    price["id"] = identifier
    return pricing.as_plan(pricing.keep(world, price))


def _retrieve(call: Call) -> Document:
    return pricing.as_plan(_named(call))


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    price = _named(call)
    prices.change(world, price, given)
    if "product" in given:
        price["product"] = world.get("product", given["product"], param="product").id
    if "trial_period_days" in given:
        price["recurring"] = price["recurring"] | {"trial_period_days": given["trial_period_days"]}
    prices.save(world, price)
    return pricing.as_plan(price)


def _delete(call: Call) -> dict[str, Any]:
    price = _named(call)
    prices.check_not_default(call.world, price, "deleted")
    pricing.delete(call.world, price)
    return {"id": price.id, "object": "plan", "deleted": True}


def _list(call: Call) -> lists.Page:
    asked = call.params | {"type": "recurring"}
    page = lists.page(call.world, prices.PRICE, call.url, asked, narrowed_by=("product", "active", "type"))
    plans = [pricing.as_plan(Document(from_text(text))) for text in page.texts]
    return replace(page, texts=[to_text(plan) for plan in plans])


def _named(call: Call) -> Document:
    """The price that the plan is."""
    world, identifier = call.world, call.path["plan"]
    price = world.find("price", identifier)
    if price is None or price["recurring"] is None:
        raise world.no_such("plan", identifier)
    return price


def _check_said(given: dict[str, Any]) -> None:
    if given.get("product") is None:
        raise missing_param("product")
    said = [name for name in ("amount", "amount_decimal") if given.get(name) is not None]
    if len(said) > 1:
        raise exclusive(*said)
    if not said and given.get("billing_scheme") != "tiered":
        raise missing_param("amount")


def _product(given: dict[str, Any]) -> dict[str, Any]:
    """A plan's product is named or described under one name; a price has a name for each."""
    product = given.get("product")
    return {"product_data" if isinstance(product, dict) else "product": product}


def _as_price(given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a plan as those of a price."""
    alike = {name: given[name] for name in _ALIKE if name in given}
    renamed = {ours: given[name] for name, ours in _AMOUNTS.items() if name in given}
    recurring = {name: given[name] for name in _RECURRING if name in given}
    return alike | renamed | {"recurring": recurring}


def _as_param_of_a_plan(param: str | None) -> str | None:
    if param is None:
        return None
    for name, ours in _AMOUNTS.items():
        if param == ours:
            return name
    if param.startswith("recurring["):
        return param.removeprefix("recurring[").removesuffix("]")
    return param.replace("product_data", "product", 1)


_SETTABLE = words("active metadata nickname product trial_period_days")
_PATH = "/v1/plans/{plan}"

KINDS = (PLAN,)
ROUTES = (
    Route(
        "POST",
        "/v1/plans",
        _create,
        uses=_SETTABLE
        | words(
            "amount amount_decimal billing_scheme currency id interval interval_count meter tiers tiers_mode "
            "transform_usage usage_type"
        ),
        area=PLAN.area,
    ),
    Route("GET", _PATH, _retrieve, area=PLAN.area),
    Route("POST", _PATH, _update, uses=_SETTABLE, area=PLAN.area),
    Route("DELETE", _PATH, _delete, area=PLAN.area),
    Route(
        "GET",
        "/v1/plans",
        _list,
        uses=words("active created ending_before limit product starting_after"),
        area=PLAN.area,
    ),
)
TASKS: dict[str, Any] = {}
