"""Money as people write it and as Stripe wants it.

An amount is an integer in the currency's smallest unit as Stripe counts it,
next to its lower-case currency: `Money(1900, "usd")` is $19. What people write
is read strictly: where a text could mean two amounts, it means neither.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import list_currencies

# Stripe counts these in whole units. Libraries disagree with Stripe on some, so this table is our own.
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))

# These have no smaller unit any more, but Stripe still counts them in hundredths: 5 króna are sent as 500, and
# an amount not divisible by 100 is refused.
WHOLE_IN_HUNDREDTHS = frozenset(("isk", "ugx"))

# Eight digits are the most Stripe takes in one payment.
AMOUNT_MAX_MINOR = 99_999_999

# "kr" is missing on purpose: it is Swedish, Norwegian, Danish and Icelandic.
SYMBOLS = {
    "US$": "usd",
    "CA$": "cad",
    "NZ$": "nzd",
    "HK$": "hkd",
    "MX$": "mxn",
    "A$": "aud",
    "C$": "cad",
    "S$": "sgd",
    "R$": "brl",
    "$": "usd",
    "€": "eur",
    "£": "gbp",
    "¥": "jpy",
    "₹": "inr",
    "₩": "krw",
    "₺": "try",
    "₫": "vnd",
    "₪": "ils",
    "฿": "thb",
    "₱": "php",
    "₴": "uah",
    "₦": "ngn",
    "zł": "pln",
    "Kč": "czk",
}

_SYMBOL = "|".join(re.escape(symbol) for symbol in SYMBOLS)
_CURRENCY = rf"(?P<{{}}>{_SYMBOL}|[A-Za-z]{{{{3}}}})"
_TEXT = re.compile(rf"{_CURRENCY.format('before')}?\s*(?P<number>[0-9][0-9.,'’ ]*?)\s*{_CURRENCY.format('after')}?")
# Where a currency has no symbol its code is shown, and "ISK500" needs the blank that "$500" does not.
_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[A-Z])(?=[0-9])")

_PLAIN = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([.,'’ ])[0-9]{3})(?:\1[0-9]{3})*")


@dataclass(frozen=True)
class Money:
    """An amount in the currency's smallest unit (as Stripe counts it) and the lower-case currency."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        return show(self.amount_minor, self.currency)


def parse(text: str) -> Money:
    """Read "$19", "19 EUR", "19,00 €", "1,234.50 USD" or "¥500".

    Raises ValueError with the reason, in words for whoever wrote it.
    """
    match = _TEXT.fullmatch(" ".join(text.split()))
    if match is None:
        raise ValueError(f'{text!r} is not an amount of money. Write it like "$19", "19 EUR" or "¥500".')
    currency = _currency(text, match["before"], match["after"])
    amount_minor = _amount_minor(text, match["number"], currency)
    if amount_minor == 0:
        raise ValueError(f"{text!r} is nothing. A price is more than zero.")
    if amount_minor > AMOUNT_MAX_MINOR:
        raise ValueError(f"{text!r} is more than Stripe takes in one payment.")
    return Money(amount_minor, currency)


def show(amount_minor: int, currency: str, *, locale: str = "en", trim_zeros: bool = False) -> str:
    """The amount as people of that locale write it. With `trim_zeros`, "$19.00" is shown as "$19"."""
    exponent = exponent_of(currency)
    scale = 10**exponent
    is_whole = amount_minor % scale == 0
    digits = 0 if is_whole and (trim_zeros or currency in WHOLE_IN_HUNDREDTHS) else exponent
    language = Locale.parse(locale)
    pattern = copy.copy(language.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    value = Decimal(amount_minor) / scale
    shown = str(pattern.apply(value, language, currency=currency.upper(), currency_digits=False))
    return _LETTER_BEFORE_DIGIT.sub("\u00a0", shown)


def exponent_of(currency: str) -> int:
    """How many of an amount's last digits stand after the decimal point, at Stripe."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def _currency(text: str, before: str | None, after: str | None) -> str:
    if before is None and after is None:
        raise ValueError(f'{text!r} names no currency. Write it like "$19", "19 EUR" or "¥500".')
    named = {_code(text, mark) for mark in (before, after) if mark is not None}
    if len(named) > 1 and not (before == "$" and after in {"AUD", "CAD", "HKD", "MXN", "NZD", "SGD"}):
        raise ValueError(f"{text!r} names two currencies.")
    return _code(text, after if after is not None else str(before))


def _code(text: str, mark: str) -> str:
    if mark in SYMBOLS:
        return SYMBOLS[mark]
    if mark.upper() not in _known_codes():
        raise ValueError(f"{text!r} names no currency anybody knows: {mark!r}.")
    return mark.lower()


@cache
def _known_codes() -> frozenset[str]:
    return frozenset(list_currencies("en"))


def _amount_minor(text: str, number: str, currency: str) -> int:
    exponent = exponent_of(currency)
    whole, fraction = _split(text, number, exponent)
    if len(fraction) not in {0, exponent}:
        expected = f"{exponent} digits after the point, or none" if exponent else "no digits after a point"
        raise ValueError(f"{text!r} cannot be an amount of {currency.upper()}: that has {expected}.")
    amount_minor = int(whole + (fraction or "0" * exponent))
    if currency in WHOLE_IN_HUNDREDTHS and amount_minor % 100:
        raise ValueError(f"{text!r} is not a whole amount: {currency.upper()} has no smaller unit.")
    if currency in THREE_DECIMAL and amount_minor % 10:
        raise ValueError(f"{text!r} is too fine: Stripe takes {currency.upper()} amounts that end in 0.")
    return amount_minor


def _split(text: str, number: str, exponent: int) -> tuple[str, str]:
    """Digits before and after the decimal mark, with the grouping taken out."""
    marks = [character for character in number if not character.isdigit()]
    if not marks:
        return number, ""
    last = marks[-1]
    if last in ".," and marks.count(last) == 1:
        whole, fraction = number.split(last)
        if len(marks) == 1 and len(fraction) == 3 and exponent:
            raise ValueError(
                f"{text!r} can be read in two ways. Leave the mark between thousands out, or write the decimals too."
            )
        if len(marks) == 1 and len(fraction) == 3:
            return whole + fraction, ""  # without decimals the mark can only separate thousands
        return _ungrouped(text, whole), fraction
    return _ungrouped(text, number), ""


def _ungrouped(text: str, whole: str) -> str:
    if not (_PLAIN.fullmatch(whole) or _GROUPED.fullmatch(whole)):
        raise ValueError(f"{text!r} has its digits grouped in a way that cannot be read.")
    return re.sub(r"\D", "", whole)
