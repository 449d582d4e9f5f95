"""Deeds: what customers do, and what happens at Stripe, in one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk import User

if TYPE_CHECKING:
    from paydesk.testing import Billing
    from paydesk.testing.pages import Bank
    from tests.testing.shop import Shop

ADA = User("ada", "ada@example.com")
SIGNED_IN = {"x-user": "ada"}


def test_somebody_buys(billing: Billing, shop: Shop) -> None:
    """From the checkout to the last handler."""
    order = billing.buy("ada", "ebook")

    assert (order.status, order.user_id) == ("paid", "ada")
    assert shop.shelf() == ["ebook"]
    assert billing.facts == ["order.paid"]


def test_somebody_subscribes(billing: Billing, shop: Shop) -> None:
    """With everything `desk.subscribe` can be told."""
    held = billing.subscribe("ada", "pro", seats=3, interval="year")

    assert (held.plan, held.seats, held.active) == ("pro", 3, True)
    assert shop.mails == ["customer.subscription.created"]


def checkout(billing: Billing) -> Any:
    return billing.desk.checkout("ebook", user=ADA)


def address(billing: Billing) -> Any:
    return billing.desk.checkout("ebook", user=ADA).url


def answer_to_a_script(billing: Billing) -> Any:
    return billing.client.post("/checkout", json={"sku": "ebook"}, headers=SIGNED_IN)


def answer_to_a_form(billing: Billing) -> Any:
    return billing.client.post("/checkout", data={"sku": "ebook"}, headers=SIGNED_IN)


def session(billing: Billing) -> Any:
    billing.desk.checkout("ebook", user=ADA)
    return billing.stripe.client.v1.checkout.sessions.list().data[0]


@pytest.mark.parametrize("made", [checkout, address, answer_to_a_script, answer_to_a_form, session])
def test_whatever_leads_to_a_payment_page_can_be_paid(billing: Billing, shop: Shop, made: Any) -> None:
    """A checkout, its address, the app's own answer to a script or a form, a session."""
    payment = billing.pay(made(billing))

    assert payment.is_paid
    assert billing.client.get(payment.url, headers=SIGNED_IN).status_code == 200
    assert shop.shelf() == ["ebook"]


@pytest.mark.parametrize(
    ("card", "bank", "reason"),
    [
        ("4000 0000 0000 9995", "passes", "insufficient funds"),
        ("4000000000000002", "passes", "declined"),
        ("pm_card_chargeDeclinedExpiredCard", "passes", "expired"),
        ("4000 0027 6000 3184", "fails", "unable to authenticate"),
        ("4000 0027 6000 3184", "is left", "unable to authenticate"),
    ],
)
def test_a_refusal_is_told_as_the_page_tells_it(
    billing: Billing, shop: Shop, card: str, bank: Bank, reason: str
) -> None:
    """Nothing was bought, and the page can be paid with another card."""
    checkout = billing.desk.checkout("ebook", user=ADA)

    refused = billing.pay(checkout, card=card, bank=bank)

    assert not refused.is_paid
    assert reason in str(refused.reason)
    assert refused.asked == (card == "4000 0027 6000 3184")
    assert shop.shelf() == []
    assert billing.pay(checkout, card="4000 0027 6000 3184").is_paid
    assert shop.shelf() == ["ebook"]


def test_a_customer_cancels(billing: Billing) -> None:
    """At the end of what is paid for, or at once."""
    billing.subscribe("ada", "pro")
    billing.subscribe("bob", "pro")

    ada, bob = billing.cancel("ada"), billing.cancel("bob", at_once=True)

    assert ada is not None
    assert (ada.active, ada.ending) == (True, True)
    assert bob is not None
    assert bob.ended
    billing.advance("1 month")
    ended = billing.desk.subscription(ADA)
    assert ended is not None
    assert ended.ended


def test_money_goes_back(billing: Billing) -> None:
    """In parts, and whole."""
    order = billing.buy("ada", "ebook")

    billing.refund(order, 400)
    assert billing.desk.order(order.id).amount_refunded_minor == 400

    billing.refund(order.id)
    assert billing.desk.order(order.id).status == "refunded"


def test_a_payment_is_disputed(billing: Billing) -> None:
    """Weeks later, with a card that was good."""
    order = billing.buy("ada", "ebook")
    billing.advance("3 weeks")

    dispute = billing.dispute(order, "product_not_received")

    assert dispute.reason == "product_not_received"
    assert billing.desk.order(order.id).disputed
    assert billing.facts == ["order.paid", "dispute.opened"]


def test_a_saved_card_goes_bad(billing: Billing) -> None:
    """The next renewal fails, and with a good card the retry succeeds."""
    billing.subscribe("ada", "pro")

    billing.decline_cards_of("ada")
    billing.advance("1 month 2 hours")
    owing = billing.desk.subscription(ADA)
    billing.decline_cards_of("ada", "visa")
    billing.advance("10 days")
    well = billing.desk.subscription(ADA)

    assert owing is not None
    assert owing.past_due
    assert well is not None
    assert well.active
    assert not well.past_due
