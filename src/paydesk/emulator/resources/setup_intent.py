"""Setup intents: a payment method saved for later, with the bank's and the payer's consent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, words
from paydesk.emulator.resources import choosing, customer, payment_method, setup_attempt
from paydesk.emulator.rules import confirming, intents
from paydesk.emulator.rules.confirming import Accept, Challenge, Refuse, ThreeDSecure

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.declines import Decline
    from paydesk.emulator.rules.instrument import Instrument

SETUP_INTENT = Kind(
    "setup_intent",
    "seti_",
    missing="No such setupintent: '%s'",
    missing_param="intent",
    filters=("customer", "payment_method"),
    references={
        "customer": "customer",
        "latest_attempt": "setup_attempt",
        "payment_method": "payment_method",
    },
)

_CANCELABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def open_intent(
    world: World, given: dict[str, Any], *, checkout: str | None = None, followed_by: str | None = None
) -> Document:
    """A new intent, told as `setup_intent.created`, that waits for a payment method.

    `given` are the parameters of a create request: any of `customer`, `description`, `metadata`, `usage`,
    `payment_method_options`, `allowed_payment_method_types`. `checkout` is the id of the Checkout Session it is made
    for: only that can cancel it then. `followed_by` names the task that is done, with the intent's id, once it has
    succeeded.
    """
    intent = _shaped(world, given)
    intent.private["checkout"] = checkout
    intent.private["followed_by"] = followed_by
    return world.add(intent, "setup_intent.created")


def confirm(world: World, intent: Document, method: Document, *, return_url: str | None = None) -> None:
    """Save a payment method for later.

    Afterwards the intent is in `succeeded`, or in `requires_action`: then the payer is sent to `next_action`, and
    `finish_authentication` follows. `return_url` is where the bank's page leads back to.

    Raises:
        StripeError: 402 when the bank declines; the attempt and the intent, back in `requires_payment_method` and ready
            for another try, are kept (`keeps_work`). 400 for what cannot be confirmed, or not with this.
    """
    intents.check_confirmable(intent)
    choosing.check(intent, method)
    intent["payment_method"] = method.id
    intent["last_setup_error"], intent["next_action"] = None, None
    intent.private["return_url"] = return_url
    instrument = payment_method.instrument(method)
    asked = intent["payment_method_options"].get("card", {}).get("request_three_d_secure") or "automatic"
    verdict = confirming.decide(instrument.card, requested=asked, saves_only=True)
    match verdict:
        case Challenge():
            attempt = setup_attempt.new(world, intent, instrument, "requires_action")
            _ask(world, intent, attempt, return_url)
        case Refuse(decline):
            raise _refuse(world, intent, method, instrument, decline)
        case Accept(how):
            attempt = setup_attempt.new(world, intent, instrument, "succeeded", three_d_secure=how)
            _succeed(world, intent, method, attempt)


def finish_authentication(world: World, intent: Document, *, passed: bool) -> None:
    """The payer has answered their bank.

    Afterwards the intent has succeeded, or is back in `requires_payment_method` with the reason in `last_setup_error`.

    Raises:
        StripeError: 400 when no answer is waited for.
    """
    if intent["status"] != "requires_action":
        raise intents.unexpected_state(
            intent, f"This SetupIntent is not waiting for an authentication: it has a status of {intent['status']}."
        )
    method = world.get("payment_method", intent["payment_method"], param="payment_method")
    attempt = world.get("setup_attempt", intent["latest_attempt"])
    if passed:
        setup_attempt.finish(world, attempt, "succeeded", three_d_secure=ThreeDSecure.AUTHENTICATED)
        _succeed(world, intent, method, attempt)
        return
    error = intents.not_authenticated(intent, method)
    setup_attempt.finish(world, attempt, "failed", error=error)
    _fall_back(world, intent, error)


def cancel(world: World, intent: Document, reason: str | None) -> None:
    """Give an intent up."""
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["status"] = "canceled"
    _tell(world, intent, "setup_intent.canceled")


def _ask(world: World, intent: Document, attempt: Document, return_url: str | None) -> None:
    intent["latest_attempt"] = attempt.id
    intent["status"] = "requires_action"
    intent["next_action"] = confirming.challenge_action(
        intent,
        base_url=world.base_url,
        account=world.sandbox.account,
        attempt=attempt.id,
        return_url=return_url,
    )
    _tell(world, intent, "setup_intent.requires_action")


def _refuse(world: World, intent: Document, method: Document, instrument: Instrument, why: Decline) -> StripeError:
    why = _as_setups_say(why)
    error = {**why.details(), "payment_method": dict(method)}
    attempt = setup_attempt.new(world, intent, instrument, "failed", error=error)
    intent["latest_attempt"] = attempt.id
    _fall_back(world, intent, error)
    return why.error(keeps_work=True, setup_intent=dict(intent), payment_method=dict(method))


def _as_setups_say(why: Decline) -> Decline:
    """Seen with setup intents only: every refusal has a decline code, and an expired card names the field."""
    param = "exp_month" if why.code == "expired_card" else why.param
    return replace(why, decline_code=why.decline_code or why.code, param=param)


def _fall_back(world: World, intent: Document, error: dict[str, Any]) -> None:
    intent["last_setup_error"] = {name: error[name] for name in sorted(error)}
    intent["next_action"] = None
    intent["payment_method"] = None
    intent["status"] = "requires_payment_method"
    _tell(world, intent, "setup_intent.setup_failed")


def _succeed(world: World, intent: Document, method: Document, attempt: Document) -> None:
    if intent["usage"] == "off_session":
        method.private["is_set_up"] = True
        world.save(method)
    owner = None if intent["customer"] is None else world.find("customer", intent["customer"])
    if owner is not None:
        payment_method.keep(world, method, owner)
        customer.introduce(world, owner.id)
    intent["latest_attempt"] = attempt.id
    intent["next_action"] = None
    intent["status"] = "succeeded"
    _tell(world, intent, "setup_intent.succeeded")
    if intent.private.get("followed_by") is not None:
        world.perform(intent.private["followed_by"], intent.id)


def _tell(world: World, intent: Document, event: str) -> None:
    # These events show where the intent is now, not what it was.
    world.save(intent)
    world.emit(event, intent)


def _shaped(world: World, given: dict[str, Any]) -> Document:
    identifier = world.mint("seti_")
    card_options = (given.get("payment_method_options") or {}).get("card") or {}
    return Document(
        {
            "id": identifier,
            "object": "setup_intent",
            "allowed_payment_method_types": given.get("allowed_payment_method_types"),
            "application": None,
            "automatic_payment_methods": intents.automatic_payment_methods(given),
            "cancellation_reason": None,
            "client_secret": f"{identifier}_secret_{world.characters(25)}",
            "created": world.wall,
            "customer": given.get("customer"),
            "customer_account": None,
            "description": given.get("description"),
            "excluded_payment_method_types": given.get("excluded_payment_method_types"),
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "livemode": world.livemode,
            "managed_payments": {"enabled": False},
            "mandate": None,
            "metadata": metadata({}, given.get("metadata", {})),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": card_options.get("request_three_d_secure") or "automatic",
                }
            },
            "payment_method_types": intents.method_types(given, None),
            "single_use_mandate": None,
            "status": "requires_payment_method",
            "usage": given.get("usage") or "off_session",
        }
    )


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    intents.check_needs_confirm("setup_intent", given, "return_url")
    if given.get("customer") is not None:
        world.get("customer", given["customer"], param="customer")
    intent = _shaped(world, given)
    choosing.choose(world, intent, given)
    call.echo(intent)
    world.add(intent, "setup_intent.created")
    if given.get("confirm"):
        _carry_out(world, intent, given)
    return intent


def _retrieve(call: Call) -> Document:
    intent = call.world.get("setup_intent", call.path["intent"])
    intents.check_secret(call, intent)
    return intent


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    intent = world.get("setup_intent", call.path["intent"])
    for name in ("customer", "payment_method", "payment_method_data"):
        if name in given and intent["status"] not in _CANCELABLE:
            raise intents.unexpected_state(
                intent, f"This SetupIntent's {name} could not be updated because it has a status of {intent['status']}."
            )
    if "customer" in given:
        if given["customer"] is not None:
            world.get("customer", given["customer"], param="customer")
        intent["customer"] = given["customer"]
    if "description" in given:
        intent["description"] = given["description"]
    if "metadata" in given:
        intent["metadata"] = metadata(intent["metadata"], given["metadata"])
    intents.narrow(intent, given)
    choosing.choose(world, intent, given)
    call.echo(intent)
    # There is no event for this: Stripe tells of an intent's progress, not of its edits.
    world.save(intent)
    return intent


def _confirm(call: Call) -> Document:
    world, given = call.world, call.params
    intent = world.get("setup_intent", call.path["intent"])
    intents.check_secret(call, intent)
    intents.check_confirmable(intent)
    intents.narrow(intent, given)
    choosing.choose(world, intent, given)
    _carry_out(world, intent, given)
    return intent


def _carry_out(world: World, intent: Document, given: dict[str, Any]) -> None:
    if intent["payment_method"] is None:
        raise intents.no_payment_method(intent)
    intents.check_return_url(intent, given)
    choosing.request_three_d_secure(intent, given)
    confirm(
        world,
        intent,
        world.get("payment_method", intent["payment_method"], param="payment_method"),
        return_url=None if given.get("use_stripe_sdk") else given.get("return_url"),
    )


def _cancel(call: Call) -> Document:
    intent = call.world.get("setup_intent", call.path["intent"])
    intents.check_cancelable(intent, _CANCELABLE)
    if intent.private.get("checkout"):
        raise intents.unexpected_state(
            intent,
            "You cannot cancel this SetupIntent because it was created by a Checkout Session. Expire the Checkout "
            f"Session ({intent.private['checkout']}) instead.",
        )
    cancel(call.world, intent, call.params.get("cancellation_reason"))
    return intent


_AREA = SETUP_INTENT.area
_PATH = "/v1/setup_intents/{intent}"
_REFUSED = intents.REFUSED | {"attach_to_self": intents.CONNECT, "single_use": "single-use mandates are not modelled."}

KINDS = (SETUP_INTENT,)
ROUTES = (
    Route(
        "POST",
        "/v1/setup_intents",
        _create,
        uses=choosing.PARAMS
        | intents.NARROWING
        | words("customer description metadata usage confirm return_url use_stripe_sdk automatic_payment_methods"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    Route("GET", _PATH, _retrieve, uses=words("client_secret"), area=_AREA, is_public=True),
    Route(
        "POST",
        _PATH,
        _update,
        uses=choosing.PARAMS | intents.NARROWING | words("customer description metadata"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    Route(
        "POST",
        _PATH + "/confirm",
        _confirm,
        uses=choosing.PARAMS | intents.NARROWING | words("client_secret return_url use_stripe_sdk"),
        refuses=_REFUSED,
        area=_AREA,
        is_public=True,
    ),
    Route("POST", _PATH + "/cancel", _cancel, uses=words("cancellation_reason"), area=_AREA),
    listing("/v1/setup_intents", SETUP_INTENT, filters="customer customer_account payment_method"),
)
TASKS: dict[str, Any] = {}
