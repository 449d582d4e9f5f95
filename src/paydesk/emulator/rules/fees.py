"""Fees: what of a payment stays with Stripe."""

from __future__ import annotations

from typing import Any, Final

CARD_PER_THOUSAND: Final = 29
CARD_FIXED: Final = 30
BANK_PER_THOUSAND: Final = 8
BANK_MAX: Final = 500
DISPUTE: Final = 1500


def card_fee(amount: int) -> int:
    """2.9 % and 30, in the smallest unit of the currency paid; halves are rounded up."""
    return min(amount, (amount * CARD_PER_THOUSAND + 500) // 1000 + CARD_FIXED)


def bank_fee(amount: int) -> int:
    """0.8 %, and never more than 5.00."""
    return min((amount * BANK_PER_THOUSAND + 500) // 1000, BANK_MAX)


def details(fee: int, currency: str, description: str = "Stripe processing fees") -> list[dict[str, Any]]:
    """A balance transaction's `fee_details`: nothing, or the one fee there is."""
    if fee == 0:
        return []
    return [
        {"amount": fee, "application": None, "currency": currency, "description": description, "type": "stripe_fee"}
    ]
