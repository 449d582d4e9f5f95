"""Coupons: what is taken off, for how long, and how often that may be had.

A coupon itself cannot be changed, only named anew and given further currencies: what was
promised with it stays true. Customers do not type coupons but promotion codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.money import check_currency, check_granularity

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

ID_CHARACTERS: Final = 8
REDEEM_BY_SECONDS_MAX: Final = 5 * 366 * 24 * 60 * 60


def _currency_options(_world: World, coupon: Document) -> dict[str, Any] | None:
    """What is taken off in each currency, the coupon's own among them."""
    if coupon["amount_off"] is None:
        return None
    options = {coupon["currency"]: {"amount_off": coupon["amount_off"]}, **coupon.private["currency_options"]}
    return dict(sorted(options.items()))


COUPON = Kind(
    "coupon",
    "",
    includes={
        "applies_to": lambda _world, coupon: coupon.private["applies_to"],
        "currency_options": _currency_options,
    },
    is_remembered=True,
)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    identifier = given.get("id") or world.characters(ID_CHARACTERS)
    if world.find("coupon", identifier) is not None:
        raise invalid("Coupon already exists.", code="resource_already_exists", param="id")
    currency = _check_worth(given)
    coupon = Document(
        {
            "id": identifier,
            "object": "coupon",
            "amount_off": given.get("amount_off"),
            "created": world.wall,
            "currency": currency,
            "duration": given.get("duration", "once"),
            "duration_in_months": _months(given),
            "livemode": world.livemode,
            "max_redemptions": at_least_one(given, "max_redemptions"),
            "metadata": metadata({}, given.get("metadata", {})),
            "name": given.get("name"),
            "percent_off": plain(given.get("percent_off")),
            "redeem_by": _redeem_by(given, world.wall),
            "times_redeemed": 0,
            "valid": True,
        }
    )
    coupon.private = {
        "applies_to": _applies_to(world, given.get("applies_to")),
        "currency_options": _options(given.get("currency_options"), currency),
    }
    if coupon["redeem_by"] is not None:
        world.schedule(coupon["redeem_by"], redeeming.LAPSE, coupon.id, by_wall=True)
    return world.add(coupon, "coupon.created")


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    coupon = world.get("coupon", call.path["coupon"])
    if "name" in given:
        coupon["name"] = given["name"]
    if "metadata" in given:
        coupon["metadata"] = metadata(coupon["metadata"], given["metadata"])
    if "currency_options" in given:
        if coupon["amount_off"] is None:
            raise _only_for_amounts()
        coupon.private["currency_options"] |= _options(given["currency_options"], coupon["currency"])
    world.save(coupon, "coupon.updated")
    return coupon


def _delete(call: Call) -> dict[str, Any]:
    coupon = call.world.get("coupon", call.path["coupon"])
    stub = call.world.delete(coupon, "coupon.deleted")
    redeeming.orphan(call.world, coupon.id)
    return stub


def plain(percent: float | None) -> float | None:
    """A percentage without a fraction of zero: 25, not 25.0."""
    return int(percent) if percent is not None and percent == int(percent) else percent


def at_least_one(given: Mapping[str, Any], name: str, *, param: str | None = None) -> int | None:
    """A count or an amount that must be positive where it is given."""
    count: int | None = given.get(name)
    if count is not None and count < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=param or name,
        )
    return count


def _check_worth(given: Mapping[str, Any]) -> str | None:
    """A coupon takes off a share or an amount; gives back the amount's currency."""
    percent, amount = given.get("percent_off"), given.get("amount_off")
    if percent is not None and amount is not None:
        raise exclusive("percent_off", "amount_off")
    if percent is None and amount is None:
        raise invalid("One of the following params should be provided for this request: percent_off or amount_off.")
    if percent is not None:
        if not 0 < percent <= 100:
            raise invalid("Invalid percent_off: must be greater than 0 and at most 100", param="percent_off")
        if given.get("currency_options"):
            raise _only_for_amounts()
        return None
    at_least_one(given, "amount_off")
    if not given.get("currency"):
        raise missing_param("currency")
    currency = check_currency(given["currency"])
    check_granularity(amount or 0, currency, param="amount_off")
    return currency


def _only_for_amounts() -> StripeError:
    return invalid("`currency_options` can only be used with `amount_off`.", param="currency_options")


def _months(given: Mapping[str, Any]) -> int | None:
    months = at_least_one(given, "duration_in_months")
    is_repeating = given.get("duration") == "repeating"
    if is_repeating and months is None:
        raise missing_param("duration_in_months")
    if months is not None and not is_repeating:
        raise invalid("`duration_in_months` can only be used with `duration=repeating`.", param="duration_in_months")
    return months


def _redeem_by(given: Mapping[str, Any], now: int) -> int | None:
    moment: int | None = given.get("redeem_by")
    if moment is not None and moment <= now:
        raise invalid("The `redeem_by` timestamp must be in the future.", param="redeem_by")
    if moment is not None and moment > now + REDEEM_BY_SECONDS_MAX:
        raise invalid("The `redeem_by` timestamp cannot be more than 5 years in the future.", param="redeem_by")
    return moment


def _applies_to(world: World, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    products = (given or {}).get("products")
    if not products:
        return None
    for index, identifier in enumerate(products):
        world.get("product", identifier, param=f"applies_to[products][{index}]")
    return {"products": list(products)}


def _options(given: Mapping[str, Any] | None, own: str | None) -> dict[str, Any]:
    options = {}
    for currency, option in (given or {}).items():
        lowered = check_currency(currency, param="currency_options")
        if lowered == own:
            raise invalid(
                "The coupon's own currency cannot be set in `currency_options`.",
                param=f"currency_options[{currency}]",
            )
        param = f"currency_options[{currency}][amount_off]"
        at_least_one(option, "amount_off", param=param)
        check_granularity(option["amount_off"], lowered, param=param)
        options[lowered] = {"amount_off": option["amount_off"]}
    return options


_SETTABLE = words("currency_options metadata name")

KINDS = (COUPON,)
ROUTES = (
    Route(
        "POST",
        "/v1/coupons",
        _create,
        uses=_SETTABLE
        | words(
            "amount_off applies_to.products currency duration duration_in_months id max_redemptions percent_off "
            "redeem_by"
        ),
        area="coupon",
    ),
    retrieve("/v1/coupons/{coupon}", COUPON),
    Route("POST", "/v1/coupons/{coupon}", _update, uses=_SETTABLE, area="coupon"),
    Route("DELETE", "/v1/coupons/{coupon}", _delete, area="coupon"),
    listing("/v1/coupons", COUPON),
)
TASKS: dict[str, Any] = {redeeming.LAPSE: redeeming.refresh}
