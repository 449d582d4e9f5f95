"""What payment methods are called on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

_BRANDS: Final = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "Eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def of(method: Document) -> str:
    """A payment method in a few characters: `Visa •••• 4242`."""
    kind = method["type"]
    shown = method[kind]
    label = _BRANDS.get(shown["brand"], "Card") if kind == "card" else "Bank account"
    return f"{label} •••• {shown['last4']}"
