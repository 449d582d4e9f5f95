"""Prices that are due again and again, in the words of a page: `$19.00 per month`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.pages import render
from paydesk.emulator.rules import price_costs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document


def per(recurring: Mapping[str, str | int]) -> str:
    """How often: `per month`, `every 3 months`."""
    interval, count = recurring["interval"], recurring["interval_count"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def cost(price: Document, currency: str, quantity: int, *, is_each: bool = False) -> str:
    """What so many cost, and how often; `is_each` where that is what each of them costs."""
    if price["recurring"]["usage_type"] == "metered":
        return f"by what you use, {per(price['recurring'])}"
    amount = render.money(price_costs.total(price, currency, quantity), currency)
    return f"{amount}{' each' if is_each else ''} {per(price['recurring'])}"
