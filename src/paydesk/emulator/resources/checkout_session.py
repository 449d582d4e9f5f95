"""Checkout Sessions: one visit to the hosted payment page, from the cart to the receipt.

A session is `open` until it is paid (`complete`) or its time is over (`expired`).
What the page does is in checkout_payment.py; here is what the seller's server does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources import (
    checkout_discounts,
    checkout_invoice,
    checkout_payment,
    checkout_pricing,
    checkout_taxes,
    checkout_validation,
    setup_intent,
)
from paydesk.emulator.resources import checkout_line_items as line_items
from paydesk.emulator.resources.checkout_cart import Cart
from paydesk.emulator.resources.checkout_payment import EXPIRE, check_open
from paydesk.emulator.resources.checkout_shape import opened
from paydesk.emulator.rules.intents import NARROWING
from paydesk.emulator.rules.money import check_currency

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.lists import Page
    from paydesk.emulator.kernel.world import World


def _breakdown(world: World, session: Document) -> dict[str, Any]:
    """What of a session's total is owed to which discount and rate: shown when it is expanded."""
    return {
        "discounts": checkout_discounts.breakdown(session),
        "taxes": checkout_taxes.breakdown(world, line_items.lines_of(session)),
    }


SESSION = Kind(
    "checkout.session",
    "cs_",
    missing="No such checkout.session: %s",
    missing_param=None,
    filters=(
        "customer",
        "customer_details.email",
        "payment_intent",
        "payment_link",
        "setup_intent",
        "status",
        "subscription",
    ),
    references={
        "customer": "customer",
        "discounts.coupon": "coupon",
        "discounts.promotion_code": "promotion_code",
        "invoice": "invoice",
        "payment_intent": "payment_intent",
        "setup_intent": "setup_intent",
        "subscription": "subscription",
    },
    includes={"line_items": line_items.embedded, "total_details.breakdown": _breakdown},
)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    checkout_validation.check(given, world.wall)
    customer = world.get("customer", given["customer"], param="customer") if given.get("customer") else None
    wanted = check_currency(given["currency"]) if given.get("currency") else None
    lines = line_items.create(world, given.get("line_items", ()), given["mode"], wanted)
    currency = lines[0]["currency"] if lines else wanted
    discount = checkout_discounts.asked(world, given, lines, currency, given.get("customer"))
    session = opened(world, given, currency=currency, customer=customer)
    session["discounts"] = checkout_discounts.shown(discount)
    call.echo(session)
    checkout_invoice.check(world, session)
    terms = {name: given.get(name) or {} for name in ("customer_update", "payment_intent_data", "subscription_data")}
    session.private = {"discount": discount, **terms}
    if lines and currency is not None:
        cart = Cart(given["mode"], lines, currency, session["customer"], discount, terms["subscription_data"])
        checkout_pricing.put(session, checkout_pricing.priced(world, cart))
    if given["mode"] == "setup":
        for_setup = (given.get("setup_intent_data") or {}) | {
            **{name: session.get(name) for name in NARROWING},
            "customer": session["customer"],
            "payment_method_options": session["payment_method_options"],
        }
        session["setup_intent"] = setup_intent.open_intent(world, for_setup, checkout=session.id).id
    world.schedule(session["expires_at"], EXPIRE, session.id, by_wall=True)
    return world.add(session)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    session = world.get("checkout.session", call.path["session"])
    if "metadata" in given:
        session["metadata"] = metadata(session["metadata"], given["metadata"])
    if "line_items" in given:
        check_open(session, "updated")
        if session["mode"] == "setup":
            raise invalid("You can not pass `line_items` in `setup` mode.", param="line_items")
        checkout_pricing.set_lines(world, session, line_items.update(world, session, given["line_items"]))
    shipping = (given.get("collected_information") or {}).get("shipping_details")
    if shipping is not None:
        session["collected_information"]["shipping_details"] = {
            "address": {
                part: shipping["address"].get(part)
                for part in ("city", "country", "line1", "line2", "postal_code", "state")
            },
            "name": shipping["name"],
        }
    world.save(session)
    return session


def _expire(call: Call) -> Document:
    session = call.world.get("checkout.session", call.path["session"])
    check_open(session, "expired")
    call.world.unschedule(EXPIRE, session.id)
    return expire(call.world, session)


def expire(world: World, session: Document) -> Document:
    """Close an open session unpaid."""
    checkout_payment.give_up(world, session)
    session["status"] = "expired"
    session["url"] = None
    world.save(session)
    world.emit("checkout.session.expired", session)
    return session


def _expire_when_due(world: World, identifier: str) -> None:
    session = world.find("checkout.session", identifier)
    if session is not None and session["status"] == "open":
        expire(world, session)


def _line_items(call: Call) -> Page:
    return line_items.page(call, call.world.get("checkout.session", call.path["session"]))


_AREA = "checkout_session"
_CREATE_USES = words(
    "adaptive_pricing.enabled allow_promotion_codes allowed_payment_method_types automatic_tax.enabled cancel_url "
    "client_reference_id currency customer customer_creation customer_email customer_update.address "
    "customer_update.name discounts excluded_payment_method_types expires_at "
    "invoice_creation.enabled line_items metadata mode payment_intent_data payment_method_collection return_url "
    "redirect_on_completion setup_intent_data shipping_options submit_type "
    "subscription_data success_url ui_mode branding_settings.display_name "
    "payment_method_options.card.request_three_d_secure saved_payment_method_options.allow_redisplay_filters"
) | frozenset(f"invoice_creation.invoice_data.{name}" for name in checkout_invoice.TAKEN)
_UPDATE_REFUSES = {
    "payment_intent_data": "only sessions with `ui_mode: elements` can change it, and those are not modelled.",
    "shipping_options": "the total would be wrong.",
}

KINDS = (SESSION, line_items.ITEM)
ROUTES = (
    Route(
        "POST",
        "/v1/checkout/sessions",
        _create,
        uses=_CREATE_USES,
        refuses=checkout_validation.REFUSED,
        area=_AREA,
    ),
    retrieve("/v1/checkout/sessions/{session}", SESSION),
    Route(
        "POST",
        "/v1/checkout/sessions/{session}",
        _update,
        uses=words("collected_information line_items metadata"),
        refuses=_UPDATE_REFUSES,
        area=_AREA,
    ),
    listing(
        "/v1/checkout/sessions",
        SESSION,
        filters="customer customer_account customer_details.email payment_intent payment_link status subscription",
    ),
    Route("POST", "/v1/checkout/sessions/{session}/expire", _expire, area=_AREA),
    Route(
        "GET",
        "/v1/checkout/sessions/{session}/line_items",
        _line_items,
        uses=words("limit starting_after ending_before"),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = {EXPIRE: _expire_when_due, checkout_payment.SETTLE: checkout_payment.settle}
