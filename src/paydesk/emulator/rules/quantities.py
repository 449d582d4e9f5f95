"""Quantities: how many units, whole ones or, where hours or litres are sold, fractions of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid

if TYPE_CHECKING:
    from paydesk.emulator.rules.price_amounts import Under

QUANTITY_MAX: Final = 999_999_999_999
PLACES_MAX: Final = 12


def asked(given: dict[str, Any], under: Under) -> Decimal | None:
    """How many a request asks for, by `quantity` or `quantity_decimal`; None where it says nothing of it.

    Raises:
        StripeError: 400 where it says both, or no number of units.
    """
    whole, decimal = given.get("quantity"), given.get("quantity_decimal")
    if whole is not None and decimal is not None:
        raise exclusive(under("quantity"), under("quantity_decimal"))
    if whole is not None:
        if not 0 <= whole <= QUANTITY_MAX:
            raise StripeError("Invalid non-negative integer", code="parameter_invalid_integer", param=under("quantity"))
        return Decimal(whole)
    if decimal is None:
        return None
    many = Decimal(str(decimal))
    if not 0 <= many <= QUANTITY_MAX or places(many) > PLACES_MAX:
        raise invalid(
            f"Invalid decimal: {decimal}; must be non-negative, with at most {PLACES_MAX} decimal places",
            param=under("quantity_decimal"),
        )
    return many


def places(many: Decimal) -> int:
    """How many digits stand behind the point, zeros at the end not counted."""
    exponent = many.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def shown(many: int | Decimal) -> dict[str, Any]:
    """A quantity as an item or a line shows it: the whole units, and exactly."""
    return {"quantity": int(many), "quantity_decimal": text(Decimal(many))}


def text(many: Decimal) -> str:
    """A quantity in digits, without zeros that say nothing."""
    return f"{many.normalize():f}"


def is_whole(many: Decimal) -> bool:
    """Whether it is so many whole units."""
    return not places(many)
