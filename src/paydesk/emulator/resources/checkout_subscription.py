"""Checkout in mode `subscription`: what will begin, what it costs, and the beginning itself once it is paid for.

Until then nothing exists of it. What its first invoice will say is found out by beginning it for real and taking that
back, so that the page, the session and the invoice cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import (
    checkout_cart,
    checkout_discounts,
    customer,
    invoice_lines,
    invoicing,
    payment_method,
    subscribing,
    subscription_renewal,
    subscription_shape,
    test_clock,
)
from paydesk.emulator.resources.checkout_cart import Cart, Priced
from paydesk.emulator.resources.checkout_line_items import rhythm
from paydesk.emulator.rules import billing_news, taxes
from paydesk.emulator.rules.checkout_totals import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.checkout_line_items import Line
    from paydesk.emulator.resources.subscribing import Begun

TRIAL_END_SECONDS_MIN: Final = 48 * 3600
# A share of a period costs less with every second. For so long the customer may look at what they were quoted.
QUOTE_SECONDS: Final = 3600
PURPOSE: Final = "Subscription creation"


@dataclass(frozen=True)
class Outlook:
    """What comes after the first invoice.

    `trial_end` is when the trial will be over, if there is one, seen from `at`. `renewal` is the total of the next
    invoice, at `renews_at`; None where that bills only a part of what is subscribed to.
    """

    at: int
    trial_end: int | None
    renewal: int | None
    renews_at: int


def quoted(world: World, cart: Cart, at: int | None = None) -> Priced:
    """What the first invoice will say, if the subscription begins now, or as if it were the moment `at`.

    Raises:
        StripeError: 400 where nothing could begin, in the words of Checkout's parameters.
    """
    try:
        return world.rehearse(lambda: _quote(world, cart, at))
    except StripeError as refusal:
        refusal.param = _as_checkout_calls_it(world, cart, refusal.param)
        raise


def quoted_for(world: World, session: Document) -> Priced:
    """What the first invoice of an open session will say. A share of a period is quoted for an hour."""
    return quoted(world, checkout_cart.of(session), _moment(world, session))


def outlook(world: World, session: Document) -> Outlook:
    """What will come after the first invoice of an open session."""
    cart, at = checkout_cart.of(session), _moment(world, session)
    return world.rehearse(lambda: _outlook(world, cart, at))


def begin(world: World, session: Document, intent: Document | None) -> None:
    """Start the subscription that a session has sold, once its intent has succeeded (None: it asked for no card).

    The session names it, and its first invoice; it is not saved yet.
    """
    cart = checkout_cart.of(session)
    owner = world.get("customer", session["customer"])
    given = _request(world, cart)
    is_paid = intent is not None and intent["object"] == "payment_intent"
    if intent is not None:
        # A slow bank's account is kept before its answer: what follows is to be charged to it.
        payment_method.keep(world, world.get("payment_method", intent["payment_method"]), owner)
        given["default_payment_method"] = intent["payment_method"]
    at, now = _moment(world, session), world.now
    if at is not None:
        world.now = at
    subscription = subscribing.start(world, owner, given, paid_with=intent if is_paid else None)
    world.now = now
    if intent is not None and is_paid:
        intent.private |= {"followed_by": invoicing.PROGRESSED, "invoice": subscription["latest_invoice"]}
        world.save(intent)
        if intent["status"] == "processing":
            world.perform(invoicing.PROGRESSED, intent.id)
    session["subscription"] = subscription.id
    session["invoice"] = subscription["latest_invoice"]


def news(session: Document) -> Sequence[str]:
    """In which order it is told what a try to pay a session sets in motion."""
    if session["mode"] != "subscription":
        return ()
    if not session.private["due"]:
        return billing_news.BEGUN_FREE
    return billing_news.BILLED if session["customer"] is None else billing_news.BOUGHT_AGAIN


def _quote(world: World, cart: Cart, at: int | None) -> Priced:
    begun = _begun(world, cart, at)
    invoice = begun.invoice
    invoicing.finalize(world, invoice)
    sums = Totals(
        subtotal=invoice["subtotal"],
        discount=sum(one["amount"] for one in invoice["total_discount_amounts"]),
        tax=sum(one["amount"] for one in invoice["total_taxes"]),
        total=invoice["total"],
    )
    return Priced(_charged(world, cart, begun), sums, invoice["amount_due"], world.now)


def _outlook(world: World, cart: Cart, at: int | None) -> Outlook:
    begun = _begun(world, cart, at)
    begins, trial_end = world.now, begun.subscription["trial_end"]
    items = subscription_shape.items_of(world, begun.subscription)
    ends = {item["current_period_end"] for item in items}
    world.now = min(ends)
    renewal = None
    if len(ends) == 1:
        renewal = subscription_renewal.renew(world, begun.subscription, items)["total"]
    return Outlook(begins, trial_end, renewal, min(ends))


def _begun(world: World, cart: Cart, at: int | None) -> Begun:
    """Begin it, without paying; only ever in a rehearsal."""
    owner = customer.add_untold(world, {}) if cart.customer is None else world.get("customer", cart.customer)
    if at is not None:
        world.now = at
    test_clock.check_room(world, owner)
    _check_trial_end(world, cart)
    _check_currency(world, owner, cart.currency)
    return subscribing.begin(world, owner, _request(world, cart))


def _request(world: World, cart: Cart) -> dict[str, Any]:
    """The parameters with which the API would be asked for it."""
    recurring, once = _parted(world, cart)
    return {
        **cart.terms,
        "add_invoice_items": [_entry(line) | {"currency": cart.currency} for line in once],
        "currency": cart.currency,
        "discounts": checkout_discounts.entries(cart.discount),
        "items": [_entry(line) for line in recurring],
    }


def _entry(line: Line) -> dict[str, Any]:
    entry: dict[str, Any] = {"sold": line["price"]}
    if line["quantity"] is not None:
        entry["quantity"] = line["quantity"]
    if line["tax_rates"]:
        entry["tax_rates"] = [rate["id"] for rate in line["tax_rates"]]
    return entry


def _parted(world: World, cart: Cart) -> tuple[list[Line], list[Line]]:
    """What is due again and again, and what is paid once."""
    recurring = [line for line in cart.lines if rhythm(world, line) is not None]
    return recurring, [line for line in cart.lines if rhythm(world, line) is None]


def _charged(world: World, cart: Cart, begun: Begun) -> list[Line]:
    """The cart's lines, with what the first invoice charges for each."""
    recurring, once = _parted(world, cart)
    charged = invoice_lines.of(begun.invoice)
    items = subscription_shape.items_of(world, begun.subscription)
    # Whatever else waited for the customer comes before what is bought here.
    bought = [line for line in charged if line["parent"]["type"] == "invoice_item_details"][-len(once) :]
    amounts = {
        **{
            line["id"]: _sum([part for part in charged if _item_of(part) == item.id])
            for line, item in zip(recurring, items, strict=True)
        },
        **{line["id"]: _sum([part]) for line, part in zip(once, bought, strict=False)},
    }
    return [line | amounts[line["id"]] for line in cart.lines]


def _item_of(line: dict[str, Any]) -> str | None:
    made_for: dict[str, Any] = line["parent"]["subscription_item_details"] or {}
    return made_for.get("subscription_item")


def _sum(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    subtotal = sum(part["amount"] for part in parts)
    discount = sum(taken["amount"] for part in parts for taken in part["discount_amounts"])
    due = [tax for part in parts for tax in part["taxes"]]
    return {
        "amount_discount": discount,
        "amount_subtotal": subtotal,
        "amount_tax": sum(tax["amount"] for tax in due),
        "amount_total": subtotal - discount + taxes.total(due, "exclusive"),
        "taxes": due,
    }


def _moment(world: World, session: Document) -> int | None:
    """The moment for which a share of a period was quoted, as long as that stands; None: whatever it is now."""
    terms = session.private.get("subscription_data") or {}
    if not (terms.get("billing_cycle_anchor") or terms.get("billing_cycle_anchor_config")):
        return None
    if session["customer"] is not None:
        # What a customer on a test clock is billed goes by that clock.
        world.find("customer", session["customer"])
    quoted_at: int | None = session.private.get("quoted_at")
    is_fresh = quoted_at is not None and 0 <= world.now - quoted_at < QUOTE_SECONDS
    return quoted_at if is_fresh else None


def _check_trial_end(world: World, cart: Cart) -> None:
    end = cart.terms.get("trial_end")
    if end is not None and end < world.now + TRIAL_END_SECONDS_MIN:
        raise invalid(
            "The `subscription_data[trial_end]` timestamp must be at least 48 hours in the future.", param="trial_end"
        )


def _check_currency(world: World, owner: Document, currency: str) -> None:
    """One customer is billed in one currency."""
    held = {owner["currency"]} | {
        session["currency"]
        for session in world.having("checkout.session", "customer", owner.id)
        if session["mode"] == "subscription" and session["status"] == "open" and session["expires_at"] > world.wall
    }
    others = held - {None, currency}
    if others:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            "subscription schedule, discount, quote, invoice item or active subscription mode checkout session with "
            f"currency {min(others)}."
        )


_ENTRY: Final = re.compile(r"(items|add_invoice_items)\[(\d+)\](.*)")


def _as_checkout_calls_it(world: World, cart: Cart, param: str | None) -> str | None:
    """A parameter of a subscription, by the name that it has in a session's request."""
    if param is None:
        return None
    head = param.partition("[")[0]
    if head in cart.terms:
        return f"subscription_data[{head}]{param.removeprefix(head)}"
    entry = _ENTRY.fullmatch(param)
    if entry is None:
        return "line_items" if param == "items" else param
    recurring, once = _parted(world, cart)
    line = (recurring if entry[1] == "items" else once)[int(entry[2])]
    return f"line_items[{list(cart.lines).index(line)}]{entry[3]}"
