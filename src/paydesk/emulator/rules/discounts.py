"""What discounts take off an order, line by line.

Each discount works on what the ones before it have left. What it takes is worked out and
rounded once, for all lines it applies to, and then spread over them in proportion, so that
the lines always add up to the whole; no line is ever worth less than nothing.

All amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from paydesk.emulator.rules.cycles import plus_months

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document


@dataclass(frozen=True)
class Part:
    """A line that something may be taken off: what it sells (None: nothing that is known) and what it costs."""

    product: str | None
    amount: int
    is_discountable: bool = True


@dataclass(frozen=True)
class Terms:
    """What a coupon takes off, in one currency: a percentage (decimal text) or an amount.

    `products` are those it is for; None: all.
    """

    percent_off: str | None
    amount_off: int | None
    products: tuple[str, ...] | None = None

    def applies_to(self, product: str | None) -> bool:
        """Whether a line that sells this product gets cheaper."""
        return self.products is None or product in self.products


@dataclass(frozen=True)
class Applied:
    """A discount by its id, on its terms in the currency that counts."""

    id: str
    terms: Terms


@dataclass(frozen=True)
class Share:
    """What a discount takes off one line; `is_own` tells the line's own discounts from those of the whole."""

    discount: str
    amount: int
    is_own: bool


def promise(coupon: Document) -> dict[str, Any]:
    """What a discount keeps of its coupon, which may be deleted: what is taken off, in which currencies, off what."""
    percent, options = coupon["percent_off"], coupon.private["currency_options"]
    amounts = {currency: option["amount_off"] for currency, option in options.items()}
    return {
        "amounts": amounts if percent is not None else {coupon["currency"]: coupon["amount_off"], **amounts},
        "percent_off": None if percent is None else str(percent),
        "products": (coupon.private["applies_to"] or {}).get("products"),
    }


def promised(kept: Mapping[str, Any], currency: str) -> Terms | None:
    """The terms that were promised; None where they are an amount, and none in this currency."""
    products = None if kept["products"] is None else tuple(kept["products"])
    if kept["percent_off"] is not None:
        return Terms(kept["percent_off"], None, products)
    amount: int | None = kept["amounts"].get(currency)
    return None if amount is None else Terms(None, amount, products)


def terms(coupon: Document, currency: str) -> Terms | None:
    """A coupon's terms; None where it takes off an amount, and none in this currency."""
    return promised(promise(coupon), currency)


def ends(duration: str, months: int | None, start: int) -> int | None:
    """When a discount that starts then is over: months later to the second; None where no date ends it."""
    if duration != "repeating" or months is None:
        return None
    return plus_months(start, months)


def taken(given: Terms, parts: Sequence[Part], *, step: int = 1) -> tuple[int, ...]:
    """What one discount takes off each line. Lines below zero (credits) stay as they are.

    Where all amounts are multiples of `step`, as some currencies want it, what is taken off is one too.
    """
    weights = [part.amount if part.amount > 0 and concerns(given, part) else 0 for part in parts]
    whole = sum(weights)
    if any(weight % step for weight in weights):
        step = 1
    if given.percent_off is not None:
        exact = whole * Decimal(given.percent_off) / 100 / step
        steps = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    else:
        # Where credits have made the whole less than its parts, an amount must not add to what is credited.
        there_is = max(0, sum(part.amount for part in parts))
        steps = min(given.amount_off or 0, whole, there_is) // step
    return tuple(share * step for share in spread(steps, weights))


def concerns(given: Terms, part: Part) -> bool:
    """Whether a discount is for this line at all, whatever it takes off it."""
    return part.is_discountable and given.applies_to(part.product)


def taken_in_turn(discounts: Sequence[Terms], parts: Sequence[Part], *, step: int = 1) -> tuple[tuple[int, ...], ...]:
    """What each discount takes off each line, in the order they apply."""
    turns: list[tuple[int, ...]] = []
    left = list(parts)
    for discount in discounts:
        turn = taken(discount, left, step=step)
        left = [_less(part, off) for part, off in zip(left, turn, strict=True)]
        turns.append(turn)
    return tuple(turns)


def shares(
    parts: Sequence[Part], own: Sequence[Sequence[Applied]], whole: Sequence[Applied], *, step: int = 1
) -> list[list[Share]]:
    """What each line owes to each discount: `own` are the lines' discounts, which come first, `whole` those of all.

    Lines may have one of their own together, as the tiers of one price do: it is spread over them. A discount is named
    wherever it is for a line, with 0 where it found nothing left. None is taken twice off a line.
    """
    found: list[list[Share]] = [[] for _ in parts]
    left = list(parts)
    own_ones = dict.fromkeys(one for line in own for one in line)
    for one, is_own in [*((one, True) for one in own_ones), *((one, False) for one in whole)]:
        places = [place for place, line in enumerate(own) if not is_own or one in line]
        seen = [
            replace(left[place], is_discountable=left[place].is_discountable and not _has(found[place], one))
            for place in places
        ]
        for place, part, off in zip(places, seen, taken(one.terms, seen, step=step), strict=True):
            if concerns(one.terms, part):
                found[place].append(Share(one.id, off, is_own))
                left[place] = replace(left[place], amount=left[place].amount - off)
    return found


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


def _less(part: Part, off: int) -> Part:
    return replace(part, amount=part.amount - off)


def _has(shares: Sequence[Share], one: Applied) -> bool:
    return any(share.discount == one.id for share in shares)
