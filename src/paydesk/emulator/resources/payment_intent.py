"""Payment intents: one payment somebody is to make, through every try until it succeeds or is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import choosing, paying
from paydesk.emulator.resources.charge import shipping
from paydesk.emulator.rules import intents
from paydesk.emulator.rules.money import amount_text, check_charge_amount, check_currency

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

PAYMENT_INTENT = Kind(
    "payment_intent",
    "pi_",
    missing="No such payment_intent: '%s'",
    missing_param="intent",
    filters=("customer",),
    references={
        "customer": "customer",
        "last_payment_error.payment_method.customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
    },
)

_UPDATABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE: Final = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
_PLAIN: Final = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def open_intent(
    world: World,
    given: dict[str, Any],
    *,
    checkout: str | None = None,
    invoice: str | None = None,
    settled_by: str | None = None,
    followed_by: str | None = None,
) -> Document:
    """A new intent, told as `payment_intent.created`, that waits for a payment method.

    `given` are the parameters of a create request: `amount`, `currency` (both checked by the caller), and any of
    `capture_method`, `customer`, `description`, `metadata`, `payment_method_options`, `receipt_email`,
    `setup_future_usage`, `shipping`, the statement descriptors and `allowed_payment_method_types`.

    `checkout` is the id of the Checkout Session it is made for, `invoice` that of the invoice it is to pay: only
    those can cancel it then. `settled_by` names the task, on the agenda, that is to happen when a slow bank has
    answered; it calls `paying.settle(world, intent)` and does in the same transaction what follows from it.
    `followed_by` names the task that is done, with the intent's id, at every step of its progress.
    """
    intent = _shaped(world, given)
    if invoice is not None:
        intent["automatic_payment_methods"] = None
        intent["payment_details"] = {"customer_reference": None, "order_reference": invoice}
    intent.private["checkout"] = checkout
    intent.private["invoice"] = invoice
    intent.private["followed_by"] = followed_by
    intent.private["settled_by"] = settled_by
    return world.add(intent, "payment_intent.created")


def give_up(world: World, intent: Document) -> None:
    """Cancel an intent that what it was made for needs no more, where that can still be done."""
    if intent["status"] in _CANCELABLE and intent["status"] != "processing":
        paying.cancel(world, intent, "void_invoice" if intent.private.get("invoice") else None)


def _shaped(world: World, given: dict[str, Any]) -> Document:
    identifier = world.mint("pi_")
    card_options = (given.get("payment_method_options") or {}).get("card") or {}
    return Document(
        {
            "id": identifier,
            "object": "payment_intent",
            "allowed_payment_method_types": given.get("allowed_payment_method_types"),
            "amount": given["amount"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": intents.automatic_payment_methods(given),
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": given.get("capture_method") or "automatic_async",
            "client_secret": f"{identifier}_secret_{world.characters(25)}",
            "confirmation_method": given.get("confirmation_method") or "automatic",
            "created": world.wall,
            "currency": given["currency"],
            "customer": given.get("customer"),
            "customer_account": None,
            "description": given.get("description"),
            "excluded_payment_method_types": given.get("excluded_payment_method_types"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": world.livemode,
            "managed_payments": {"enabled": False},
            "metadata": metadata({}, given.get("metadata", {})),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "installments": None,
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": card_options.get("request_three_d_secure") or "automatic",
                }
            },
            "payment_method_types": intents.method_types(given, given["currency"]),
            "payment_record": None,
            "processing": None,
            "receipt_email": given.get("receipt_email"),
            "review": None,
            "setup_future_usage": given.get("setup_future_usage"),
            "shipping": shipping(given.get("shipping")),
            "source": None,
            "statement_descriptor": given.get("statement_descriptor"),
            "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": given.get("transfer_group"),
        }
    )


def _create(call: Call) -> Document:
    world = call.world
    given = call.params | {"currency": check_currency(call.params["currency"])}
    check_charge_amount(given["amount"], given["currency"])
    intents.check_needs_confirm("payment_intent", given, "return_url", "off_session", "error_on_requires_action")
    if given.get("customer") is not None:
        world.get("customer", given["customer"], param="customer")
    intent = _shaped(world, given)
    choosing.choose(world, intent, given)
    call.echo(intent)
    world.add(intent, "payment_intent.created")
    if given.get("confirm"):
        _carry_out(world, intent, given)
    return intent


def _retrieve(call: Call) -> Document:
    intent = call.world.get("payment_intent", call.path["intent"])
    intents.check_secret(call, intent)
    return intent


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    for name in ("amount", "currency", "customer", "payment_method", "payment_method_data", "capture_method"):
        if name in given and intent["status"] not in _UPDATABLE:
            raise _too_late(intent, name)
    _check_terms_are_its_own(intent, given)
    if given.get("currency") is not None:
        intent["currency"] = check_currency(given["currency"])
    intents.narrow(intent, given)
    if "amount" in given or "currency" in given:
        amount = given.get("amount", intent["amount"])
        check_charge_amount(amount, intent["currency"])
        intent["amount"] = amount
    if "customer" in given:
        if given["customer"] is not None:
            world.get("customer", given["customer"], param="customer")
        intent["customer"] = given["customer"]
    for name in _PLAIN:
        if name in given:
            intent[name] = given[name]
    if given.get("capture_method") is not None:
        intent["capture_method"] = given["capture_method"]
    if "metadata" in given:
        intent["metadata"] = metadata(intent["metadata"], given["metadata"])
    if "shipping" in given:
        intent["shipping"] = shipping(given["shipping"], intent["shipping"])
    choosing.request_three_d_secure(intent, given)
    if given.get("payment_method", "") is None:
        intent["payment_method"], intent["next_action"] = None, None
        intent["status"] = "requires_payment_method"
    choosing.choose(world, intent, given)
    call.echo(intent)
    # There is no event for this: Stripe tells of an intent's progress, not of its edits.
    world.save(intent)
    return intent


def _confirm(call: Call) -> Document:
    world, given = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    intents.check_secret(call, intent)
    intents.check_confirmable(intent)
    _check_terms_are_its_own(intent, given)
    for name in ("receipt_email", "setup_future_usage"):
        if name in given:
            intent[name] = given[name]
    if given.get("capture_method") is not None:
        intent["capture_method"] = given["capture_method"]
    if "shipping" in given:
        intent["shipping"] = shipping(given["shipping"], intent["shipping"])
    choosing.request_three_d_secure(intent, given)
    intents.narrow(intent, given)
    choosing.choose(world, intent, given)
    _carry_out(world, intent, given)
    return intent


def _carry_out(world: World, intent: Document, given: dict[str, Any]) -> None:
    if intent["payment_method"] is None:
        raise intents.no_payment_method(intent)
    intents.check_return_url(intent, given)
    paying.confirm(
        world,
        intent,
        world.get("payment_method", intent["payment_method"], param="payment_method"),
        return_url=None if given.get("use_stripe_sdk") else given.get("return_url"),
        off_session=given.get("off_session") not in (None, False),
        fails_on_action=bool(given.get("error_on_requires_action")),
    )


def _capture(call: Call) -> Document:
    world, given = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    if intent["status"] != "requires_capture":
        raise intents.unexpected_state(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )
    amount = given.get("amount_to_capture", intent["amount_capturable"])
    if not 0 < amount <= intent["amount_capturable"]:
        raise StripeError(
            f"The amount you requested to capture ({amount_text(amount, intent['currency'])}) must be more than "
            "nothing and no more than what can be captured "
            f"({amount_text(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large" if amount > 0 else "amount_too_small",
            param="amount_to_capture",
        )
    if "metadata" in given:
        intent["metadata"] = metadata(intent["metadata"], given["metadata"])
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        if name in given:
            intent[name] = given[name]
    paying.capture(world, intent, amount)
    return intent


def _cancel(call: Call) -> Document:
    intent = call.world.get("payment_intent", call.path["intent"])
    intents.check_cancelable(intent, _CANCELABLE)
    if intent.private.get("checkout") and intent["status"] != "requires_capture":
        raise intents.unexpected_state(
            intent,
            "You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Checkout "
            f"Session ({intent.private['checkout']}) instead.",
        )
    if intent.private.get("invoice"):
        raise intents.unexpected_state(
            intent,
            "You cannot cancel this PaymentIntent because it was created by an Invoice. Void the Invoice "
            f"({intent.private['invoice']}) instead.",
        )
    if intent["status"] == "processing":
        raise intents.unexpected_state(intent, "This PaymentIntent can no longer be canceled: the bank has been asked.")
    paying.cancel(call.world, intent, call.params.get("cancellation_reason"))
    return intent


def _check_terms_are_its_own(intent: Document, given: dict[str, Any]) -> None:
    """Refuse to change what an invoice has laid down: it would be paid with something else than is due."""
    for name in ("amount", "currency", "customer", "capture_method"):
        if intent.private.get("invoice") and given.get(name, intent[name]) != intent[name]:
            raise intents.unexpected_state(
                intent,
                f"This PaymentIntent's {name} could not be updated because it was created by an Invoice "
                f"({intent.private['invoice']}).",
            )


def _too_late(intent: Document, name: str) -> StripeError:
    return intents.unexpected_state(
        intent,
        f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You may only "
        f"update the {name} of a PaymentIntent with one of the following statuses: {', '.join(_UPDATABLE)}.",
    )


_SHOWN = words(
    "capture_method customer description metadata receipt_email setup_future_usage shipping statement_descriptor "
    "statement_descriptor_suffix transfer_group"
)
_CONFIRMED = words("return_url off_session error_on_requires_action use_stripe_sdk")
_AREA = PAYMENT_INTENT.area
_PATH = "/v1/payment_intents/{intent}"

KINDS = (PAYMENT_INTENT,)
ROUTES = (
    Route(
        "POST",
        "/v1/payment_intents",
        _create,
        uses=choosing.PARAMS
        | intents.NARROWING
        | _SHOWN
        | _CONFIRMED
        | words("amount currency confirm confirmation_method automatic_payment_methods"),
        refuses=intents.REFUSED,
        area=_AREA,
    ),
    search(
        "/v1/payment_intents/search",
        PAYMENT_INTENT,
        fields="amount:number created:number currency customer metadata:map status",
    ),
    Route("GET", _PATH, _retrieve, uses=words("client_secret"), area=_AREA, is_public=True),
    Route(
        "POST",
        _PATH,
        _update,
        uses=choosing.PARAMS | intents.NARROWING | _SHOWN | words("amount currency"),
        refuses=intents.REFUSED,
        area=_AREA,
    ),
    Route(
        "POST",
        _PATH + "/confirm",
        _confirm,
        uses=choosing.PARAMS
        | intents.NARROWING
        | _CONFIRMED
        | words("client_secret capture_method receipt_email setup_future_usage shipping"),
        refuses=intents.REFUSED | {"amount_to_confirm": "it would confirm another amount than the intent's."},
        area=_AREA,
        is_public=True,
    ),
    Route(
        "POST",
        _PATH + "/capture",
        _capture,
        uses=words("amount_to_capture metadata statement_descriptor statement_descriptor_suffix"),
        refuses=intents.REFUSED | {"final_capture": "capturing in several parts is not modelled."},
        area=_AREA,
    ),
    Route("POST", _PATH + "/cancel", _cancel, uses=words("cancellation_reason"), area=_AREA),
    listing("/v1/payment_intents", PAYMENT_INTENT, filters="customer customer_account"),
)
TASKS = paying.TASKS
