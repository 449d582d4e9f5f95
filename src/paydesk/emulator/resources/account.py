"""The account: the business that a key belongs to.

Every sandbox name is one account, ready to charge in the United States. It is not stored:
nothing here can change it yet.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

ACCOUNT = Kind("account", "acct_")


def seller(world: World) -> str:
    """What the business calls itself: its sandbox's name, written for people. `your_shop` is "Your shop"."""
    return _for_people(world.sandbox.name)


@lru_cache(maxsize=1024)
def _for_people(name: str) -> str:
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] if words else name


def current(world: World) -> dict[str, Any]:
    """The account of a sandbox, the same in test and in live mode."""
    identifier, name = world.sandbox.account, seller(world)
    return {
        "id": identifier,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": "5734",
            "minority_owned_business_designation": None,
            "name": name,
            "product_description": None,
            "specified_commercial_transactions_act_url": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "individual",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{identifier}/external_accounts",
        },
        "future_requirements": _nothing_required(),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _nothing_required(),
        "settings": _settings(name),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def _nothing_required() -> dict[str, Any]:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [],
        "disabled_reason": None,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }


def _settings(name: str) -> dict[str, Any]:
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": {
            "statement_descriptor": "PAYDESK LOCAL",
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def _current(call: Call) -> dict[str, Any]:
    return current(call.world)


def _named(call: Call) -> dict[str, Any]:
    asked = call.path["account"]
    if asked != call.world.sandbox.account:
        raise StripeError(
            f"The provided key does not have access to account '{asked}' (or that account does not exist). "
            "Application access may have been revoked.",
            status=403,
            code="account_invalid",
        )
    return current(call.world)


KINDS = (ACCOUNT,)
ROUTES = (
    Route("GET", "/v1/account", _current, area="account"),
    Route("GET", "/v1/accounts/{account}", _named, area="account"),
)
TASKS: dict[str, Any] = {}
