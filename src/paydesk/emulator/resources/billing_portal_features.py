"""What a portal configuration switches on and off, and what it may not combine.

Every switch is always there: what a request leaves out is off on a new configuration, and
stays as it was on an old one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import invalid, missing_param

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

REASONS: Final = (
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
)
PAUSE_YEARS_MAX: Final = 3
QUANTITY_MAX: Final = 999_999
_IN_A_YEAR: Final = {"day": 365, "week": 52, "month": 12, "year": 1}

_OFF: Final[Mapping[str, Any]] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "feedback_options": None,
            "options": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {"interval_options": [{"interval": "month", "interval_count": 1}], "type": "interval_options"},
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}

# What saving the portal's settings for the first time switches on: everything but a change of plan, which needs plans.
SAVED_FIRST: Final[Mapping[str, Any]] = {
    "customer_update": {"allowed_updates": ["email", "name", "address", "phone", "tax_id"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"cancellation_reason": {"enabled": True, "options": list(REASONS)}, "enabled": True},
}

Product = dict[str, Any]


def merged(given: Mapping[str, Any], old: Mapping[str, Any] = _OFF) -> dict[str, Any]:
    """All features after a request: what it gives, over what was there."""
    features = _over(old, given)
    pause = (given.get("subscription_pause") or {}).get("duration")
    if pause is not None:
        features["subscription_pause"]["duration"] = {
            "interval_options": [
                {"interval": option["interval"], "interval_count": option.get("interval_count", 1)}
                for option in pause.get("interval_options") or ()
            ],
            "type": pause["type"],
        }
    return features


def check(features: Mapping[str, Any]) -> None:
    """Refuse features that do not go together.

    Raises:
        StripeError: 400.
    """
    if features["subscription_update"]["enabled"] and not features["payment_method_update"]["enabled"]:
        raise invalid("Cannot enable subscription updates while payment method update is disabled.")
    cancel = features["subscription_cancel"]
    where = "features[subscription_cancel][proration_behavior]"
    if cancel["proration_behavior"] == "always_invoice":
        raise invalid("A cancellation takes `none` or `create_prorations`.", param=where)
    if cancel["proration_behavior"] != "none" and cancel["mode"] == "at_period_end":
        raise invalid("Nothing is prorated when a subscription is canceled at the end of its period.", param=where)
    _check_pause(features["subscription_pause"]["duration"])


def products(world: World, given: Sequence[Mapping[str, Any]]) -> list[Product]:
    """What subscriptions may be switched to, checked against the catalog.

    Raises:
        StripeError: 400.
    """
    return [_product(world, one, index) for index, one in enumerate(given)]


def shown_products(_world: World, configuration: Document) -> list[Product] | None:
    """The products of a configuration, for who expands them."""
    kept: list[Product] | None = configuration.private["products"]
    return kept


def _over(old: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` over `old`: groups merge, lists are replaced, a list unset is empty, a text unset is null."""
    new: dict[str, Any] = {}
    for name, before in old.items():
        after = given.get(name, before)
        if isinstance(before, Mapping):
            new[name] = _over(before, after or {})
        elif isinstance(before, list):
            new[name] = list(after or ())
        else:
            new[name] = after
    return new


def _check_pause(duration: Mapping[str, Any]) -> None:
    where = "features[subscription_pause][duration][interval_options]"
    if duration["type"] == "indefinite":
        return
    if not duration["interval_options"]:
        raise missing_param(where)
    for index, option in enumerate(duration["interval_options"]):
        longest = PAUSE_YEARS_MAX * _IN_A_YEAR[option["interval"]]
        if not 1 <= option["interval_count"] <= longest:
            raise invalid(
                f"A subscription can be paused for one to {longest} {option['interval']}s.",
                param=f"{where}[{index}][interval_count]",
            )


def _product(world: World, given: Mapping[str, Any], index: int) -> Product:
    where = f"features[subscription_update][products][{index}]"
    product = world.get("product", given["product"], param=f"{where}[product]")
    prices = [
        world.get("price", price, param=f"{where}[prices][{place}]") for place, price in enumerate(given["prices"])
    ]
    for place, price in enumerate(prices):
        param = f"{where}[prices][{place}]"
        if price["product"] != product.id:
            raise invalid(f"The price {price.id} does not belong to the product {product.id}.", param=param)
        if price["recurring"] is None:
            raise invalid(
                "The price specified is set to `type=one_time` but this field only accepts prices with "
                "`type=recurring`.",
                param=param,
            )
        if not price["active"]:
            raise invalid("The price specified is inactive. This field only accepts active prices.", param=param)
    intervals = Counter(
        (price["currency"], price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices
    )
    if any(count > 1 for count in intervals.values()):
        raise invalid(
            f"The product {product.id} has several prices with the same billing interval. "
            "A customer could not tell them apart.",
            param=f"{where}[prices]",
        )
    adjustable = given.get("adjustable_quantity") or {}
    return {
        "adjustable_quantity": _adjustable(adjustable, f"{where}[adjustable_quantity]"),
        "prices": [price.id for price in prices],
        "product": product.id,
    }


def _adjustable(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    least, most = given.get("minimum", 1), given.get("maximum")
    for name, bound in (("minimum", least), ("maximum", most)):
        if bound is not None and not 0 <= bound <= QUANTITY_MAX:
            raise invalid(f"A quantity is between 0 and {QUANTITY_MAX}.", param=f"{where}[{name}]")
    if most is not None and most < least:
        raise invalid("The `maximum` must not be less than the `minimum`.", param=f"{where}[maximum]")
    return {"enabled": given.get("enabled", False), "maximum": most, "minimum": least}
