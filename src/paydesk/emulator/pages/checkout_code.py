"""Promotion codes on the payment page: typed, taken off the total, taken back, or refused in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import render
from paydesk.emulator.resources import checkout_discounts, checkout_pricing, promotion_code
from paydesk.emulator.resources import checkout_line_items as line_items
from paydesk.emulator.rules import money, redeeming

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.redeeming import Why

_UNKNOWN: Final = "This code is not valid. Please check its spelling."
# Whose code it is, is nobody else's business.
_PLAIN: Final[Mapping[Why, str]] = {
    "inactive": "This code can no longer be used.",
    "expired": "This code has expired.",
    "used_up": "This code has been used as often as it can be.",
    "not_theirs": _UNKNOWN,
    "not_first": "This code is for a first order only.",
    "too_little": "This code is for larger orders.",
    "other_currency": "This code cannot be used for a payment in this currency.",
    "other_products": "This code is for none of these items.",
}


def is_asked(session: Document) -> bool:
    """Whether the page has a field for a code: where the seller wants one, until there is one."""
    return bool(session["allow_promotion_codes"]) and checkout_discounts.of(session) is None


def apply(world: World, session: Document, text: str) -> str | None:
    """Make the order cheaper by a typed code; gives back what is wrong with it, for the customer to read."""
    if not text:
        return "Enter a code first."
    code = _meant(world, session, text)
    if code is None:
        return _UNKNOWN
    coupon = world.find("coupon", code["promotion"]["coupon"])
    currency = session["currency"]
    bought = checkout_discounts.purchase(world, line_items.lines_of(session), currency, session["customer"])
    why = redeeming.why_not(coupon, code, bought, world.wall)
    if why is not None:
        return in_plain_words(why, code, currency)
    discount = checkout_discounts.granted(world, coupon, code, bought, is_typed=True)
    try:
        checkout_pricing.set_discount(world, session, discount)
    except StripeError:
        least = render.money(money.minimum(currency), currency)
        return f"With this code the total would be less than {least}, which is too little to be charged."
    world.save(session)
    return None


def remove(world: World, session: Document) -> None:
    """Take back a code that was typed. What the seller gave stays."""
    discount = checkout_discounts.of(session)
    if discount is not None and discount["is_typed"]:
        checkout_pricing.set_discount(world, session, None)
        world.save(session)


def what_lapsed(world: World, session: Document, lines: list[line_items.Line]) -> str | None:
    """What the customer reads when the order's discount cannot be had for these lines (any more)."""
    discount = checkout_discounts.of(session)
    why = checkout_discounts.lapsed(world, session, lines)
    if discount is None or why is None:
        return None
    named = discount["promotion_code"]
    code = None if named is None else world.get("promotion_code", named)
    plain = in_plain_words(why, code, session["currency"])
    return f"{plain} Remove it to go on without it." if discount["is_typed"] else plain


def in_plain_words(why: Why, code: Document | None, currency: str) -> str:
    """A refusal as the customer reads it."""
    least = redeeming.minimum(code, currency) if why == "too_little" and code is not None else None
    return _PLAIN[why] if least is None else f"This code is for orders of {render.money(least, currency)} or more."


def _meant(world: World, session: Document, text: str) -> Document | None:
    """The code a customer means: one that is theirs and can be used, before any other of the same text."""
    codes = list(promotion_code.spelled(world, text))
    return max(codes, key=lambda code: (code["customer"] in (None, session["customer"]), code["active"]), default=None)
