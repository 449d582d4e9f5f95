"""Cards that a customer left before, offered on the payment page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.emulator.checkout_subscribing import finished, opened
from tests.emulator.pages.test_checkout_page import FORM, show
from tests.emulator.pages.test_checkout_page import opened as ordered
from tests.emulator.wire import Reply, Wire

CARDS = {"always": "pm_card_mastercard", "limited": "pm_card_visa", "unspecified": "pm_card_amex"}
NAMES = {"always": "Mastercard •••• 4444", "limited": "Visa •••• 4242", "unspecified": "American Express •••• 0005"}


@pytest.fixture
def ada(client: stripe.StripeClient) -> stripe.Customer:
    """Somebody who left three cards, one of them for being shown."""
    known = client.v1.customers.create({"email": "ada@example.com"})
    for display, card in CARDS.items():
        method = client.v1.payment_methods.attach(card, {"customer": known.id})
        client.v1.payment_methods.update(method.id, {"allow_redisplay": display})
    return known


def kept(client: stripe.StripeClient, owner: stripe.Customer, display: str = "always") -> str:
    """The id of the card that is kept so."""
    given: Any = {"allow_redisplay": display}
    (found,) = client.v1.customers.payment_methods.list(owner.id, given).data
    return found.id


def press(visitor: Wire, session: stripe.checkout.Session, **sent: str) -> Reply:
    """Send the form without a card in it."""
    bare = {"expected_amount": str(session.amount_total), **sent}
    return visitor.post(f"/c/pay/{session.id}", urlencode(bare))


@pytest.mark.parametrize("filters", [None, ["limited", "unspecified"], ["always", "limited", "unspecified"]])
def test_the_seller_says_which_cards_are_shown(
    client: stripe.StripeClient, visitor: Wire, ada: stripe.Customer, filters: list[str] | None
) -> None:
    """By default those that their owner wants to see again."""
    terms: Any = {} if filters is None else {"saved_payment_method_options": {"allow_redisplay_filters": filters}}

    page = show(visitor, opened(client, customer=ada.id, **terms))

    assert {display for display, name in NAMES.items() if name in page} == set(filters or ["always"])


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_a_saved_card_pays(client: stripe.StripeClient, visitor: Wire, ada: stripe.Customer, mode: str) -> None:
    """With one click, and no card is typed; no other one is kept."""
    make = {"payment": ordered, "subscription": opened}[mode]
    session = make(client, customer=ada.id)
    card = kept(client, ada)

    answer = press(visitor, session, saved_card=card)

    assert answer.status == 303
    (charge,) = client.v1.charges.list().data
    assert (charge.payment_method, charge.customer, charge.paid) == (card, ada.id, True)
    assert len(client.v1.customers.payment_methods.list(ada.id).data) == len(CARDS)
    if mode == "subscription":
        assert finished(client, session).subscription.default_payment_method.id == card


def test_another_card_can_be_typed(client: stripe.StripeClient, visitor: Wire, ada: stripe.Customer) -> None:
    """Then its fields count."""
    session = opened(client, customer=ada.id)

    empty = press(visitor, session, saved_card="")
    typed = visitor.post(f"/c/pay/{session.id}", urlencode(FORM | {"saved_card": "", "expected_amount": "2500"}))

    assert empty.status == 422
    assert typed.status == 303
    assert finished(client, session).subscription.default_payment_method.card.last4 == "4242"


def test_nobody_pays_with_a_card_that_is_not_offered(
    client: stripe.StripeClient, visitor: Wire, ada: stripe.Customer
) -> None:
    """Neither one that is kept back, nor somebody else's, whatever the form says."""
    bob = client.v1.customers.create({"email": "bob@example.com"})
    session = opened(client, customer=bob.id)

    for card in (kept(client, ada), kept(client, ada, "limited")):
        assert press(visitor, session, saved_card=card).status == 422
        assert press(visitor, opened(client), saved_card=card, email="x@example.com").status == 422
    assert press(visitor, opened(client, customer=ada.id), saved_card=kept(client, ada, "limited")).status == 422
    assert client.v1.charges.list().data == []


def test_a_declined_saved_card_keeps_the_page(client: stripe.StripeClient, visitor: Wire) -> None:
    """Another one can be tried."""
    ada = client.v1.customers.create({"email": "ada@example.com"})
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    client.v1.payment_methods.update(method.id, {"allow_redisplay": "always"})
    session = opened(client, customer=ada.id)

    declined = press(visitor, session, saved_card=method.id)

    assert declined.status == 402
    assert b"was declined" in declined.body
    assert client.v1.subscriptions.list().data == []
