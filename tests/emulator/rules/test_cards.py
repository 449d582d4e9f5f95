"""The table of test cards, as a table."""

from __future__ import annotations

from collections import Counter

import pytest

from paydesk.emulator.rules import card_entry, cards, declines
from paydesk.emulator.rules.cards import CARDS


def test_every_number_is_one_a_bank_could_issue() -> None:
    """A typo in the table would be a card nobody can use."""
    for card in CARDS:
        card_entry.check_number(card.number)
        assert cards.brand_of(card.number) == card.brand


def test_a_name_stands_for_one_card() -> None:
    """Of a number with several rows, the first says what it does."""
    names = Counter(name for card in CARDS for name in (card.alias, *card.aliases) if name)

    assert [name for name, count in names.items() if count > 1] == []
    assert cards.by_number("4242424242424242") == CARDS[0]


@pytest.mark.parametrize(
    ("code", "decline_code", "funding", "text"),
    [
        (
            "card_declined",
            "generic_decline",
            "credit",
            "Your credit card was declined. Try paying with a debit card instead.",
        ),
        (
            "card_declined",
            "generic_decline",
            "debit",
            "Your debit card was declined. Try paying with a credit card instead.",
        ),
        (
            "card_declined",
            "insufficient_funds",
            "credit",
            "Your credit card was declined because of insufficient funds. Try paying with a debit card instead.",
        ),
        ("card_declined", "lost_card", "prepaid", "Your card was declined. Please try a different card."),
        ("expired_card", None, "credit", "Your card is expired. Try a different card."),
        ("payment_intent_authentication_failure", None, "credit", "as the API says"),
    ],
)
def test_pages_say_it_to_the_payer(code: str, decline_code: str | None, funding: str, text: str) -> None:
    """In plainer words than the API, with something else to try."""
    assert declines.on_page(code, decline_code, "as the API says", funding) == text
