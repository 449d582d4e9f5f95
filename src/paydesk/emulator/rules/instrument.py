"""An instrument: what a payment is made with, whichever object holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from paydesk.emulator.rules import cards
from paydesk.emulator.rules.cards import Card


@dataclass(frozen=True)
class Instrument:
    """A card or a bank account at the moment it is charged.

    `shown` is the hash under its type, as a payment method shows it. `private` says which card or account it is.
    `source` is the legacy card, where one was charged.
    """

    id: str
    type: str
    shown: dict[str, Any]
    billing_details: dict[str, Any]
    private: dict[str, Any] = field(repr=False)
    source: dict[str, Any] | None = None

    @property
    def card(self) -> Card:
        """What this card does; one that simply works where it is no card."""
        return cards.of(self.private)


def bank_details(instrument: Instrument) -> dict[str, Any]:
    """`payment_method_details` of a debit from a bank account."""
    shown = instrument.shown
    if instrument.type == "sepa_debit":
        parts = {name: shown[name] for name in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
        return {"sepa_debit": parts | {"mandate": None}, "type": "sepa_debit"}
    parts = {
        name: shown[name]
        for name in ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    }
    return {"type": "us_bank_account", "us_bank_account": parts | {"payment_reference": None}}


def card_details(instrument: Instrument, amount: int, three_d_secure: dict[str, Any] | None) -> dict[str, Any]:
    """`payment_method_details` of a charge to a card."""
    shown = instrument.shown
    is_visa = shown["brand"] == "visa"
    return {
        "card": {
            "amount_authorized": amount,
            "authorization_code": None,
            "brand": shown["brand"],
            "checks": shown["checks"],
            "country": shown["country"],
            "electronic_commerce_indicator": (three_d_secure or {}).get("electronic_commerce_indicator"),
            "exp_month": shown["exp_month"],
            "exp_year": shown["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": shown["fingerprint"],
            "funding": shown["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": shown["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": shown["brand"],
            "network_token": {"used": False},
            "network_transaction_id": "104102978678771" if is_visa else "MCC1234567890",
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": three_d_secure,
            "transaction_link_id": None,
            "wallet": None,
        },
        "type": "card",
    }
