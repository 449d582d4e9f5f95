"""Subscription items: one price and how many, of the several a subscription may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.errors import missing_param
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources import (
    price,
    subscription_items,
    subscription_prices,
    subscription_terms,
    subscription_update,
)
from paydesk.emulator.resources.subscription_shape import ENDED, ITEM, items_of

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

# What of a request says how the subscription is to be changed, and not what the item is to be.
_USED: Final = words("payment_behavior proration_behavior proration_date")
_HOW: Final = _USED | words("off_session")


def _create(call: Call) -> Document:
    world = call.world
    named = call.params.get("subscription")
    if named is None:
        raise missing_param("subscription")
    subscription = world.get("subscription", named, param="subscription")
    if subscription["status"] in ENDED:
        raise world.no_such("subscription", named)
    known = {item.id for item in items_of(world, subscription)}
    _change(call, subscription, {})
    return next(item for item in items_of(world, subscription) if item.id not in known)


def _update(call: Call) -> Document:
    item = call.world.get("subscription_item", call.path["item"])
    _change(call, call.world.get("subscription", item["subscription"]), {"id": item.id})
    return item


def _delete(call: Call) -> dict[str, Any]:
    item = call.world.get("subscription_item", call.path["item"])
    _change(call, call.world.get("subscription", item["subscription"]), {"deleted": True, "id": item.id})
    return {"id": item.id, "object": "subscription_item", "deleted": True}


def _change(call: Call, subscription: Document, entry: dict[str, Any]) -> None:
    said = {name: value for name, value in call.params.items() if name not in ("expand", "subscription")}
    entry = entry | {name: value for name, value in said.items() if name not in _HOW}
    how = {name: value for name, value in said.items() if name in _HOW}
    subscription_update.update(call.world, subscription, {"items": [entry], **how}, is_one_item=True)


def _list(call: Call) -> lists.Page:
    if call.params.get("subscription") is None:
        raise missing_param("subscription")
    call.world.get("subscription", call.params["subscription"], param="subscription")
    return lists.page(call.world, ITEM, call.url, call.params, narrowed_by=("subscription",))


_REFUSED: Final = {
    name.removeprefix("items."): why for name, why in subscription_terms.REFUSED.items() if name.startswith("items.")
}
_PATH: Final = "/v1/subscription_items/{item}"
_AREA: Final = "subscription"

KINDS = (ITEM,)
ROUTES = (
    Route(
        "POST",
        "/v1/subscription_items",
        _create,
        uses=subscription_items.TAKEN | _USED | words("subscription"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    retrieve(_PATH, ITEM),
    Route("POST", _PATH, _update, uses=subscription_items.TAKEN | _USED, refuses=_REFUSED, area=_AREA),
    Route("DELETE", _PATH, _delete, uses=_USED, area=_AREA),
    Route(
        "GET",
        "/v1/subscription_items",
        _list,
        uses=words("limit starting_after ending_before subscription"),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = {price.CHANGED: subscription_prices.show}
