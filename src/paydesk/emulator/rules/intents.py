"""Intents: what payment and setup intents share."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import DOCUMENTATION, StripeError, invalid
from paydesk.emulator.kernel.routes import words
from paydesk.emulator.rules.addresses import check_url

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.routes import Call

_NAMES: Final = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}
_BANK_DEBIT_OF: Final = {"usd": "us_bank_account", "eur": "sepa_debit"}

NARROWING: Final = words("allowed_payment_method_types excluded_payment_method_types")

CONNECT: Final = "connected accounts are not modelled."
REFUSED: Final = {
    "application_fee_amount": CONNECT,
    "confirmation_token": "confirmation tokens are not modelled; send `payment_method` or `payment_method_data`.",
    "customer_account": CONNECT,
    "on_behalf_of": CONNECT,
    "payment_method_options.card.capture_method": "it would override the intent's; send `capture_method`.",
    "payment_method_options.card.moto": "it would skip authentication.",
    "payment_method_options.card.setup_future_usage": "it would override the intent's; send `setup_future_usage`.",
    "payment_method_options.card.three_d_secure": "authentication done elsewhere would be trusted.",
    "payment_method_options.sepa_debit.setup_future_usage": "it would override the intent's; send "
    "`setup_future_usage`.",
    "payment_method_options.us_bank_account.setup_future_usage": "it would override the intent's; send "
    "`setup_future_usage`.",
    "transfer_data": CONNECT,
}


def method_types(given: dict[str, Any], currency: str | None) -> list[str]:
    """`payment_method_types`: those a request allows, else those the account has switched on."""
    allowed = given.get("allowed_payment_method_types")
    if not allowed:
        bank_debit = _BANK_DEBIT_OF.get(currency or "usd")
        allowed = ["card", *([bank_debit] if bank_debit else [])]
        automatic = given.get("automatic_payment_methods", {})
        if automatic is None or automatic.get("enabled") is False:
            allowed = ["card"]
    excluded = given.get("excluded_payment_method_types") or ()
    return [name for name in allowed if name not in excluded]


def narrow(intent: Document, given: dict[str, Any]) -> None:
    """Note which types of payment methods are taken from now on, where a request says so."""
    for name in NARROWING & given.keys():
        intent[name] = given[name]
    intent["payment_method_types"] = method_types(intent, intent.get("currency"))


def automatic_payment_methods(given: dict[str, Any]) -> dict[str, Any] | None:
    """What the account's own list of payment methods has to say; null where the caller does without it."""
    chosen = given.get("automatic_payment_methods")
    if chosen is None:
        return {"allow_redirects": "always", "enabled": True}
    if not chosen["enabled"]:
        return None
    return {"allow_redirects": chosen.get("allow_redirects", "always"), "enabled": True}


def check_return_url(intent: Document, given: dict[str, Any]) -> None:
    """Confirming from a server needs to know where a payer who must leave can come back to."""
    if given.get("return_url"):
        check_url(given["return_url"], param="return_url")
    automatic = intent["automatic_payment_methods"]
    is_narrowed = intent["allowed_payment_method_types"] is not None
    if automatic is None or automatic["allow_redirects"] == "never" or is_narrowed:
        return
    if given.get("return_url") or given.get("use_stripe_sdk"):
        return
    raise invalid(
        f"This {_NAMES[intent['object']]} is configured to accept payment methods enabled in your Dashboard. Because "
        "some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. "
        "If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
        "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
        "Intents."
    )


def check_needs_confirm(kind: str, given: dict[str, Any], *names: str) -> None:
    """Refuse what only makes sense when creating and confirming are one call."""
    for name in names:
        if given.get(name) and not given.get("confirm"):
            raise invalid(
                f"The parameter `{name}` cannot be passed when creating a {_NAMES[kind]} unless `confirm` is set to "
                "true.",
                param=name,
            )


def check_secret(call: Call, intent: Document) -> None:
    """Whoever has only a publishable key must show the intent's client secret; a wrong one is never let pass."""
    shown = call.params.get("client_secret")
    if shown is None and not call.is_public:
        return
    if not hmac.compare_digest(str(shown or "").encode(), intent["client_secret"].encode()):
        raise call.world.no_such(intent["object"], intent.id)


def not_authenticated(intent: Document, method: Document) -> dict[str, Any]:
    """What an intent's last error says after its payer failed the bank's question, or left it unanswered."""
    code = f"{intent['object']}_authentication_failure"
    return {
        "code": code,
        "doc_url": DOCUMENTATION + code.replace("_", "-"),
        "message": (
            "We are unable to authenticate your payment method. Please choose a different payment method and try again."
        ),
        "payment_method": dict(method),
        "type": "invalid_request_error",
    }


def unexpected_state(intent: Document, message: str) -> StripeError:
    """400: not in this status. The body carries the intent."""
    kind = intent["object"]
    refusal = StripeError(message, code=f"{kind}_unexpected_state")
    refusal.extra[kind] = dict(intent)
    return refusal


def check_confirmable(intent: Document) -> None:
    """Refuse to confirm what is over, or on its way."""
    name, status = _NAMES[intent["object"]], intent["status"]
    if status in ("requires_payment_method", "requires_confirmation", "requires_action"):
        return
    if status == "succeeded":
        after = " after being previously confirmed" if intent["object"] == "payment_intent" else ""
        raise unexpected_state(intent, f"You cannot confirm this {name} because it has already succeeded{after}.")
    raise unexpected_state(intent, f"You cannot confirm this {name} because it has a status of {status}.")


def no_payment_method(intent: Document) -> StripeError:
    """400: nothing to confirm with."""
    name, customer = _NAMES[intent["object"]], intent["customer"]
    how = (
        f"You can either update the {name} with a payment method and then confirm it again, or confirm it again "
        "directly with a payment method or ConfirmationToken."
    )
    if customer is not None:
        how = (
            f"To confirm the {name} with {customer}, specify a payment method attached to this customer along with the "
            "customer ID."
        )
    return unexpected_state(intent, f"You cannot confirm this {name} because it's missing a payment method. {how}")


def check_cancelable(intent: Document, statuses: tuple[str, ...]) -> None:
    """Refuse to cancel what is over."""
    if intent["status"] not in statuses:
        name = _NAMES[intent["object"]]
        raise unexpected_state(
            intent,
            f"You cannot cancel this {name} because it has a status of {intent['status']}. Only a {name} with one of "
            f"the following statuses may be canceled: {', '.join(statuses)}.",
        )


def check_ownership(intent: Document, method: Document) -> None:
    """Refuse a payment method that belongs to somebody else."""
    name, owner, customer = _NAMES[intent["object"]], method["customer"], intent["customer"]
    if owner is None or owner == customer:
        return
    if customer is None:
        raise invalid(
            f"The PaymentMethod {method.id} belongs to the Customer {owner}. Please include the Customer in the "
            f"`customer` parameter on the {name}.",
            param="payment_method",
        )
    raise invalid(
        f"The PaymentMethod {method.id} does not belong to the Customer you supplied {customer}. Please use this "
        "PaymentMethod with the Customer that it belongs to instead.",
        param="payment_method",
    )


def check_type(intent: Document, method: Document) -> None:
    """Refuse a type of payment method that the intent does not take."""
    if method["type"] not in intent["payment_method_types"]:
        name, types = _NAMES[intent["object"]], ", ".join(intent["payment_method_types"])
        raise StripeError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this {name}. Please attach a "
            f"PaymentMethod of one of the following types: {types}. Alternatively update the allowed "
            f'payment_method_types for this {name} to include "{method["type"]}".',
            code=f"{intent['object']}_incompatible_payment_method",
            param="payment_method",
        )
