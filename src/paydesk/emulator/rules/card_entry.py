"""Card data as somebody typed it: checked the way Stripe checks it before any bank is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from paydesk.emulator.kernel.errors import StripeError, missing_param
from paydesk.emulator.rules import cards, declines
from paydesk.emulator.rules.cards import Card

_LENGTHS = range(12, 20)
_CENTURY = 2000
_FUTURE_YEARS_MAX = 50


@dataclass(frozen=True)
class Entry:
    """A card with what its holder typed beside the number. Checks that were not asked for cannot fail."""

    card: Card = field(repr=False)
    exp_month: int
    exp_year: int
    has_cvc: bool


def read(given: dict[str, Any], now: int, *, livemode: bool, param: str = "card") -> Entry:
    """The card in `number`, `exp_month`, `exp_year` and `cvc`.

    Raises:
        StripeError: 402 in the bank's name for what is wrong with it; 400 for what is missing.
    """
    for name in ("number", "exp_month", "exp_year"):
        if given.get(name) in (None, ""):
            raise missing_param(f"{param}[{name}]")
    number = str(given["number"]).replace(" ", "").replace("-", "")
    check_number(number)
    month, year = _expiry(str(given["exp_month"]), str(given["exp_year"]), now)
    cvc = given.get("cvc")
    if cvc is not None:
        _check_cvc(str(cvc), cards.brand_of(number))
    return Entry(_accepted(number, livemode=livemode), month, year, cvc is not None)


def template(card: Card, now: int) -> Entry:
    """What a magic id stands for: a card that expires a year from now."""
    today = datetime.fromtimestamp(now, UTC)
    return Entry(card, today.month, today.year + 1, has_cvc=True)


def check_number(number: str) -> None:
    """Refuse what no bank ever issued."""
    is_number = number.isascii() and number.isdecimal() and len(number) in _LENGTHS
    if not is_number or not _passes_luhn(number):
        raise _wrong("incorrect_number", "Your card number is incorrect.", "number")


def check_month(month: int) -> None:
    """Refuse months a year does not have."""
    if not 1 <= month <= 12:
        raise _wrong("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")


def check_year(year: int, now: int) -> None:
    """Refuse years that are over, and those no card is issued for."""
    this_year = datetime.fromtimestamp(now, UTC).year
    if not this_year <= year <= this_year + _FUTURE_YEARS_MAX:
        raise _wrong("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")


def _expiry(month_text: str, year_text: str, now: int) -> tuple[int, int]:
    month = _number(month_text)
    check_month(month)
    year = _number(year_text)
    year += _CENTURY if year < _CENTURY and len(year_text) <= len("29") else 0
    check_year(year, now)
    today = datetime.fromtimestamp(now, UTC)
    if (year, month) < (today.year, today.month):
        raise _wrong("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    return month, year


def _number(text: str) -> int:
    """The number that a short text spells; 0, which is no month and no year, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len("2029") else 0


def _check_cvc(cvc: str, brand: str) -> None:
    lengths = (3, 4) if brand == "amex" else (3,)
    if not (cvc.isascii() and cvc.isdecimal() and len(cvc) in lengths):
        raise _wrong("invalid_cvc", "Your card's security code is invalid.", "cvc")


def _accepted(number: str, *, livemode: bool) -> Card:
    known = cards.by_number(number)
    if livemode:
        if known is not None:
            raise declines.ONLY_A_TEST_CARD.error()
        # Somebody's real card: no more of its number than a receipt shows is ever held.
        return Card(number[-4:], brand=cards.brand_of(number))
    if known is None:
        raise declines.NOT_A_TEST_CARD.error()
    return known


def _passes_luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _wrong(code: str, message: str, param: str) -> StripeError:
    return StripeError(message, status=402, type="card_error", code=code, param=param)
