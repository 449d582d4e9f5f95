"""A cart: what a Checkout Session sells, to whom and on which terms, and what that comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import checkout_discounts, checkout_line_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.resources.checkout_discounts import Discount
    from paydesk.emulator.resources.checkout_line_items import Line
    from paydesk.emulator.rules.checkout_totals import Totals


@dataclass(frozen=True)
class Cart:
    """What is sold. `customer` is an id, where one is known; `terms` are `subscription_data`."""

    mode: str
    lines: Sequence[Line]
    currency: str
    customer: str | None = None
    discount: Discount | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Priced:
    """What a cart comes to: its lines with their amounts, their sums, and what is `due` of it now.

    The two differ where the customer has a balance. `at` is the moment, in billing's time, for which this was worked
    out.
    """

    lines: list[Line]
    totals: Totals
    due: int
    at: int


def of(session: Document) -> Cart:
    """The cart of a session."""
    return Cart(
        mode=session["mode"],
        lines=checkout_line_items.lines_of(session),
        currency=session["currency"],
        customer=session["customer"],
        discount=checkout_discounts.of(session),
        terms=session.private.get("subscription_data") or {},
    )
