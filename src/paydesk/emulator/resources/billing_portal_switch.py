"""Another plan, another quantity, a promotion code: what the portal offers, what it would cost, and the change itself.

The preview is the API's own, made of the very parameters of the update that follows. What is to wait for the end of
the period is planned by a schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import (
    billing_portal_plan,
    invoice_collection,
    invoice_preview,
    invoicing,
    subscription_schedule,
    subscription_update,
)
from paydesk.emulator.rules import declines, price_costs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

NO_CHANGES: Final = "Cannot update the subscription because there are no changes to confirm."
# Refusals that a customer can do something about at their bank.
_ASKS_BANK: Final = ("authentication_required", "subscription_payment_intent_requires_action")
_DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True)
class Offer:
    """A price that a subscription can have. Where `is_counted`, the customer chooses how many within the bounds."""

    price: Document
    product: Document
    is_current: bool
    is_counted: bool = False
    minimum: int = 1
    maximum: int | None = None


@dataclass(frozen=True)
class Wish:
    """What a customer wants a subscription to be; `discounts` are entries as the API takes them."""

    price: str
    quantity: int | None = None
    discounts: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Change:
    """What a subscription becomes: `given` are the parameters of the update. Where it `waits_until` the end of the
    period, a schedule makes it then."""

    price: str
    quantity: int
    given: dict[str, Any]
    waits_until: int | None = None


def offers(world: World, configuration: Document, subscription: Document) -> list[Offer]:
    """What the subscription can be: what it is first, then what the configuration lists."""
    item = subscription["items"]["data"][0]
    listed = {offer.price.id: offer for offer in _listed(world, configuration, subscription)}
    current = listed.pop(item["price"]["id"], None)
    if current is None:
        price = world.ever("price", item["price"]["id"])
        current = Offer(price, world.get("product", price["product"]), is_current=True)
    may = configuration["features"]["subscription_update"]["default_allowed_updates"]
    return [current, *(listed.values() if "price" in may else ())]


def is_there_choice(world: World, configuration: Document, subscription: Document) -> bool:
    """Whether anything could be chosen at all: another price, another quantity, or a promotion code."""
    found = offers(world, configuration, subscription)
    may = configuration["features"]["subscription_update"]["default_allowed_updates"]
    return len(found) > 1 or found[0].is_counted or "promotion_code" in may


def plan(world: World, configuration: Document, subscription: Document, wish: Wish) -> Change:
    """What a wish comes to, checked against what is offered.

    Raises:
        StripeError: 400 where it is not offered, or nothing would change.
    """
    feature = configuration["features"]["subscription_update"]
    item = subscription["items"]["data"][0]
    offer = next((one for one in offers(world, configuration, subscription) if one.price.id == wish.price), None)
    if offer is None:
        raise invalid(f"The price {wish.price} is not one that this subscription can be switched to.", param="price")
    quantity = _quantity(offer, item["quantity"], wish.quantity)
    is_same = (offer.price.id, quantity) == (item["price"]["id"], item["quantity"])
    if is_same and not wish.discounts:
        raise invalid(NO_CHANGES)
    if wish.discounts and "promotion_code" not in feature["default_allowed_updates"]:
        raise invalid("The portal configuration allows no promotion codes.", param="discounts")
    given: dict[str, Any] = {}
    if wish.discounts:
        given["discounts"] = billing_portal_plan.with_more(subscription, *wish.discounts)
    if is_same:
        return Change(offer.price.id, quantity, given)
    given["items"] = [{"id": item["id"], "price": offer.price.id, "quantity": quantity}]
    given["proration_behavior"] = feature["proration_behavior"]
    if subscription["status"] == "trialing":
        if feature["trial_update_behavior"] == "end_trial":
            given["trial_end"] = "now"
    elif _waits(world, feature, subscription, offer, quantity):
        return Change(offer.price.id, quantity, given, waits_until=item["current_period_end"])
    elif feature["billing_cycle_anchor"] == "now":
        given["billing_cycle_anchor"] = {"type": "now"}
    return Change(offer.price.id, quantity, given)


def preview(world: World, subscription: Document, given: Mapping[str, Any]) -> Document:
    """The invoice that the update would make: at once, where its `billing_reason` says so, else at the next renewal."""
    return invoice_preview.of_change(world, subscription.id, dict(given))


def carry_out(world: World, subscription: Document, given: Mapping[str, Any]) -> None:
    """Make the change, and collect what it costs at once.

    Raises:
        StripeError: 402 where that is not paid: nothing is changed, and nothing is kept.
    """
    billing_portal_plan.call_off(world, subscription)
    subscription_update.update(world, subscription, {**given, "payment_behavior": "error_if_incomplete"})


def put_off(world: World, subscription: Document, change: Change) -> None:
    """Plan the change for the end of the period: the phase that is, then the one that is to be."""
    billing_portal_plan.call_off(world, subscription)
    schedule = subscription_schedule.of_subscription(world, subscription, {})
    subscription.private["portal_change"] = {"at": change.waits_until, "schedule": schedule.id}
    world.save(subscription)
    is_now = schedule["phases"][0]
    held = {name: is_now[name] for name in ("end_date", "metadata", "start_date")}
    held["items"] = [{name: item[name] for name in ("metadata", "price", "quantity")} for item in is_now["items"]]
    then: dict[str, Any] = {
        "items": [{"price": change.price, "quantity": change.quantity}],
        "metadata": is_now["metadata"],
        "proration_behavior": "none",
    }
    if "discounts" in change.given:
        then["discounts"] = change.given["discounts"]
    subscription_schedule.change(world, schedule, {"phases": [held, then]})


def awaited(world: World, subscription: Document) -> Change | None:
    """The change that waits for the end of the period."""
    made = billing_portal_plan.planned_by(subscription)
    if made is None or not billing_portal_plan.is_led(subscription):
        return None
    phase = world.get("subscription_schedule", made)["phases"][-1]
    (item,) = phase["items"]
    return Change(item["price"], item["quantity"], {}, waits_until=phase["start_date"])


def asks_bank(refusal: StripeError) -> bool:
    """Whether a change was refused only because the customer's bank wants to hear from them."""
    return refusal.code in _ASKS_BANK


def ask_bank(world: World, subscription: Document, given: Mapping[str, Any], return_url: str) -> str:
    """Put the change off until its invoice is paid, and say where the bank waits for the customer.

    Raises:
        StripeError: 400 for changes that cannot be put off; 402 where the bank declines without asking.
    """
    billing_portal_plan.call_off(world, subscription)
    subscription_update.update(world, subscription, {**given, "payment_behavior": "pending_if_incomplete"})
    where = bank_of(world, subscription)
    if where is None:
        raise declines.GENERIC.error()
    intent = _intent(world, subscription)
    intent.private["return_url"] = return_url
    world.save(intent)
    return where


def bank_of(world: World, subscription: Document) -> str | None:
    """Where the customer's bank waits to hear about a change that was put off; None: it does not."""
    action = _intent(world, subscription)["next_action"]
    if action is None:
        return None
    return str((action.get("redirect_to_url") or {}).get("url") or action["use_stripe_sdk"]["stripe_js"])


def give_up(world: World, subscription: Document) -> None:
    """Nobody waits any more for the payment of a change that was put off: its invoice is void, and it is not made."""
    invoicing.void(world, world.get("invoice", subscription.private["pending"]["invoice"]))


def _intent(world: World, subscription: Document) -> Document:
    return invoice_collection.intent_of(world, world.get("invoice", subscription["latest_invoice"]))


def _listed(world: World, configuration: Document, subscription: Document) -> Iterator[Offer]:
    may = configuration["features"]["subscription_update"]["default_allowed_updates"]
    current = subscription["items"]["data"][0]["price"]["id"]
    for listed in configuration.private["products"]:
        product = world.find("product", listed["product"])
        if product is None:
            continue
        counted = listed["adjustable_quantity"]
        for identifier in listed["prices"]:
            price = world.find("price", identifier)
            if price is None or not (identifier == current or _is_for_sale(price, product, subscription)):
                continue
            yield Offer(
                price,
                product,
                is_current=identifier == current,
                is_counted="quantity" in may and counted["enabled"],
                minimum=max(1, counted["minimum"]),
                maximum=counted["maximum"],
            )


def _is_for_sale(price: Document, product: Document, subscription: Document) -> bool:
    if not (price["active"] and product["active"]) or price["recurring"]["usage_type"] != "licensed":
        return False
    if subscription["automatic_tax"]["enabled"] and price["tax_behavior"] == "unspecified":
        return False
    try:
        price_costs.check(price, subscription["currency"], param="price")
    except StripeError:
        return False
    return True


def _quantity(offer: Offer, held: int, wanted: int | None) -> int:
    if wanted is None or wanted == held:
        return held
    if not offer.is_counted:
        raise invalid("The quantity of this plan cannot be changed.", param="quantity")
    if wanted < offer.minimum:
        raise invalid(f"The least quantity of this plan is {offer.minimum}.", param="quantity")
    if offer.maximum is not None and wanted > offer.maximum:
        raise invalid(f"The greatest quantity of this plan is {offer.maximum}.", param="quantity")
    return wanted


def _waits(world: World, feature: Mapping[str, Any], subscription: Document, offer: Offer, quantity: int) -> bool:
    """Whether the configuration wants this change to wait for the end of the period."""
    item, currency = subscription["items"]["data"][0], subscription["currency"]
    held = world.ever("price", item["price"]["id"])
    is_less = price_costs.total(offer.price, currency, quantity) < price_costs.total(held, currency, item["quantity"])
    met = {"decreasing_item_amount": is_less, "shortening_interval": _days(offer.price) < _days(held)}
    return any(met[condition["type"]] for condition in feature["schedule_at_period_end"]["conditions"])


def _days(price: Document) -> int:
    """About how long a price's interval is: enough to tell which of two is the shorter."""
    recurring = price["recurring"]
    return int(_DAYS[recurring["interval"]] * recurring["interval_count"])
