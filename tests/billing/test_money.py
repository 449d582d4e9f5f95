"""Money as people write it and as Stripe wants it."""

from __future__ import annotations

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from paydesk.billing.money import THREE_DECIMAL, ZERO_DECIMAL, Money, parse, show


@pytest.mark.parametrize(
    ("text", "amount_minor", "currency"),
    [
        ("$19", 1900, "usd"),
        ("$19.00", 1900, "usd"),
        ("$0.50", 50, "usd"),
        ("19 EUR", 1900, "eur"),
        ("19EUR", 1900, "eur"),
        ("eur 19", 1900, "eur"),
        ("19,00 €", 1900, "eur"),
        ("  19.00   € ", 1900, "eur"),
        ("€19", 1900, "eur"),
        ("¥500", 500, "jpy"),
        ("¥1,500", 1500, "jpy"),
        ("500 JPY", 500, "jpy"),
        ("$1,234.50", 123450, "usd"),
        ("1.234,50 €", 123450, "eur"),
        ("1 234,50 €", 123450, "eur"),
        ("CHF 1'234.50", 123450, "chf"),
        ("$123,456.00", 12345600, "usd"),
        ("$20 CAD", 2000, "cad"),
        ("A$20", 2000, "aud"),
        ("US$20", 2000, "usd"),
        ("99 Kč", 9900, "czk"),
        ("KWD 12", 12000, "kwd"),
        ("500 ISK", 50000, "isk"),
        ("500.00 UGX", 50000, "ugx"),
        ("MGA 500", 500, "mga"),
    ],
)
def test_what_people_write(text: str, amount_minor: int, currency: str) -> None:
    """The usual ways of writing a price are understood, and nothing else."""
    assert parse(text) == Money(amount_minor, currency)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("19", "names no currency"),
        ("", "is not an amount of money"),
        ("free", "is not an amount of money"),
        ("-$5", "is not an amount of money"),
        ("$ 5 per month", "is not an amount of money"),
        ("$19/mo", "is not an amount of money"),
        ("100 kr", "is not an amount of money"),
        ("1.250 KWD", "two ways"),
        ("$1,234,567.00", "more than Stripe takes"),
        ("19 XQZ", "no currency anybody knows"),
        ("$19 EUR", "two currencies"),
        ("$0", "is nothing"),
        ("$1,234", "two ways"),
        ("1.234 EUR", "two ways"),
        ("$19.9", "2 digits after the point"),
        ("$19.999.00", "cannot be an amount|grouped"),
        ("$12,34.00", "grouped"),
        ("$1,2345.00", "grouped"),
        ("¥500.00", "no digits after a point"),
        ("5.50 ISK", "not a whole amount"),
        ("1.2500 KWD", "3 digits after the point"),
        ("$1000000.00", "more than Stripe takes"),
        ("٣ USD", "is not an amount|cannot"),
    ],
)
def test_what_could_be_misread_is_refused_with_a_reason(text: str, reason: str) -> None:
    """A price that is read wrongly is sold wrongly."""
    with pytest.raises(ValueError, match=reason):
        parse(text)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "shown"),
    [
        (1900, "usd", "$19.00"),
        (1950, "eur", "€19.50"),
        (500, "jpy", "¥500"),
        (500, "mga", "MGA\xa0500"),
        (1250, "kwd", "KWD\xa01.250"),
        (50000, "isk", "ISK\xa0500"),
        (50050, "isk", "ISK\xa0500.50"),
        (123456789, "usd", "$1,234,567.89"),
    ],
)
def test_what_people_are_shown(amount_minor: int, currency: str, shown: str) -> None:
    """Shown with as many decimals as the currency has."""
    assert show(amount_minor, currency) == shown


def test_shown_in_the_readers_language() -> None:
    """A German reader sees a German amount."""
    assert show(123450, "eur", locale="de") == "1.234,50\xa0€"


def test_round_prices_can_be_shown_without_zeros() -> None:
    """On a price tag $19 reads better, and $19.50 stays."""
    assert show(1900, "usd", trim_zeros=True) == "$19"
    assert show(1950, "usd", trim_zeros=True) == "$19.50"


def test_the_table_agrees_with_the_world_except_where_stripe_does_not() -> None:
    """Our own table is checked against Babel's; two currencies Stripe counts in its own way."""
    for currency in ZERO_DECIMAL:
        assert get_currency_precision(currency.upper()) == 0
    for currency in THREE_DECIMAL:
        assert get_currency_precision(currency.upper()) == 3


@given(
    amount=st.integers(min_value=1, max_value=9_999_999),
    currency=st.sampled_from(["usd", "eur", "jpy", "gbp", "chf", "pln"]),
)
def test_what_is_shown_can_be_read_back(amount: int, currency: str) -> None:
    """Whatever is shown to a person may be pasted into the catalog and means the same."""
    assert parse(show(amount, currency)) == Money(amount, currency)
