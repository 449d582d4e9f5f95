"""What a price costs: for so many units, in one of its currencies, part by part.

A price per unit costs one part. A graduated price costs one part for each band its quantity reaches into, a volume
price one part at the band its whole quantity falls into; a band's flat fee is a part of its own. So Stripe's invoices
show them, a line each. Every part is rounded on its own, half a smallest unit up, so the parts are the total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import invalid

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

# Twelve places, times more units than anybody has: nothing is rounded before the end.
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Part:
    """One line's worth of what a price costs, in the smallest unit of its currency.

    `unit_amount_decimal` is what each of the `quantity` costs, as text; of a flat fee, which is for no units (its
    quantity is 0), it is the fee. `tier` is the number of a graduated price's band, from 1; else None.
    """

    amount: int
    quantity: int
    unit_amount_decimal: str
    tier: int | None = None
    is_flat: bool = False


def parts(price: Document, currency: str, quantity: int, *, param: str = "price") -> tuple[Part, ...]:
    """What a quantity costs at a price, in the order of an invoice's lines. The quantities add up to the whole one.

    Nothing is due for a quantity of 0, but what the first band asks for as its flat fee.

    Raises:
        StripeError: 400 as `check` does, naming `param`.
    """
    check(price, currency, param=param)
    amounts = _amounts(price, currency)
    if price["billing_scheme"] != "tiered":
        each = amounts["unit_amount_decimal"]
        return (Part(amount(each, _packs(price["transform_quantity"], quantity)), quantity, each),)
    tiers = _tiers(price, currency)
    if price["tiers_mode"] == "volume":
        band = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
        return tuple(_of_band(band, quantity, None))
    return tuple(_graduated(tiers, quantity))


def total(price: Document, currency: str, quantity: int) -> int:
    """What a quantity costs at a price, in all."""
    return sum(part.amount for part in parts(price, currency, quantity))


def check(price: Document, currency: str, *, param: str) -> None:
    """Refuse a price that cannot be charged: not in this currency, or not before the customer has chosen an amount.

    Raises:
        StripeError: 400, naming `param`.
    """
    if currency != price["currency"] and currency not in price.private.get("currency_options", {}):
        raise invalid(
            f"The price specified only supports `{price['currency']}`. "
            f"This doesn't match the expected currency: `{currency}`.",
            param=param,
        )
    if _amounts(price, currency)["custom_unit_amount"] is not None:
        raise invalid(
            f"The customer chooses the amount of the price `{price.id}` (`custom_unit_amount`), so it has no cost that "
            "could be charged here.",
            param=param,
        )


def amount(each: str, quantity: int | Decimal) -> int:
    """What a quantity costs at `each` (decimal text: it may be a fraction), rounded once, at the end."""
    if each.isdecimal() and isinstance(quantity, int):
        return int(each) * quantity
    return int(_EXACT.quantize(_EXACT.multiply(Decimal(each), Decimal(quantity)), Decimal(1)))


def _amounts(price: Document, currency: str) -> dict[str, Any]:
    """A price's amounts in one of its currencies: its own, or those of an option."""
    if currency == price["currency"]:
        return price
    option: dict[str, Any] = price.private["currency_options"][currency]
    return option


def _tiers(price: Document, currency: str) -> list[dict[str, Any]]:
    holder = price.private if currency == price["currency"] else _amounts(price, currency)
    tiers: list[dict[str, Any]] = holder["tiers"]
    return tiers


def _graduated(tiers: list[dict[str, Any]], quantity: int) -> Iterator[Part]:
    """The parts of each band that is reached; the first one always is."""
    below = 0
    for number, tier in enumerate(tiers, start=1):
        if number > 1 and quantity <= below:
            return
        end = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        yield from _of_band(tier, end - below, number)
        below = end


def _of_band(tier: dict[str, Any], quantity: int, number: int | None) -> Iterator[Part]:
    each = tier["unit_amount_decimal"] or "0"
    yield Part(amount(each, quantity), quantity, each, number)
    flat = tier["flat_amount_decimal"]
    if flat is not None:
        yield Part(amount(flat, 1), 0, flat, number, is_flat=True)


def _packs(transform: Mapping[str, Any] | None, quantity: int) -> int:
    """How many times the price is charged: "3 for the price" divides the quantity first."""
    if transform is None:
        return quantity
    whole, rest = divmod(quantity, int(transform["divide_by"]))
    return whole + (1 if rest and transform["round"] == "up" else 0)
