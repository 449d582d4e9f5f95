"""What discounts take off an order, line by line.

Each discount works on what the ones before it have left. What it takes is worked out and
rounded once, for all lines it applies to, and then spread over them in proportion, so that
the lines always add up to the whole; no line is ever worth less than nothing.

All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document


@dataclass(frozen=True)
class Part:
    """A line that something may be taken off: what it sells and what it costs."""

    product: str
    amount: int


@dataclass(frozen=True)
class Terms:
    """What a coupon takes off, in one currency: a percentage (decimal text) or an amount.

    `products` are those it is for; None: all.
    """

    percent_off: str | None
    amount_off: int | None
    products: tuple[str, ...] | None = None

    def applies_to(self, product: str) -> bool:
        """Whether a line that sells this product gets cheaper."""
        return self.products is None or product in self.products


def terms(coupon: Document, currency: str) -> Terms | None:
    """A coupon's terms; None where it takes off an amount, and none in this currency."""
    products: Sequence[str] | None = (coupon.private["applies_to"] or {}).get("products")
    only = None if products is None else tuple(products)
    if coupon["percent_off"] is not None:
        return Terms(str(coupon["percent_off"]), None, only)
    if coupon["currency"] == currency:
        return Terms(None, coupon["amount_off"], only)
    option: Mapping[str, Any] | None = coupon.private["currency_options"].get(currency)
    return None if option is None else Terms(None, option["amount_off"], only)


def taken(given: Terms, parts: Sequence[Part], *, step: int = 1) -> tuple[int, ...]:
    """What one discount takes off each line. Lines below zero (credits) stay as they are.

    Where all amounts are multiples of `step`, as some currencies want it, what is taken off is one too.
    """
    weights = [part.amount if part.amount > 0 and given.applies_to(part.product) else 0 for part in parts]
    whole = sum(weights)
    if any(weight % step for weight in weights):
        step = 1
    if given.percent_off is not None:
        exact = whole * Decimal(given.percent_off) / 100 / step
        steps = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    else:
        steps = min(given.amount_off or 0, whole) // step
    return tuple(share * step for share in spread(steps, weights))


def taken_in_turn(discounts: Sequence[Terms], parts: Sequence[Part], *, step: int = 1) -> tuple[tuple[int, ...], ...]:
    """What each discount takes off each line, in the order they apply."""
    turns: list[tuple[int, ...]] = []
    left = list(parts)
    for discount in discounts:
        turn = taken(discount, left, step=step)
        left = [Part(part.product, part.amount - off) for part, off in zip(left, turn, strict=True)]
        turns.append(turn)
    return tuple(turns)


def spread(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """An amount divided in proportion to weights of zero or more: the shares add up to it exactly.

    What rounding down left over goes, one by one, to those who lost most by it; of equals, to the first.
    """
    whole = sum(weights)
    if not whole:
        return (0,) * len(weights)
    shares = [amount * weight // whole for weight in weights]
    by_loss = sorted(range(len(weights)), key=lambda index: -(amount * weights[index] % whole))
    for index in by_loss[: amount - sum(shares)]:
        shares[index] += 1
    return tuple(shares)
