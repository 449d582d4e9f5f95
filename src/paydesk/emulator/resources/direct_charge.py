"""Charging directly, the old way: a token or a customer's saved card, without a payment intent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import card, charge
from paydesk.emulator.resources.charge import shipping
from paydesk.emulator.rules import intents
from paydesk.emulator.rules.confirming import Challenge, Refuse, decide
from paydesk.emulator.rules.declines import AUTHENTICATION_REQUIRED
from paydesk.emulator.rules.instrument import Instrument
from paydesk.emulator.rules.money import amount_text, check_charge_amount, check_currency

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.world import World

# The dispute's own task: a charge knows nothing of what may follow it.
_OPEN_DISPUTES = "dispute.open"
_HOLD_EXPIRED = "charge.hold_expired"


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    for name in ("amount", "currency"):
        if name not in given:
            raise missing_param(name)
    currency = check_currency(given["currency"])
    check_charge_amount(given["amount"], currency)
    source = _source(world, given)
    instrument = _instrument(source)
    terms = {
        **{name: given.get(name) for name in _REPEATED},
        "currency": currency,
        "metadata": metadata({}, given.get("metadata", {})),
        "shipping": shipping(given.get("shipping")),
    }
    # Nobody can be sent to a bank's page from here: a card that must ask its holder is declined.
    verdict = decide(instrument.card, off_session=True)
    match verdict:
        case Refuse(decline):
            failed = charge.decline(world, terms, instrument, decline)
            raise decline.error(keeps_work=True, charge=failed.id)
        case Challenge():
            failed = charge.decline(world, terms, instrument, AUTHENTICATION_REQUIRED)
            raise AUTHENTICATION_REQUIRED.error(keeps_work=True, charge=failed.id)
    captures = given.get("capture", True)
    made = charge.authorize(world, terms, instrument, captures=captures)
    call.echo(made)
    if captures:
        _look_for_disputes(world, made)
    else:
        world.schedule(world.wall + charge.HOLD_SECONDS, _HOLD_EXPIRED, made.id, by_wall=True)
    return made


def _source(world: World, given: dict[str, Any]) -> Document:
    named, customer = given.get("source"), given.get("customer")
    if customer is None:
        if named is None:
            raise StripeError("Must provide source or customer.", code="parameter_missing")
        return card.from_token(world, named)
    owner = world.get("customer", customer, param="customer")
    named = named or owner["default_source"]
    if named is None:
        raise StripeError(
            "Cannot charge a customer that has no active card",
            status=402,
            type="card_error",
            code="missing",
            param="card",
        )
    found = world.get("card", named, param="source")
    if found["customer"] != owner.id:
        raise StripeError(
            f"Customer {owner.id} does not have a linked source with ID {named}.", code="missing", param="source"
        )
    return found


def _instrument(source: Document) -> Instrument:
    shown = {
        "brand": source.private["brand"],
        "checks": {
            "address_line1_check": source["address_line1_check"],
            "address_postal_code_check": source["address_zip_check"],
            "cvc_check": source["cvc_check"],
        },
        **{name: source[name] for name in ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4")},
    }
    billing = {
        "address": card.address_of(source),
        "email": None,
        "name": source["name"],
        "phone": None,
        "tax_id": None,
    }
    return Instrument(source.id, "card", shown, billing, source.private, dict(source))


def _capture(call: Call) -> Document:
    world, given = call.world, call.params
    held = world.get("charge", call.path["charge"])
    if held["status"] != "succeeded":
        raise invalid(f"Charge {held.id} cannot be captured: it has a status of {held['status']}.")
    if held["payment_intent"] is not None:
        raise invalid(
            f"Charge {held.id} was made by a PaymentIntent: capture {held['payment_intent']} instead.", param="charge"
        )
    if held["refunded"]:
        raise StripeError(
            f"Charge {held.id} has expired or was refunded and can no longer be captured.",
            code="charge_expired_for_capture",
        )
    if held["captured"]:
        raise StripeError(f"Charge {held.id} has already been captured.", code="charge_already_captured")
    amount = given.get("amount", held["amount"])
    if not 0 < amount <= held["amount"]:
        raise invalid(
            f"Only {amount_text(held['amount'], held['currency'])} can be captured, and no less than nothing: "
            f"{amount_text(amount, held['currency'])} was asked for.",
            param="amount",
        )
    for name in ("receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"):
        if name in given:
            held[name] = given[name]
    world.unschedule(_HOLD_EXPIRED, held.id)
    charge.capture(world, held, amount)
    _look_for_disputes(world, held)
    return held


def _look_for_disputes(world: World, made: Document) -> None:
    world.schedule(world.wall, _OPEN_DISPUTES, made.id, by_wall=True)


def _hold_expired(world: World, subject: str) -> None:
    held = world.get("charge", subject)
    if not held["captured"] and not held["refunded"]:
        charge.release(world, held)
        world.emit("charge.expired", held)


_REPEATED = words(
    "amount customer description receipt_email statement_descriptor statement_descriptor_suffix transfer_group"
)
_REFUSED = dict.fromkeys(
    words("application_fee application_fee_amount destination on_behalf_of transfer_data"), intents.CONNECT
)

KINDS: tuple[Kind, ...] = ()
ROUTES = (
    Route(
        "POST",
        "/v1/charges",
        _create,
        uses=_REPEATED | words("currency source capture metadata shipping"),
        refuses=_REFUSED,
        area="charge",
    ),
    Route(
        "POST",
        "/v1/charges/{charge}/capture",
        _capture,
        uses=words("amount receipt_email statement_descriptor statement_descriptor_suffix transfer_group"),
        refuses=_REFUSED,
        area="charge",
    ),
)
TASKS: dict[str, Any] = {_HOLD_EXPIRED: _hold_expired}
