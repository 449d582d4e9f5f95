"""Money: how amounts are counted, shown and refused."""

from __future__ import annotations

import pytest

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.rules.money import amount_text, check_charge_amount, check_currency, exponent


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (50, "usd", "$0.50"),
        (123456789, "usd", "$1,234,567.89"),
        (-1999, "eur", "-€19.99"),
        (50, "jpy", "¥50"),
        (1500, "kwd", "KWD 1.500"),
        (500, "isk", "ISK 5.00"),
        (250, "dkk", "DKK 2.50"),
    ],
)
def test_an_amount_is_shown_as_it_is_counted(amount: int, currency: str, text: str) -> None:
    """With as many digits after the point as the currency has at Stripe."""
    assert amount_text(amount, currency) == text


@pytest.mark.parametrize(("currency", "places"), [("usd", 2), ("jpy", 0), ("ugx", 2), ("isk", 2), ("kwd", 3)])
def test_exponents_follow_stripe_and_not_the_bank(currency: str, places: int) -> None:
    """Icelandic and Ugandan amounts are counted in hundredths that do not exist."""
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "usd", "parameter_invalid_integer"),
        (-1, "usd", "parameter_invalid_integer"),
        (49, "usd", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (199, "pln", "amount_too_small"),
        (399, "hkd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (1501, "kwd", None),
        (550, "isk", None),
    ],
)
def test_what_cannot_be_charged_is_refused(amount: int, currency: str, code: str | None) -> None:
    """Too little, too much, or a fraction the currency does not have."""
    with pytest.raises(StripeError) as refusal:
        check_charge_amount(amount, currency)

    assert (refusal.value.code, refusal.value.param) == (code, "amount")


@pytest.mark.parametrize(
    ("amount", "currency"), [(50, "usd"), (50, "jpy"), (30, "gbp"), (200, "pln"), (99_999_999, "usd"), (1500, "kwd")]
)
def test_the_least_and_the_most_can_be_charged(amount: int, currency: str) -> None:
    """The bounds themselves are in."""
    check_charge_amount(amount, currency)


def test_currencies_are_lower_case_and_known() -> None:
    """Stripe takes them in any case and answers in lower case."""
    assert check_currency("EUR") == "eur"
    with pytest.raises(StripeError, match="Invalid currency: btc"):
        check_currency("BTC")
