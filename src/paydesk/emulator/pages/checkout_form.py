"""What a customer types into the payment page, and what is wrong with it.

Card data is used once and never shown again: not in the page, not in a log, not in a repr.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.routes import words
from paydesk.emulator.rules.addresses import is_email
from paydesk.emulator.rules.card_entry import check_number
from paydesk.emulator.rules.cards import brand_of

TEXT_MAX: Final = 200
NUMBER_DIGITS_MIN: Final = 12

# What a one-click test card fills in where nothing was typed.
SAMPLE_EMAIL: Final = "ada@example.com"
SAMPLE_NAME: Final = "Ada Lovelace"
SAMPLE_POSTAL_CODE: Final = "42424"
SAMPLE_EXPIRY_YEARS_AHEAD: Final = 3

# Countries whose addresses do without postal codes.
NO_POSTAL_CODE: Final = words(
    "AE AG AN AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GA GD GH GM GN GQ GY HK JM KE KI KM KN KP LC ML "
    "MO MR MS MU MW NR NU PA QA RW SB SC SL SO SR ST SY TF TG TK TL TO TT TV TZ UG VU YE ZA ZW"
)


@dataclass(frozen=True)
class Card:
    """A card as typed: digits only, the year with four."""

    number: str = field(default="", repr=False)
    month: int = 0
    year: int = 0
    cvc: str = field(default="", repr=False)

    def params(self) -> dict[str, Any]:
        """The card as the API takes it."""
        return {"number": self.number, "exp_month": self.month, "exp_year": self.year, "cvc": self.cvc}


@dataclass(frozen=True)
class Typed:
    """A submitted form. Everything but the card may be shown again.

    `saved_card` is the id of one that was left before; empty: another one is typed. None: nobody was asked.
    """

    email: str = ""
    name: str = ""
    country: str = "US"
    postal_code: str = ""
    is_person: bool = False
    promotion_code: str = ""
    saved_card: str | None = None
    number: str = field(default="", repr=False)
    expiry: str = field(default="", repr=False)
    cvc: str = field(default="", repr=False)

    @property
    def card(self) -> Card:
        """The card, as far as it can be read."""
        month, year = _month_and_year(self.expiry)
        return Card(_digits(self.number), month, year, _digits(self.cvc))

    def without_card(self) -> Typed:
        """What may be shown again."""
        return replace(self, number="", expiry="", cvc="")

    def kept(self) -> dict[str, str]:
        """What the session remembers for a customer who comes back from their bank."""
        return {"email": self.email, "name": self.name, "country": self.country, "postal_code": self.postal_code}


def read(sent: Mapping[str, Any]) -> Typed:
    """A form as it was posted; whatever is no text is nothing."""

    def text(name: str) -> str:
        value = sent.get(name, "")
        return value.strip()[:TEXT_MAX] if isinstance(value, str) else ""

    return Typed(
        email=text("email"),
        name=text("name"),
        country=text("country").upper() or "US",
        postal_code=text("postal_code"),
        is_person=text("is_person") == "yes",
        promotion_code=text("promotion_code"),
        saved_card=text("saved_card") if "saved_card" in sent else None,
        number=text("card_number"),
        expiry=text("card_expiry"),
        cvc=text("card_cvc"),
    )


def with_test_card(typed: Typed, number: str, today: date) -> Typed:
    """The form with a test card, and with sample values where nothing was typed."""
    return replace(
        typed,
        email=typed.email or SAMPLE_EMAIL,
        name=typed.name or SAMPLE_NAME,
        postal_code=typed.postal_code or SAMPLE_POSTAL_CODE,
        saved_card="",
        number=_digits(number),
        expiry=sample_expiry(today),
        cvc=sample_cvc(number),
    )


def sample_expiry(today: date) -> str:
    """An expiry well ahead, as the form shows it."""
    return f"12 / {(today.year + SAMPLE_EXPIRY_YEARS_AHEAD) % 100:02}"


def sample_cvc(number: str) -> str:
    """A security code of the right length."""
    return "1234"[: _cvc_length(_digits(number))]


def problems(
    typed: Typed, today: date, *, asks_email: bool, asks_card: bool = True, countries: Mapping[str, str]
) -> dict[str, str]:
    """What is wrong, by field, in the order of the page, in the words the customer reads."""
    card = typed.card
    found = {
        "email": _about_email(typed.email) if asks_email else None,
        "card_number": _about_number(card.number) if asks_card else None,
        "card_expiry": _about_expiry(typed.expiry, card, today) if asks_card else None,
        "card_cvc": _about_cvc(card) if asks_card else None,
        "name": "Enter the name on the card." if asks_card and not typed.name else None,
        "country": "Choose a country from the list." if asks_card and typed.country not in countries else None,
        "postal_code": _about_postal_code(typed) if asks_card else None,
    }
    return {name: message for name, message in found.items() if message is not None}


def _about_email(email: str) -> str | None:
    if not email:
        return "Enter your email address."
    return None if is_email(email) else "Your email address is incomplete."


def _about_number(number: str) -> str | None:
    if len(number) < NUMBER_DIGITS_MIN:
        return "Your card number is incomplete."
    try:
        check_number(number)
    except StripeError:
        return "Your card number is invalid."
    return None


def _about_expiry(expiry: str, card: Card, today: date) -> str | None:
    if not card.year:
        return "Your card's expiration date is incomplete."
    if not 1 <= card.month <= 12:
        return "Your card's expiration date is invalid."
    if (card.year, card.month) < (today.year, today.month):
        return "Your card's expiration date is in the past."
    if card.year > today.year + 50:
        return "Your card's expiration year is invalid."
    return None


def _about_cvc(card: Card) -> str | None:
    return None if len(card.cvc) == _cvc_length(card.number) else "Your card's security code is incomplete."


def _about_postal_code(typed: Typed) -> str | None:
    if typed.postal_code or typed.country in NO_POSTAL_CODE:
        return None
    return "Enter your ZIP code." if typed.country == "US" else "Enter your postal code."


def _cvc_length(number: str) -> int:
    return 4 if brand_of(number) == "amex" else 3


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isdigit())


def _month_and_year(expiry: str) -> tuple[int, int]:
    """Month and four-digit year of `12 / 34`, `1234`, `12/2034`; zeros for what is not there yet."""
    parted = re.fullmatch(r"\s*(\d{1,2})\s*[/\-. ]\s*(\d{2}|\d{4})\s*", expiry, re.ASCII)
    run = re.fullmatch(r"\s*(\d{2})(\d{2}|\d{4})\s*", expiry, re.ASCII)
    match = parted or run
    if match is None:
        return 0, 0
    year = int(match[2])
    return int(match[1]), year + 2000 if year < 100 else year
