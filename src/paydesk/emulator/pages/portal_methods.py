"""What a customer can be charged by, as the portal shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import checkout_view
from paydesk.emulator.resources import billing_portal_card, billing_portal_plan

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.pages.portal_visit import Visit

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


@dataclass(frozen=True)
class Method:
    """A card or an account. `note` says until when it is good, or that it no longer is."""

    id: str
    name: str
    note: str
    is_expired: bool
    is_default: bool
    may_go: bool


def of(visit: Visit) -> tuple[Method, ...]:
    """The default first, then the newest."""
    default = visit.customer["invoice_settings"]["default_payment_method"]
    held = billing_portal_plan.of(visit.world, visit.customer)
    used = {default, *(subscription["default_payment_method"] for subscription in held)}
    today = checkout_view.today(visit.world)
    return tuple(
        _shown(method, is_default=method.id == default, is_used=method.id in used, month=(today.year, today.month))
        for method in billing_portal_card.of(visit.world, visit.customer)
    )


def name(method: Document) -> str:
    """A payment method in a few characters: `Visa •••• 4242`."""
    kind = method["type"]
    shown = method[kind]
    label = _BRANDS.get(shown["brand"], "Card") if kind == "card" else "Bank account"
    return f"{label} •••• {shown['last4']}"


def _shown(method: Document, *, is_default: bool, is_used: bool, month: tuple[int, int]) -> Method:
    note, is_expired = "", False
    if method["type"] == "card":
        plastic = method["card"]
        is_expired = (plastic["exp_year"], plastic["exp_month"]) < month
        until = f"{plastic['exp_month']:02} / {plastic['exp_year'] % 100:02}"
        note = f"Expired {until}" if is_expired else f"Expires {until}"
    return Method(method.id, name(method), note, is_expired, is_default, may_go=not is_used)
