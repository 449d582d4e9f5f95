"""What a customer can be charged by, as the portal shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk.emulator.pages import checkout_view, method_name
from paydesk.emulator.resources import billing_portal_card, billing_portal_plan

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.pages.portal_visit import Visit


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


def _shown(method: Document, *, is_default: bool, is_used: bool, month: tuple[int, int]) -> Method:
    note, is_expired = "", False
    if method["type"] == "card":
        plastic = method["card"]
        is_expired = (plastic["exp_year"], plastic["exp_month"]) < month
        until = f"{plastic['exp_month']:02} / {plastic['exp_year'] % 100:02}"
        note = f"Expired {until}" if is_expired else f"Expires {until}"
    return Method(method.id, method_name.of(method), note, is_expired, is_default, may_go=not is_used)
