"""What makes a Checkout Session cheaper: one coupon, or one promotion code, from the seller or typed on the page.

A session keeps the terms of the day they were applied; whether they can still be had is asked
again when somebody pays, and counted as redeemed when the session is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.resources import discount_shape, discounting
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.discounts import Part, promised, taken
from paydesk.emulator.rules.money import step
from paydesk.emulator.rules.redeeming import Purchase, Why

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# A session has one discount at most.
_PARAM: Final = "discounts[0]"

Discount = dict[str, Any]
Line = Mapping[str, Any]


def asked(
    world: World, given: Mapping[str, Any], lines: Sequence[Line], currency: str | None, customer: str | None
) -> Discount | None:
    """The discount that the seller gives a new session.

    Raises:
        StripeError: 400 for a coupon or code that does not exist, or cannot be redeemed for this.
    """
    if not given.get("discounts") or currency is None:
        return None
    coupon, code = discounting.named(world, given["discounts"][0], _PARAM)
    return granted(world, coupon, code, purchase(world, lines, currency, customer))


def granted(
    world: World, coupon: Document | None, code: Document | None, bought: Purchase, *, is_typed: bool = False
) -> Discount:
    """A discount on these terms, as a session keeps it. `is_typed`: the customer brought it, and may take it back.

    Raises:
        StripeError: 400 where it cannot be redeemed.
    """
    coupon = discounting.redeemable(world, coupon, code, bought, _PARAM)
    return discounting.offer(world, coupon, code) | {"is_typed": is_typed, "start": world.now}


def purchase(world: World, lines: Sequence[Line], currency: str, customer: str | None) -> Purchase:
    """What a session sells, as far as discounts care."""
    return discounting.purchase(
        world,
        customer,
        currency,
        sum(line["cost"] for line in lines),
        frozenset(_product(world, line) for line in lines),
    )


def of(session: Document) -> Discount | None:
    """A session's discount."""
    kept: Discount | None = session.private.get("discount")
    return kept


def lapsed(world: World, session: Document, lines: Sequence[Line]) -> Why | None:
    """Why a session's discount cannot be had (any more) for these lines; a coupon that was deleted stays given."""
    kept = of(session)
    if kept is None:
        return None
    coupon, code = _named(world, kept)
    if coupon is None and code is None:
        return None
    bought = purchase(world, lines, session["currency"], session["customer"])
    return redeeming.why_not(coupon, code, bought, world.wall)


def check(world: World, session: Document, lines: Sequence[Line]) -> None:
    """Refuse lines, or a payment, for which the session's discount cannot be had (any more).

    Raises:
        StripeError: 400.
    """
    kept, why = of(session), lapsed(world, session, lines)
    if kept is not None and why is not None:
        raise discounting.refusal(why, kept["coupon"], _named(world, kept)[1], _PARAM)


def discounted(world: World, lines: Sequence[dict[str, Any]], discount: Discount | None) -> list[dict[str, Any]]:
    """Line items with what the discount takes off each."""
    off: Sequence[int] = [0] * len(lines)
    terms = None if discount is None or not lines else promised(discount["terms"], lines[0]["currency"])
    if terms is not None:
        parts = [Part(_product(world, line), line["amount_subtotal"]) for line in lines]
        off = taken(terms, parts, step=step(lines[0]["currency"]))
    return [
        line | {"amount_discount": less, "amount_total": line["amount_subtotal"] - less}
        for line, less in zip(lines, off, strict=True)
    ]


def shown(discount: Discount | None) -> list[dict[str, Any]]:
    """A session's `discounts`: the code where it is one, else the coupon."""
    if discount is None:
        return []
    code = discount["promotion_code"]
    return [{"coupon": None if code else discount["coupon"], "promotion_code": code}]


def breakdown(session: Document) -> list[dict[str, Any]]:
    """What of a session's total is owed to which discount."""
    kept = of(session)
    if kept is None:
        return []
    return [{"amount": session["total_details"]["amount_discount"], "discount": _shape(session, kept)}]


def lasting(world: World, session: Document) -> Document | None:
    """A session's discount as an object of its own, for the invoice that follows."""
    kept = of(session)
    if kept is None:
        return None
    return discounting.grant(world, kept | {"duration": "once"}, session["customer"], checkout_session=session.id)


def entries(discount: Discount | None) -> list[dict[str, Any]]:
    """A session's discount as `discounts` of the subscription that follows: on the terms, and counted once, as here."""
    return [] if discount is None else [{"offer": discount}]


def redeem(world: World, session: Document) -> None:
    """Count the session's discount as redeemed."""
    kept = of(session)
    if kept is not None:
        redeeming.redeem(world, kept["coupon"], kept["promotion_code"])


def _shape(session: Document, kept: Discount) -> dict[str, Any]:
    """A session's discount before it is an object of its own."""
    return discount_shape.shape(
        kept["id"],
        coupon=kept["coupon"],
        promotion_code=kept["promotion_code"],
        start=kept["start"],
        checkout_session=session.id,
        customer=session["customer"],
    )


def _named(world: World, discount: Discount) -> tuple[Document | None, Document | None]:
    """A discount's coupon, unless it was deleted, and its promotion code, if it is one."""
    code = discount["promotion_code"]
    return world.find("coupon", discount["coupon"]), None if code is None else world.get("promotion_code", code)


def _product(world: World, line: Line) -> str:
    return str(world.ever("price", line["price"])["product"])
