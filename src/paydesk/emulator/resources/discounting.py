"""Discounting: coupons and promotion codes, redeemed into discounts for invoices, subscriptions and their items.

A discount keeps the terms of the day it was given: whatever becomes of its coupon, it stays what was promised.
`discounts` of an object hold ids; here they are made, read, used up and taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.resources import discount_shape
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.discounts import Applied, ends, promise, promised
from paydesk.emulator.rules.redeeming import Purchase, Why

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

_BECAUSE: Final[Mapping[Why, str]] = {
    "inactive": "it is not active.",
    "expired": "it has expired.",
    "used_up": "it has been redeemed the maximum number of times.",
    "not_theirs": "it belongs to another customer.",
    "not_first": "the associated customer has prior transactions.",
    "too_little": "the associated purchase does not meet the minimum amount requirement.",
    "other_currency": "it is not available in the currency of the associated purchase.",
    "other_products": "it does not apply to anything in the associated purchase.",
}
_WAYS: Final = ("coupon", "discount", "offer", "promotion_code")


def purchase(
    world: World, customer: str | None, currency: str, subtotal: int, products: frozenset[str] | None = None
) -> Purchase:
    """What somebody buys, as far as discounts care; `subtotal` is what it costs without them.

    With `products`, a coupon must be for one of them; without, it may wait for one it is for.
    """
    return Purchase(currency, subtotal, products, customer, customer is not None and has_paid_before(world, customer))


def has_paid_before(world: World, customer: str) -> bool:
    """Whether a customer ever made a payment, or had an invoice that was paid."""
    return any(charge["paid"] for charge in world.having("charge", "customer", customer)) or any(
        invoice["status"] == "paid" for invoice in world.having("invoice", "customer", customer)
    )


def attach(
    world: World,
    given: Sequence[Mapping[str, Any]] | None,
    bought: Purchase,
    *,
    param: str = "discounts",
    known: Sequence[str] = (),
    **place: str | None,
) -> list[str]:
    """The ids of the discounts that a request asks for, in its order: each entry redeemed, and counted, now.

    `given` are its entries `{coupon | promotion_code | discount}`; None or empty: no discount. `known` are the ids of
    discounts that an entry may name to keep them: the object's own, and those of what it belongs to. `place` tells what
    gets cheaper: `subscription`, `subscription_item`, `invoice`, `invoice_item`, each by its id, which need not be
    stored yet. What a subscription gets is told as `customer.discount.created`. `param` says where the entries stand.

    No request can say `{offer}`: that is what Checkout hands over, which held it and counts its redemption itself.

    Raises:
        StripeError: 400 where one does not exist, or cannot be redeemed for this purchase.
    """
    return [_attach(world, entry, bought, f"{param}[{index}]", known, place) for index, entry in enumerate(given or ())]


def offer(world: World, coupon: Document, code: Document | None) -> dict[str, Any]:
    """What a coupon, or a promotion code for it, promises today: to be kept, and granted now or later."""
    return {
        "id": world.mint("di_"),
        "coupon": coupon.id,
        "promotion_code": None if code is None else code.id,
        "duration": coupon["duration"],
        "months": coupon["duration_in_months"],
        "label": code["code"] if code is not None else coupon["name"] or coupon.id,
        "terms": promise(coupon),
    }


def grant(world: World, offered: Mapping[str, Any], customer: str | None, **place: str | None) -> Document:
    """A discount as it was offered, from now on; `place` is as for `attach`, and may be a `checkout_session`."""
    shape = discount_shape.shape(
        offered["id"],
        coupon=offered["coupon"],
        promotion_code=offered["promotion_code"],
        start=world.now,
        end=ends(offered["duration"], offered["months"], world.now),
        customer=customer,
        **place,
    )
    discount = Document(shape, {name: offered[name] for name in ("duration", "label", "terms")})
    world.add(discount)
    _tell(world, "customer.discount.created", discount)
    return discount


def replace(
    world: World,
    held: Sequence[str],
    given: Sequence[Mapping[str, Any]] | None,
    bought: Purchase,
    *,
    param: str = "discounts",
    inherited: Sequence[str] = (),
    **place: str | None,
) -> list[str]:
    """The ids after an update: what its entries name stays or is new, what else was `held` is taken away.

    `inherited` are discounts of what the object belongs to: it may name them, and letting go of one takes it from
    nobody else. The rest is as for `attach`.
    """
    kept = attach(world, given, bought, param=param, known=(*held, *inherited), **place)
    for identifier in held:
        found = world.find("discount", identifier)
        if identifier not in kept and found is not None and _is_of(found, place):
            detach(world, identifier)
    return kept


def detach(world: World, identifier: str) -> Document:
    """Take a discount away from what it made cheaper: from now on it is a `deleted_discount`.

    Invoices that have it keep what it took off. Told as `customer.discount.deleted` where a subscription had it.
    """
    discount = world.get("discount", identifier)
    _tell(world, "customer.discount.deleted", discount)
    discount.pop("end", None)
    discount["deleted"] = True
    world.save(discount)
    return discount


def in_force(world: World, identifiers: Sequence[str], at: int) -> list[str]:
    """Of the discounts of a subscription or an item, those that still count for a period which begins at `at`."""
    found = (world.get("discount", identifier) for identifier in identifiers)
    return [one.id for one in found if "deleted" not in one and (one["end"] is None or at < one["end"])]


def spend(world: World, held: Sequence[str], invoice: Document) -> list[str]:
    """What a subscription, or an item, has left of its discounts after an invoice: the ids to keep.

    A coupon that is had `once` is used up by the first invoice it takes something off: one of nothing (a free trial)
    leaves it. A `repeating` one goes when its months are over. The invoice keeps both.
    """
    used = {share["discount"] for share in invoice["total_discount_amounts"] if share["amount"]}
    left = []
    for identifier in held:
        discount = world.get("discount", identifier)
        is_used_up = discount.private["duration"] == "once" and identifier in used
        if is_used_up or not in_force(world, [identifier], invoice["created"]):
            _tell(world, "customer.discount.deleted", discount)
        else:
            left.append(identifier)
    return left


def applied(world: World, identifiers: Sequence[str], currency: str) -> list[Applied]:
    """Discounts by what they take off in a currency; one that has no amount in it takes off nothing."""
    found = ((identifier, world.get("discount", identifier).private["terms"]) for identifier in identifiers)
    terms = ((identifier, promised(kept, currency)) for identifier, kept in found)
    return [Applied(identifier, worth) for identifier, worth in terms if worth is not None]


def described(world: World, identifier: str) -> tuple[str, str | None]:
    """What customers know a discount by (its code, else its coupon's name), and the percentage, if it is one."""
    kept = world.get("discount", identifier).private
    return kept["label"], kept["terms"]["percent_off"]


def named(world: World, entry: Mapping[str, Any], param: str) -> tuple[Document | None, Document | None]:
    """The coupon, and the promotion code if it is one, that an entry of a request names.

    There is no coupon where a code outlived it.

    Raises:
        StripeError: 400 where it names both, neither, or what does not exist.
    """
    if entry.get("coupon") and entry.get("promotion_code"):
        raise exclusive(f"{param}[coupon]", f"{param}[promotion_code]")
    if entry.get("promotion_code"):
        code = world.get("promotion_code", entry["promotion_code"], param=f"{param}[promotion_code]")
        return world.find("coupon", code["promotion"]["coupon"]), code
    if entry.get("coupon"):
        return world.get("coupon", entry["coupon"], param=f"{param}[coupon]"), None
    raise missing_param(f"{param}[coupon]")


def redeemable(world: World, coupon: Document | None, code: Document | None, bought: Purchase, param: str) -> Document:
    """The coupon, if it can be had for this.

    Raises:
        StripeError: 400 where it cannot.
    """
    why = redeeming.why_not(coupon, code, bought, world.wall)
    if why is not None:
        raise refusal(why, None if coupon is None else coupon.id, code, param)
    if coupon is None:
        raise ValueError("what can be redeemed has a coupon")
    return coupon


def refusal(why: Why, coupon_id: str | None, code: Document | None, param: str) -> StripeError:
    """Stripe's refusal to redeem a coupon, or a promotion code."""
    if code is not None:
        return invalid(
            f"This promotion code cannot be redeemed because {_BECAUSE[why]}", param=f"{param}[promotion_code]"
        )
    if why in ("expired", "used_up"):
        return invalid(f"Coupon expired: {coupon_id}", code="coupon_expired", param=f"{param}[coupon]")
    return invalid(f"This coupon cannot be redeemed because {_BECAUSE[why]}", param=f"{param}[coupon]")


def _attach(
    world: World,
    entry: Mapping[str, Any],
    bought: Purchase,
    param: str,
    known: Sequence[str],
    place: Mapping[str, str | None],
) -> str:
    ways = [name for name in _WAYS if entry.get(name)]
    if len(ways) > 1:
        raise exclusive(*(f"{param}[{name}]" for name in ways))
    if ways == ["discount"]:
        if entry["discount"] not in known:
            raise world.no_such("discount", entry["discount"], param=f"{param}[discount]")
        return str(entry["discount"])
    if ways == ["offer"]:
        return grant(world, entry["offer"], bought.customer, **place).id
    coupon, code = named(world, entry, param)
    coupon = redeemable(world, coupon, code, bought, param)
    redeeming.redeem(world, coupon.id, None if code is None else code.id)
    return grant(world, offer(world, coupon, code), bought.customer, **place).id


def _is_of(discount: Document, place: Mapping[str, str | None]) -> bool:
    """Whether a discount was given to this very object, and not to what it belongs to."""
    return all(discount[name] == identifier for name, identifier in place.items())


def _tell(world: World, event: str, discount: Document) -> None:
    """Discounts of one invoice are no news of the customer."""
    if discount["subscription"] is not None:
        world.emit(event, discount)
