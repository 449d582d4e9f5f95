"""Money: which currencies there are, how their amounts are counted and shown, and how small a charge may be.

Amounts are integers in the currency's smallest unit as Stripe counts it. The local account holds a balance in
every currency it is paid in, so nothing is ever converted, and minimums are those of the currency charged.
"""

from __future__ import annotations

import re
from typing import Final

from paydesk.emulator.kernel.errors import StripeError, invalid

AMOUNT_MAX: Final = 99_999_999

ZERO_DECIMAL: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
# Banks count thousandths; Stripe takes them rounded to tens.
THREE_DECIMAL: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# These have no smaller unit any more, and Stripe still counts them in hundredths.
WHOLE_IN_HUNDREDTHS: Final = frozenset({"isk", "ugx"})

# The order in which Stripe names them when it refuses another.
CURRENCIES: Final = tuple(
    re.findall(
        "[a-z]{3}",
        """
        usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf
        chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg
        huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt
        mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar
        sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd
        xcg xof xpf yer zar zmw
        """,
    )
)
_KNOWN: Final = frozenset(CURRENCIES)

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MINIMUMS: Final = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip

_SYMBOLS: Final = {
    "aud": "A$", "brl": "R$", "cad": "CA$", "cny": "CN¥", "eur": "€", "gbp": "£", "hkd": "HK$", "ils": "₪", "inr": "₹",
    "jpy": "¥", "krw": "₩", "mxn": "MX$", "nzd": "NZ$", "php": "₱", "twd": "NT$", "usd": "$", "vnd": "₫",
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many digits of an amount stand after the point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def amount_text(amount: int, currency: str) -> str:
    """An amount as Stripe's sentences show it: `$0.50`, `¥50`, `DKK 2.50`."""
    places = exponent(currency)
    whole, fraction = divmod(abs(amount), 10**places)
    digits = f"{whole:,}" + (f".{fraction:0{places}d}" if places else "")
    symbol = _SYMBOLS.get(currency, currency.upper() + " ")
    return ("-" if amount < 0 else "") + symbol + digits


def check_currency(currency: str, *, param: str = "currency") -> str:
    """The currency in lower case. Raises for what Stripe does not know."""
    lowered = currency.lower()
    if lowered not in _KNOWN:
        raise invalid(
            f"Invalid currency: {lowered}. Stripe currently supports these currencies: {', '.join(CURRENCIES)}",
            param=param,
        )
    return lowered


def minimum(currency: str) -> int:
    """The least that can be charged."""
    return MINIMUMS.get(currency, 1)


def check_charge_amount(amount: int, currency: str, *, param: str = "amount") -> None:
    """Refuse what cannot be charged: nothing, too little, too much, or a fraction that does not exist."""
    if amount < 1:
        raise StripeError(
            "This value must be greater than or equal to 1. The amount must be at least the minimum charge amount "
            f"({amount_text(minimum(currency), currency)} {currency}); to save a payment method without charging it, "
            "use a SetupIntent.",
            code="parameter_invalid_integer",
            param=param,
        )
    check_granularity(amount, currency, param=param)
    if amount < minimum(currency):
        raise StripeError(
            f"Amount must be at least {amount_text(minimum(currency), currency)} {currency}",
            code="amount_too_small",
            param=param,
        )
    if amount > AMOUNT_MAX:
        raise StripeError(
            f"Amount must be no more than {amount_text(AMOUNT_MAX, currency)} {currency}",
            code="amount_too_large",
            param=param,
        )


def check_granularity(amount: int, currency: str, *, param: str = "amount") -> None:
    """Refuse fractions of a unit that a currency, counted finer than it is, does not have."""
    if amount % step(currency):
        raise invalid(f"Amounts in {currency} must be divisible by {step(currency)}: {amount} is not.", param=param)


def step(currency: str) -> int:
    """What every amount is a multiple of: more than 1 in currencies that are counted finer than they are."""
    return 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_IN_HUNDREDTHS else 1
