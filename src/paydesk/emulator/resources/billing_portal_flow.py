"""Deep links into the portal: one thing a customer is sent there to do, and where they go when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import exclusive, invalid, missing_param
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.resources import billing_portal_switch as switch
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.addresses import check_url

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# The feature that each flow needs, and how Stripe's refusal begins where it is switched off.
_NEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "customer_update": ("customer_update", "This customer cannot be updated because the customer update"),
    "payment_method_update": (
        "payment_method_update",
        "This payment method cannot be updated because the payment method update",
    ),
    "subscription_cancel": (
        "subscription_cancel",
        "This subscription cannot be canceled because the subscription cancel",
    ),
    "subscription_pause": ("subscription_pause", "This subscription cannot be paused because the subscription pause"),
    "subscription_update": (
        "subscription_update",
        "This subscription cannot be updated because the subscription update",
    ),
    "subscription_update_confirm": (
        "subscription_update",
        "This subscription cannot be updated because the subscription update",
    ),
}
_DETAILS: Final = ("subscription_cancel", "subscription_pause", "subscription_update", "subscription_update_confirm")
_ENDINGS: Final = ("hosted_confirmation", "redirect")


def flow(world: World, given: Mapping[str, Any], configuration: Document, customer: Document) -> dict[str, Any]:
    """A session's `flow`, from the `flow_data` of its request.

    Raises:
        StripeError: 400 for a flow that the configuration does not allow, that says too much or too little, or that
            could not do anything.
    """
    kind = given["type"]
    for name in _DETAILS:
        if name in given and name != kind:
            raise invalid(f"`{name}` can only be used with `type={name}`.", param=f"flow_data[{name}]")
    feature, sentence = _NEEDS[kind]
    if not configuration["features"][feature]["enabled"]:
        raise invalid(f"{sentence} feature in the portal configuration is disabled.", param="flow_data[type]")
    shown: dict[str, Any] = {
        "after_completion": _after_completion(given.get("after_completion") or {"type": "portal_homepage"}),
        "customer_update": {} if kind == "customer_update" else None,
        **dict.fromkeys(_DETAILS),
        "type": kind,
    }
    if kind in _DETAILS:
        shown[kind] = _of_subscription(world, kind, given, configuration, customer)
    return shown


def wish_of(flow: Mapping[str, Any], subscription: Document) -> switch.Wish:
    """What a flow of type `subscription_update_confirm` makes of a subscription."""
    asked = flow["subscription_update_confirm"]
    (item,) = asked["items"]
    discounts = [{name: value for name, value in one.items() if value} for one in asked["discounts"] or ()]
    return switch.Wish(
        item["price"] or subscription["items"]["data"][0]["price"]["id"], item.get("quantity"), tuple(discounts)
    )


def _of_subscription(
    world: World, kind: str, given: Mapping[str, Any], configuration: Document, customer: Document
) -> dict[str, Any]:
    where = f"flow_data[{kind}]"
    asked = given.get(kind)
    if asked is None:
        raise missing_param(where)
    subscription = world.get("subscription", asked["subscription"], param=f"{where}[subscription]")
    if subscription["customer"] != customer.id:
        raise world.no_such("subscription", subscription.id, param=f"{where}[subscription]")
    features = configuration["features"]
    match kind:
        case "subscription_cancel":
            _check_cancel(subscription, features)
            return {"retention": _retention(world, asked.get("retention"), where), "subscription": subscription.id}
        case "subscription_pause":
            if not plans.may_pause(subscription, features):
                raise invalid(f"This subscription cannot be paused: its status is `{subscription['status']}`.")
            return {"subscription": subscription.id}
    if not plans.may_change(subscription, features):
        raise invalid(
            "This subscription cannot be updated in the customer portal: only those of one product that is not "
            "metered, are charged automatically, and are neither about to end nor managed by a schedule, can be."
        )
    if kind == "subscription_update":
        return {"subscription": subscription.id}
    confirmed = {
        "discounts": _discounts(asked.get("discounts"), where),
        "items": [_item(asked["items"], subscription, where)],
        "subscription": subscription.id,
    }
    switch.plan(world, configuration, subscription, wish_of({kind: confirmed}, subscription))
    return confirmed


def _check_cancel(subscription: Document, features: Mapping[str, Any]) -> None:
    if subscription["cancel_at_period_end"]:
        raise invalid("The subscription is already set to be canceled at period end")
    if plans.is_ending(subscription) or subscription["status"] in ENDED:
        raise invalid("This subscription is already set to be canceled")
    if not plans.may_cancel(subscription, features):
        raise invalid("This subscription cannot be canceled in the customer portal: a schedule manages it.")


def _retention(world: World, given: Mapping[str, Any] | None, where: str) -> dict[str, Any] | None:
    if given is None:
        return None
    param = f"{where}[retention][coupon_offer][coupon]"
    coupon = world.get("coupon", given["coupon_offer"]["coupon"], param=param)
    if not redeeming.is_valid(coupon, world.wall):
        raise invalid(f"Coupon expired: {coupon.id}", code="coupon_expired", param=param)
    return {"coupon_offer": {"coupon": coupon.id}, "type": given["type"]}


def _item(given: list[dict[str, Any]], subscription: Document, where: str) -> dict[str, Any]:
    if len(given) != 1:
        raise invalid("Exactly one subscription item can be updated.", param=f"{where}[items]")
    held = subscription["items"]["data"][0]
    if given[0]["id"] != held["id"]:
        raise invalid(f"Invalid subscription_item id: {given[0]['id']}", param=f"{where}[items][0][id]")
    asked: dict[str, Any] = {"id": held["id"], "price": given[0].get("price")}
    # A quantity that is not asked for has no null: it is not there.
    return asked | {name: given[0][name] for name in ("quantity",) if name in given[0]}


def _discounts(given: list[dict[str, Any]] | None, where: str) -> list[dict[str, Any]] | None:
    for place, one in enumerate(given or ()):
        if len([value for value in one.values() if value]) > 1:
            raise exclusive(f"{where}[discounts][{place}][coupon]", f"{where}[discounts][{place}][promotion_code]")
    if given is None:
        return None
    return [{"coupon": one.get("coupon"), "promotion_code": one.get("promotion_code")} for one in given]


def _after_completion(given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given["type"]
    where = "flow_data[after_completion]"
    for name in _ENDINGS:
        if name in given and name != kind:
            raise invalid(f"`{name}` can only be used with `type={name}`.", param=f"{where}[{name}]")
    redirect = given.get("redirect")
    if kind == "redirect" and redirect is None:
        raise missing_param(f"{where}[redirect]")
    if redirect is not None:
        check_url(redirect["return_url"], param=f"{where}[redirect][return_url]")
    confirmation = given.get("hosted_confirmation") or {}
    return {
        "hosted_confirmation": {"custom_message": confirmation.get("custom_message")}
        if kind == "hosted_confirmation"
        else None,
        "redirect": None if redirect is None else {"return_url": redirect["return_url"]},
        "type": kind,
    }
