"""What a Checkout Session may be asked for, and in which words the rest is refused.

The contract has already refused what no session takes; here is what depends on the
mode, on the time, or on another parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.rules.addresses import check_email, check_url

EXPIRES_SECONDS_MIN: Final = 30 * 60
EXPIRES_SECONDS_MAX: Final = 24 * 60 * 60
LINES_MAX: Final = 100
# In subscription mode, so many that are due again and again, and so many that are paid once.
LINES_OF_A_KIND_MAX: Final = 20
QUANTITY_MAX: Final = 999_999

# Which group of parameters belongs to which mode.
_OF_MODE: Final = {
    "allow_promotion_codes": ("payment", "subscription"),
    "discounts": ("payment", "subscription"),
    "line_items": ("payment", "subscription"),
    "payment_intent_data": ("payment",),
    "setup_intent_data": ("setup",),
    "submit_type": ("payment", "subscription"),
    "subscription_data": ("subscription",),
}
_EMBEDDED_ONLY: Final = ("redirect_on_completion", "return_url")
_HOSTED_ONLY: Final = ("cancel_url", "success_url")

# Parameters whose ignoring would make amounts, states or authorisations wrong.
REFUSED: Final[Mapping[str, str]] = {
    "customer_account": "the session would belong to nobody.",
    "invoice_creation.invoice_data.issuer": "the invoice would be another account's.",
    "managed_payments": "who sells, and what tax is due, would differ.",
    "optional_items": "the total could not include what the customer adds.",
    "payment_intent_data.application_fee_amount": "no money would reach the platform.",
    "payment_intent_data.on_behalf_of": "the payment would belong to the wrong account.",
    "payment_intent_data.transfer_data": "no money would reach the connected account.",
    "payment_method_options.card.capture_method": "money would be taken that is to be held; it is modelled as "
    "`payment_intent_data[capture_method]`.",
    "payment_method_options.card.restrictions": "cards that are to be turned away would be charged.",
    "payment_method_options.card.setup_future_usage": "the card would not be kept; it is modelled as "
    "`payment_intent_data[setup_future_usage]`.",
    "payment_method_options.sepa_debit.setup_future_usage": "the account would not be kept.",
    "payment_method_options.us_bank_account.setup_future_usage": "the account would not be kept.",
    "setup_intent_data.on_behalf_of": "the card would be saved for the wrong account.",
    "subscription_data.application_fee_percent": "no money would reach the platform.",
    "subscription_data.invoice_settings.issuer": "the invoices would be another account's.",
    "subscription_data.on_behalf_of": "the payments would belong to the wrong account.",
    "subscription_data.pending_invoice_item_interval": "invoices between two periods would be missing.",
    "subscription_data.transfer_data": "no money would reach the connected account.",
}
_NOT_YET: Final = {
    "automatic_tax.enabled": "tax would be missing from the total",
}


def check(given: Mapping[str, Any], now: int) -> None:
    """Refuse what cannot become a session; `given` are the parameters, `now` is in seconds.

    Raises:
        StripeError: 400, in Stripe's words, for the first problem.
    """
    for refusal in _problems(given, now):
        raise refusal
    for name in ("success_url", "cancel_url"):
        if given.get(name) is not None:
            # The placeholder's braces are no part of any URL.
            check_url(given[name].replace("{CHECKOUT_SESSION_ID}", "cs"), param=name)
    if given.get("customer_email") is not None:
        check_email(given["customer_email"], param="customer_email")


def check_number_of_lines(mode: str, recurring: int, once: int) -> None:
    """Refuse more line items, recurring ones and those paid once, than a session of this mode sells, or too few.

    Raises:
        StripeError: 400.
    """
    if mode != "subscription":
        if recurring + once > LINES_MAX:
            raise _too_many(LINES_MAX)
        return
    if not recurring:
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    for name, number in (("recurring", recurring), ("one-time", once)):
        if number > LINES_OF_A_KIND_MAX:
            raise invalid(
                f"You can have at most {LINES_OF_A_KIND_MAX} line items with {name} prices in `subscription` mode.",
                param="line_items",
            )


def _problems(given: Mapping[str, Any], now: int) -> Iterator[StripeError]:
    mode = given.get("mode")
    if mode is None:
        yield missing_param("mode")
    yield from _of_ui(given)
    yield from _together(given)
    yield from _of_mode(given, str(mode))
    yield from _not_yet(given)
    if "expires_at" in given:
        yield from _expiry(given["expires_at"], now)


def _expiry(at: int, now: int) -> Iterator[StripeError]:
    """Refusals of a time at which a session is to expire. Stripe names no param here."""
    if at < now + EXPIRES_SECONDS_MIN:
        yield invalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
    if at > now + EXPIRES_SECONDS_MAX:
        yield invalid("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")


def _of_ui(given: Mapping[str, Any]) -> Iterator[StripeError]:
    ui = given.get("ui_mode") or "hosted_page"
    foreign = _EMBEDDED_ONLY if ui == "hosted_page" else _HOSTED_ONLY
    sent = [name for name in foreign if given.get(name) is not None]
    if sent:
        yield invalid(f"The following parameters are not supported with `ui_mode: {ui}`: {', '.join(sent)}.")
    if ui != "hosted_page":
        yield _not_modelled("ui_mode", f"nobody could pay on a `{ui}`, only the hosted page exists")
    if given.get("success_url") is None:
        yield missing_param("success_url")


def _together(given: Mapping[str, Any]) -> Iterator[StripeError]:
    """Parameters that exclude or need each other."""
    for one, other in (
        ("customer", "customer_email"),
        ("customer", "customer_creation"),
        ("allow_promotion_codes", "discounts"),
    ):
        if given.get(one) and given.get(other):
            yield exclusive(one, other)
    if given.get("customer_update") and not given.get("customer"):
        yield invalid("`customer_update` can only be used with `customer`.", param="customer_update")


def _of_mode(given: Mapping[str, Any], mode: str) -> Iterator[StripeError]:
    for name, modes in _OF_MODE.items():
        if given.get(name) and mode not in modes:
            yield invalid(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if mode != "setup" and not given.get("line_items"):
        yield missing_param("line_items")
    if len(given.get("line_items", ())) > LINES_MAX:
        yield _too_many(LINES_MAX)
    if mode == "subscription" and given.get("customer_creation"):
        yield invalid("`customer_creation` can only be used in `payment` mode.", param="customer_creation")
    if mode == "setup" and not given.get("currency") and not given.get("allowed_payment_method_types"):
        yield missing_param("currency")
    if given.get("payment_method_collection") and mode != "subscription":
        yield invalid(
            "You can only set `payment_method_collection` if there are recurring prices.",
            param="payment_method_collection",
        )
    if mode != "payment" and (given.get("invoice_creation") or {}).get("enabled"):
        yield invalid(
            "You can only enable invoice creation when mode is set to payment. Invoices are created automatically "
            "when mode is set to subscription, and are unsupported when set to setup.",
            param="invoice_creation[enabled]",
        )


def _not_yet(given: Mapping[str, Any]) -> Iterator[StripeError]:
    """What Stripe does and the local Stripe would get wrong. Switched off, it is harmless."""
    for name, why in _NOT_YET.items():
        top, _, below = name.partition(".")
        value = given.get(top)
        if (value or {}).get(below) if below else value:
            yield _not_modelled(name, why)
    wants_invoice = (given.get("invoice_creation") or {}).get("enabled")
    if wants_invoice and (given.get("payment_intent_data") or {}).get("capture_method") == "manual":
        yield _not_modelled("invoice_creation.enabled", "no invoice would follow a payment that is captured later")
    if given.get("shipping_options"):
        yield _not_modelled("shipping_options", "the total would be wrong")


def _too_many(most: int) -> StripeError:
    return invalid(f"Array line_items exceeded maximum {most} allowed elements.", param="line_items")


def _not_modelled(name: str, why: str) -> StripeError:
    first, *rest = name.split(".")
    return invalid(
        f"The local Stripe does not model `{name}` yet, and ignoring it would give a wrong answer: {why}. "
        "It would go into emulator/resources/checkout_session.py.",
        param=first + "".join(f"[{part}]" for part in rest),
    )
