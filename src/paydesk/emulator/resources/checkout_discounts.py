"""What makes a Checkout Session cheaper: one coupon, or one promotion code, from the seller or typed on the page.

A session keeps the terms of the day they were applied; whether they can still be had is asked
again when somebody pays, and counted as redeemed when the session is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.resources import discount as discounts
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.discounts import Part, Terms, taken, terms
from paydesk.emulator.rules.money import step
from paydesk.emulator.rules.redeeming import Purchase, Why

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
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
    one = given["discounts"][0]
    if one.get("coupon") and one.get("promotion_code"):
        raise exclusive("discounts[0][coupon]", "discounts[0][promotion_code]")
    if one.get("promotion_code"):
        code = world.get("promotion_code", one["promotion_code"], param="discounts[0][promotion_code]")
        coupon = world.find("coupon", code["promotion"]["coupon"])
    elif one.get("coupon"):
        code, coupon = None, world.get("coupon", one["coupon"], param="discounts[0][coupon]")
    else:
        raise missing_param("discounts[0][coupon]")
    return granted(world, coupon, code, purchase(world, lines, currency, customer))


def granted(
    world: World, coupon: Document | None, code: Document | None, bought: Purchase, *, is_typed: bool = False
) -> Discount:
    """A discount on these terms, as a session keeps it. `is_typed`: the customer brought it, and may take it back.

    Raises:
        StripeError: 400 where it cannot be redeemed.
    """
    why = redeeming.why_not(coupon, code, bought, world.now)
    if why is not None:
        raise refusal(why, None if coupon is None else coupon.id, code)
    given = None if coupon is None else terms(coupon, bought.currency)
    if coupon is None or given is None:
        raise ValueError("a discount that can be redeemed has a coupon with terms")
    return {
        "id": world.mint("di_"),
        "coupon": coupon.id,
        "promotion_code": None if code is None else code.id,
        "label": code["code"] if code is not None else coupon["name"] or coupon.id,
        "terms": asdict(given),
        "start": world.now,
        "is_typed": is_typed,
    }


def refusal(why: Why, coupon_id: str | None, code: Document | None) -> StripeError:
    """Stripe's refusal to redeem a coupon, or a promotion code."""
    if code is not None:
        return invalid(
            f"This promotion code cannot be redeemed because {_BECAUSE[why]}", param="discounts[0][promotion_code]"
        )
    if why in ("expired", "used_up"):
        return invalid(f"Coupon expired: {coupon_id}", code="coupon_expired", param="discounts[0][coupon]")
    return invalid(f"This coupon cannot be redeemed because {_BECAUSE[why]}", param="discounts[0][coupon]")


def purchase(world: World, lines: Sequence[Line], currency: str, customer: str | None) -> Purchase:
    """What a session sells, as far as discounts care."""
    return Purchase(
        currency=currency,
        subtotal=sum(line["amount_subtotal"] for line in lines),
        products=frozenset(_product(world, line) for line in lines),
        customer=customer,
        has_paid_before=customer is not None
        and any(charge["paid"] for charge in world.having("charge", "customer", customer)),
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
    return redeeming.why_not(coupon, code, bought, world.now)


def check(world: World, session: Document, lines: Sequence[Line]) -> None:
    """Refuse lines, or a payment, for which the session's discount cannot be had (any more).

    Raises:
        StripeError: 400.
    """
    kept, why = of(session), lapsed(world, session, lines)
    if kept is not None and why is not None:
        raise refusal(why, kept["coupon"], _named(world, kept)[1])


def discounted(world: World, lines: Sequence[dict[str, Any]], discount: Discount | None) -> list[dict[str, Any]]:
    """Line items with what the discount takes off each."""
    off: Sequence[int] = [0] * len(lines)
    if discount is not None and lines:
        parts = [Part(_product(world, line), line["amount_subtotal"]) for line in lines]
        off = taken(_terms(discount), parts, step=step(lines[0]["currency"]))
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


def breakdown(_world: World, session: Document) -> dict[str, Any]:
    """What of a session's total is owed to which discount: shown when `total_details.breakdown` is expanded."""
    kept = of(session)
    if kept is None:
        return {"discounts": [], "taxes": []}
    discount = discounts.shape(
        kept["id"],
        coupon=kept["coupon"],
        promotion_code=kept["promotion_code"],
        start=kept["start"],
        checkout_session=session.id,
        customer=session["customer"],
    )
    amount = session["total_details"]["amount_discount"]
    return {"discounts": [{"amount": amount, "discount": discount}], "taxes": []}


def redeem(world: World, session: Document) -> None:
    """Count the session's discount as redeemed."""
    kept = of(session)
    if kept is not None:
        redeeming.redeem(world, kept["coupon"], kept["promotion_code"])


def _named(world: World, discount: Discount) -> tuple[Document | None, Document | None]:
    """A discount's coupon, unless it was deleted, and its promotion code, if it is one."""
    code = discount["promotion_code"]
    return world.find("coupon", discount["coupon"]), None if code is None else world.get("promotion_code", code)


def _terms(discount: Discount) -> Terms:
    kept = discount["terms"]
    products = kept["products"]
    return Terms(kept["percent_off"], kept["amount_off"], None if products is None else tuple(products))


def _product(world: World, line: Line) -> str:
    return str(world.get("price", line["price"])["product"])
