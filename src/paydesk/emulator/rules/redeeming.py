"""Whether a coupon or a promotion code can still be redeemed, and what a redemption leaves behind.

What hangs on the time or on a count is worked out again whenever either moves, and kept,
so that lists and look-ups show it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from paydesk.emulator.rules import discounts

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# One task for both: what is over at that time is the coupon's business, and its codes follow it.
LAPSE: Final = "coupon.lapse"

Why = Literal[
    "inactive", "expired", "used_up", "not_theirs", "not_first", "too_little", "other_currency", "other_products"
]


@dataclass(frozen=True)
class Purchase:
    """What somebody wants to have cheaper; `subtotal` is in the currency's smallest unit.

    Where `products` is None, a coupon may be redeemed now for what is bought later.
    """

    currency: str
    subtotal: int
    products: frozenset[str] | None
    customer: str | None = None
    has_paid_before: bool = False


def why_not(coupon: Document | None, code: Document | None, purchase: Purchase, now: int) -> Why | None:
    """Why a coupon, or a promotion code for it, cannot be redeemed for a purchase; None: it can.

    No coupon is one that was deleted. `now` is in seconds.
    """
    for limited, ends in ((code, "expires_at"), (coupon, "redeem_by")):
        if limited is not None and has_passed(limited[ends], now):
            return "expired"
        if limited is not None and is_used_up(limited):
            return "used_up"
    if coupon is None or (code is not None and not is_active(code, coupon, now)):
        return "inactive"
    if code is not None:
        if code["customer"] not in (None, purchase.customer):
            return "not_theirs"
        if code["restrictions"]["first_time_transaction"] and purchase.has_paid_before:
            return "not_first"
        if code["restrictions"]["minimum_amount"] is not None:
            least = minimum(code, purchase.currency)
            if least is None:
                return "other_currency"
            if purchase.subtotal < least:
                return "too_little"
    terms = discounts.terms(coupon, purchase.currency)
    if terms is None:
        return "other_currency"
    is_wanted = purchase.products is None or any(map(terms.applies_to, purchase.products))
    return None if is_wanted else "other_products"


def minimum(code: Document, currency: str) -> int | None:
    """From which amount on a code can be redeemed; None where it names none in this currency."""
    restrictions = code["restrictions"]
    if restrictions["minimum_amount_currency"] == currency:
        return int(restrictions["minimum_amount"])
    option: dict[str, int] | None = code.private["minimums"].get(currency)
    return None if option is None else option["minimum_amount"]


def is_valid(coupon: Mapping[str, Any], now: int) -> bool:
    """Whether a coupon can still be redeemed; `now` is in seconds."""
    return not (has_passed(coupon["redeem_by"], now) or is_used_up(coupon))


def is_active(code: Document, coupon: Mapping[str, Any] | None, now: int) -> bool:
    """Whether a promotion code can still be redeemed; None is a coupon that was deleted."""
    return (
        bool(code.private["is_switched_on"])
        and not code.private["is_orphan"]
        and coupon is not None
        and is_valid(coupon, now)
        and not has_passed(code["expires_at"], now)
        and not is_used_up(code)
    )


def has_passed(moment: int | None, now: int) -> bool:
    """Whether a time limit is over, if there is one."""
    return moment is not None and moment <= now


def is_used_up(limited: Mapping[str, Any]) -> bool:
    """Whether a coupon or a code was redeemed as often as it may be."""
    most: int | None = limited["max_redemptions"]
    return most is not None and limited["times_redeemed"] >= most


def refresh(world: World, coupon_id: str) -> None:
    """Show a coupon and its promotion codes as they are now. Not an event: nobody updated them."""
    coupon = world.find("coupon", coupon_id)
    if coupon is not None:
        coupon["valid"] = is_valid(coupon, world.wall)
        world.save(coupon)
    for code in world.having("promotion_code", "promotion.coupon", coupon_id):
        code["active"] = is_active(code, coupon, world.wall)
        world.save(code)


def orphan(world: World, coupon_id: str) -> None:
    """End a deleted coupon's codes for good: another coupon of its id may follow, and is not what they promised."""
    for code in world.having("promotion_code", "promotion.coupon", coupon_id):
        code.private["is_orphan"] = True
        code["active"] = False
        world.save(code)


def redeem(world: World, coupon_id: str, code_id: str | None) -> None:
    """Count one redemption; whatever was deleted meanwhile counts no more."""
    for kind, identifier in (("coupon", coupon_id), ("promotion_code", code_id)):
        redeemed = world.find(kind, identifier) if identifier is not None else None
        if redeemed is not None:
            redeemed["times_redeemed"] += 1
            world.save(redeemed)
    refresh(world, coupon_id)
