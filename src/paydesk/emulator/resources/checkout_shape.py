"""A Checkout Session as the API shows it on the day it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.fields import ADDRESS, metadata
from paydesk.emulator.resources import account
from paydesk.emulator.rules.intents import method_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.world import World

OPEN_SECONDS: Final = 24 * 60 * 60
# The third and fourth letters of an id tell the mode.
_FAMILY: Final = {"payment": "a1", "setup": "c1", "subscription": "a1"}
_BRANDING: Final = {
    "background_color": "#ffffff",
    "border_style": "rounded",
    "button_color": "#0074d4",
    "display_name": "",
    "font_family": "default",
    "icon": None,
    "logo": None,
}
_INVOICE_DATA: Final[dict[str, Any]] = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}


def opened(world: World, given: Mapping[str, Any], *, currency: str | None, customer: Document | None) -> Document:
    """An open session; not kept yet. What it comes to, where it sells something, is still to be put in."""
    mode = given["mode"]
    is_setup = mode == "setup"
    identifier = _identifier(world, mode)
    excluded = given.get("excluded_payment_method_types")
    email = customer["email"] if customer is not None else given.get("customer_email")
    return Document(
        {
            "id": identifier,
            "object": "checkout.session",
            "adaptive_pricing": {
                "enabled": not is_setup and (given.get("adaptive_pricing") or {}).get("enabled", True)
            },
            "after_expiration": _after_expiration(given.get("after_expiration")),
            "allow_promotion_codes": given.get("allow_promotion_codes"),
            "allowed_payment_method_types": given.get("allowed_payment_method_types"),
            "amount_subtotal": None,
            "amount_total": None,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "billing_address_collection": None,
            "branding_settings": _branding(world, given.get("branding_settings") or {}),
            "cancel_url": given.get("cancel_url"),
            "client_reference_id": given.get("client_reference_id"),
            "client_secret": None,
            "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
            "consent": None,
            "consent_collection": _filled(
                ("payment_method_reuse_agreement", "promotions", "terms_of_service"), given.get("consent_collection")
            ),
            "created": world.wall,
            "currency": currency,
            "currency_conversion": None,
            "custom_fields": [_custom_field(one) for one in given.get("custom_fields") or ()],
            "custom_text": _filled(
                ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"),
                given.get("custom_text") or {},
            ),
            "customer": None if customer is None else customer.id,
            "customer_account": None,
            "customer_creation": _customer_creation(given, customer),
            "customer_details": None if email is None else details(email),
            "customer_email": given.get("customer_email"),
            "discounts": [],
            **({"excluded_payment_method_types": excluded} if excluded else {}),
            "expires_at": given.get("expires_at") or world.wall + OPEN_SECONDS,
            "integration_identifier": None,
            "invoice": None,
            "invoice_creation": _invoice_creation(given.get("invoice_creation") or {}) if mode == "payment" else None,
            "livemode": world.livemode,
            "locale": None,
            "managed_payments": {"enabled": False},
            "metadata": metadata({}, given.get("metadata", {})),
            "mode": mode,
            "origin_context": None,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": _collection(given),
            "payment_method_configuration_details": {"id": f"pmc_1{world.sandbox.account[6:]}00000000", "parent": None},
            "payment_method_options": {"card": {"request_three_d_secure": _three_d_secure(given)}},
            "payment_method_types": method_types(dict(given), currency),
            "payment_status": "no_payment_required" if is_setup else "unpaid",
            "permissions": None,
            "phone_number_collection": {"enabled": (given.get("phone_number_collection") or {}).get("enabled", False)},
            "recovered_from": None,
            "saved_payment_method_options": {
                "allow_redisplay_filters": ["always"],
                "payment_method_remove": "disabled",
                "payment_method_save": None,
            }
            | (given.get("saved_payment_method_options") or {}),
            "setup_intent": None,
            "shipping_address_collection": given.get("shipping_address_collection"),
            "shipping_cost": None,
            "shipping_options": [],
            "status": "open",
            "submit_type": given.get("submit_type"),
            "subscription": None,
            "success_url": given["success_url"],
            "total_details": None,
            "ui_mode": "hosted_page",
            "url": f"{world.base_url}/c/pay/{identifier}",
            "wallet_options": None,
        }
    )


def details(
    email: str | None, *, name: str | None = None, phone: str | None = None, address: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A session's `customer_details`: what is known of who pays."""
    return {
        "address": None if address is None else {part: address.get(part) for part in ADDRESS},
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": phone,
        "tax_exempt": "none",
        "tax_ids": None if address is None else [],
    }


def _identifier(world: World, mode: str) -> str:
    prefix = "cs_live_" if world.livemode else "cs_test_"
    minted = world.mint(prefix).removeprefix(prefix)
    return prefix + _FAMILY[mode] + minted[2:]


def _customer_creation(given: Mapping[str, Any], customer: Document | None) -> str | None:
    if customer is not None:
        return None
    if given.get("customer_creation"):
        return str(given["customer_creation"])
    if given["mode"] == "setup":
        return None
    if given["mode"] == "subscription":
        # Somebody will have to be billed again.
        return "always"
    # A card that is to be charged again must belong to somebody.
    is_saved = (given.get("payment_intent_data") or {}).get("setup_future_usage")
    return "always" if is_saved else "if_required"


def _collection(given: Mapping[str, Any]) -> str:
    return str(given.get("payment_method_collection") or ("if_required" if given["mode"] == "payment" else "always"))


def _invoice_creation(given: Mapping[str, Any]) -> dict[str, Any]:
    told = given.get("invoice_data") or {}
    data = _INVOICE_DATA | {name: told[name] for name in ("custom_fields", "description", "footer") if name in told}
    return {
        "enabled": given.get("enabled", False),
        "invoice_data": data | {"metadata": metadata({}, told.get("metadata") or {})},
    }


def _three_d_secure(given: Mapping[str, Any]) -> str:
    card = (given.get("payment_method_options") or {}).get("card") or {}
    return str(card.get("request_three_d_secure", "automatic"))


def _after_expiration(given: dict[str, Any] | None) -> dict[str, Any] | None:
    recovery = (given or {}).get("recovery")
    if recovery is None:
        return None if given is None else {"recovery": None}
    return {
        "recovery": {
            "allow_promotion_codes": recovery.get("allow_promotion_codes", False),
            "enabled": recovery["enabled"],
            "expires_at": None,
            "url": None,
        }
    }


def _branding(world: World, given: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in given.items() if value is not None}
    return _BRANDING | {"display_name": account.seller(world)} | kept


def _filled(names: tuple[str, ...], given: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {name: given.get(name) for name in names}


def _custom_field(given: dict[str, Any]) -> dict[str, Any]:
    kind = given["type"]
    empty: dict[str, Any] = {"default_value": None, "value": None}
    if kind != "dropdown":
        empty |= {"maximum_length": None, "minimum_length": None}
    return {
        kind: empty | (given.get(kind) or {}),
        "key": given["key"],
        "label": given["label"],
        "optional": given.get("optional", False),
        "type": kind,
    }
