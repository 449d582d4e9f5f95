"""What a Checkout Session costs: worked out when it is opened, and again whenever somebody looks at it or pays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.resources import (
    checkout_cart,
    checkout_discounts,
    checkout_payment,
    checkout_subscription,
    checkout_taxes,
)
from paydesk.emulator.resources.checkout_cart import Cart, Priced
from paydesk.emulator.rules.checkout_totals import Totals, totals
from paydesk.emulator.rules.money import AMOUNT_MAX, amount_text, minimum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.checkout_discounts import Discount
    from paydesk.emulator.resources.checkout_line_items import Line


def priced(world: World, cart: Cart) -> Priced:
    """What a cart comes to now.

    Raises:
        StripeError: 400 where the total cannot be charged, or (in mode subscription) nothing could begin with it.
    """
    if cart.mode == "subscription":
        return checkout_subscription.quoted(world, cart)
    discounted = checkout_discounts.discounted(world, cart.lines, cart.discount)
    lines = checkout_taxes.taxed(world, discounted, cart.customer)
    sums = totals(lines)
    _check_total(sums, cart.currency)
    return Priced(lines, sums, sums.total, world.now)


def set_lines(world: World, session: Document, lines: Sequence[Line]) -> None:
    """Sell these from now on, at what they cost less the session's discount.

    Raises:
        StripeError: 400 where the total cannot be charged, or the discount is not to be had for these.
    """
    checkout_discounts.check(world, session, lines)
    _sell(world, session, replace(checkout_cart.of(session), lines=lines))


def set_discount(world: World, session: Document, discount: Discount | None) -> None:
    """Give what is sold for less from now on, or (for None) at its full price again.

    Raises:
        StripeError: 400 where the total cannot be charged.
    """
    _sell(world, session, replace(checkout_cart.of(session), discount=discount))


def refresh(world: World, session: Document) -> None:
    """Look again at what a subscription will cost at first: its customer's balance and the time may have changed it.

    Raises:
        StripeError: 400 where nothing can begin any more.
    """
    if session["mode"] != "subscription" or session["status"] != "open":
        return
    found = checkout_subscription.quoted_for(world, session)
    if (found.totals.total, found.due) != (session["amount_total"], session.private["due"]):
        checkout_payment.abandon_try(world, session)
    put(session, found)
    world.save(session)


def put(session: Document, found: Priced) -> None:
    """Show what a session comes to; it is not saved yet."""
    session.private |= {"due": found.due, "lines": found.lines, "quoted_at": found.at}
    session["amount_subtotal"] = found.totals.subtotal
    session["amount_total"] = found.totals.total
    session["total_details"] = found.totals.details()


def _sell(world: World, session: Document, cart: Cart) -> None:
    found = priced(world, cart)
    checkout_payment.abandon_try(world, session)
    session.private["discount"] = cart.discount
    session["discounts"] = checkout_discounts.shown(cart.discount)
    put(session, found)


def _check_total(sums: Totals, currency: str) -> None:
    """Refuse a total that cannot be charged. Nothing to pay is no charge, and allowed."""
    if 0 < sums.total < minimum(currency):
        raise StripeError(
            "The Checkout Session's total amount due must add up to at least "
            f"{amount_text(minimum(currency), currency)} {currency}",
            code="amount_too_small",
        )
    if sums.total > AMOUNT_MAX:
        raise StripeError(
            "The Checkout Session's total amount due must be no more than "
            f"{amount_text(AMOUNT_MAX, currency)} {currency}",
            code="amount_too_large",
        )
