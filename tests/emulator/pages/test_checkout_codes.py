"""Promotion codes on the payment page, for a browser that runs no script: every button is a form post."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.paying import answer_bank
from tests.emulator.selling import line, opened
from tests.emulator.wire import Reply, Wire

FORM = {"email": "ada@example.com", "country": "US", "postal_code": "42424", "name": "Ada Lovelace"}
CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 40", "card_cvc": "123"}


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)


@pytest.fixture
def session(client: stripe.StripeClient) -> stripe.checkout.Session:
    """An order of $19.00 whose page asks for a code."""
    return opened(client, allow_promotion_codes=True)


def code(client: stripe.StripeClient, text: str, percent_off: float = 25, **more: Any) -> stripe.PromotionCode:
    """A promotion code for a coupon of its own."""
    coupon = client.v1.coupons.create({"percent_off": percent_off}).id
    given: Any = {"promotion": {"type": "coupon", "coupon": coupon}, "code": text, **more}
    return client.v1.promotion_codes.create(given)


def send(visitor: Wire, session: stripe.checkout.Session, **fields: str) -> Reply:
    """Press a button."""
    return visitor.post(f"/c/pay/{session.id}", urlencode(FORM | fields))


def intent_of(client: stripe.StripeClient, session: stripe.checkout.Session) -> stripe.PaymentIntent:
    """The intent of an order's last try."""
    tried = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).payment_intent
    assert isinstance(tried, stripe.PaymentIntent)
    return tried


def text(page: Reply) -> str:
    """What the page says."""
    return html.unescape(page.body.decode())


def test_the_page_asks_for_a_code_only_where_the_seller_wants_one(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """`allow_promotion_codes`; a code that is sent all the same changes nothing."""
    code(client, "SPRING25")
    without = opened(client)

    sent = send(visitor, without, promotion="apply", promotion_code="SPRING25")

    assert 'name="promotion_code"' in text(visitor.get(f"/c/pay/{session.id}"))
    assert 'name="promotion_code"' not in text(visitor.get(f"/c/pay/{without.id}"))
    assert sent.status == 200
    assert client.v1.checkout.sessions.retrieve(without.id).amount_total == 1900


def test_a_code_is_applied_taken_back_and_applied_again(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """In any spelling; the session tells its server, and what was typed beside it stays."""
    promotion = code(client, "SPRING25")

    applied = send(visitor, session, promotion="apply", promotion_code=" spring25 ")
    cheaper = client.v1.checkout.sessions.retrieve(session.id)
    removed = send(visitor, session, promotion="remove")
    dearer = client.v1.checkout.sessions.retrieve(session.id)
    send(visitor, session, promotion="apply", promotion_code="SPRING25")
    paid = send(visitor, session, expected_amount="1425", **CARD)

    assert all(part in text(applied) for part in ("SPRING25", "25% off", "−$4.75", "Pay $14.25", "ada@example.com"))
    assert cheaper.discounts is not None
    assert (cheaper.amount_total, cheaper.discounts[0].promotion_code) == (1425, promotion.id)
    assert "Pay $19.00" in text(removed)
    assert (dearer.amount_total, dearer.discounts) == (1900, [])
    assert paid.status == 303
    assert client.v1.charges.list().data[0].amount == 1425
    assert client.v1.promotion_codes.retrieve(promotion.id).times_redeemed == 1


@pytest.mark.parametrize("button", [{}, {"test_card": "4242424242424242"}])
def test_whoever_presses_pay_with_a_code_still_typed_sees_the_new_total_first(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session, button: dict[str, str]
) -> None:
    """Enter in the code's field sends the form as the pay button does; nobody loses their discount by it."""
    code(client, "SPRING25")

    first = send(visitor, session, expected_amount="1900", promotion_code="SPRING25", **CARD, **button)
    second = send(visitor, session, expected_amount="1425", promotion_code="", **CARD, **button)

    assert (first.status, second.status) == (200, 303)
    assert "Pay $14.25" in text(first)
    assert [charge.amount for charge in client.v1.charges.list().data] == [1425]


def test_a_click_too_many_on_apply_pays_nothing(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """The second one finds the code applied."""
    code(client, "FREE", 100)

    answers = [send(visitor, session, promotion="apply", promotion_code="FREE") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_free_order_asks_for_no_card(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """The card's fields are gone; a try from before the code leaves no payment behind."""
    code(client, "FREE", 100)
    send(visitor, session, expected_amount="1900", **CARD | {"card_number": "4000 0000 0000 0002"})

    free = send(visitor, session, promotion="apply", promotion_code="FREE")
    done = send(visitor, session, expected_amount="0")

    assert 'name="card_number"' not in text(free)
    assert "Complete order" in text(free)
    assert done.status == 303
    complete = client.v1.checkout.sessions.retrieve(session.id)
    assert (complete.payment_status, complete.payment_intent) == ("no_payment_required", None)
    assert [intent.status for intent in client.v1.payment_intents.list().data] == ["canceled"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a code first."),
        ("NOTHING", "This code is not valid."),
        ("OFF", "This code can no longer be used."),
        ("ADAS", "This code is not valid."),
        ("BIG", "This code is for orders of $50.00 or more."),
        ("NEARLY", "With this code the total would be less than $0.50"),
        ("<b>", "This code is not valid."),
    ],
)
def test_a_code_is_refused_in_plain_words(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session, typed: str, sentence: str
) -> None:
    """Below the field, with what was typed in it; the total stays."""
    code(client, "OFF", active=False)
    code(client, "ADAS", customer=client.v1.customers.create({"email": "ada@example.com"}).id)
    code(client, "BIG", restrictions={"minimum_amount": 5000, "minimum_amount_currency": "usd"})
    code(client, "NEARLY", 99)

    refused = send(visitor, session, promotion="apply", promotion_code=typed)

    assert refused.status == 422
    assert f'id="promotion_code-wrong">{sentence}' in text(refused)
    assert "Pay $19.00" in text(refused)
    assert b"<b>" not in refused.body.replace(b"<b>Local test mode</b>", b"")


def test_a_code_used_up_meanwhile_can_be_taken_back(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """Two customers, one redemption: the slower one is told before anything is charged."""
    code(client, "ONCE", 25, max_redemptions=1)
    slower = opened(client, allow_promotion_codes=True)
    for one in (session, slower):
        send(visitor, one, promotion="apply", promotion_code="ONCE")

    first, second = (send(visitor, one, expected_amount="1425", **CARD) for one in (session, slower))
    send(visitor, slower, promotion="remove")
    third = send(visitor, slower, expected_amount="1900", **CARD)

    assert (first.status, second.status, third.status) == (303, 409, 303)
    assert "This code has been used as often as it can be. Remove it to go on without it." in text(second)
    assert sorted(charge.amount for charge in client.v1.charges.list().data) == [1425, 1900]


def test_the_last_redemption_goes_to_whoever_has_paid(
    client: stripe.StripeClient, visitor: Wire, session: stripe.checkout.Session
) -> None:
    """Two banks ask at once. The slower customer is charged nothing, and finds out why back on the page."""
    code(client, "ONCE", 25, max_redemptions=1)
    slower = opened(client, allow_promotion_codes=True)
    for one in (session, slower):
        send(visitor, one, promotion="apply", promotion_code="ONCE")
        send(visitor, one, expected_amount="1425", **CARD | {"card_number": "4000 0027 6000 3184"})

    first, second = (answer_bank(intent_of(client, one), "complete") for one in (session, slower))

    back = urlsplit(second.headers["location"])
    page = text(visitor.get(f"{back.path}?{back.query}"))
    assert "/thanks?session_id=" in first.headers["location"]
    assert "This code has been used as often as it can be. Remove it to go on without it." in page
    assert [charge.amount for charge in client.v1.charges.list().data] == [1425]
    assert client.v1.promotion_codes.list().data[0].times_redeemed == 1

    send(visitor, slower, promotion="remove")
    third = send(visitor, slower, expected_amount="1900", **CARD)

    assert third.status == 303
    assert sorted(charge.amount for charge in client.v1.charges.list().data) == [1425, 1900]


def test_fewer_items_may_be_too_few_for_a_code(client: stripe.StripeClient, visitor: Wire) -> None:
    """The quantity stays, and the page says why."""
    code(client, "BIG", restrictions={"minimum_amount": 3800, "minimum_amount_currency": "usd"})
    session = opened(
        client,
        allow_promotion_codes=True,
        line_items=[line(quantity=2, adjustable_quantity={"enabled": True})],
        expand=["line_items"],
    )
    assert session.line_items is not None
    send(visitor, session, promotion="apply", promotion_code="BIG")

    fewer = send(visitor, session, change=f"{session.line_items.data[0].id} 1")

    assert fewer.status == 422
    assert "This code is for orders of $38.00 or more." in text(fewer)
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 2850


def test_what_the_seller_gave_cannot_be_taken_back(client: stripe.StripeClient, visitor: Wire) -> None:
    """The page shows it, without a button; the receipt shows it too."""
    coupon = client.v1.coupons.create({"amount_off": 400, "currency": "usd", "name": "Welcome"})
    session = opened(client, discounts=[{"coupon": coupon.id}])

    page = send(visitor, session, promotion="remove")
    send(visitor, session, expected_amount="1500", **CARD)

    receipt = client.v1.charges.list().data[0].receipt_url
    assert receipt is not None
    assert 'value="remove"' not in text(page)
    assert "Welcome" in text(page)
    assert "Pay $15.00" in text(page)
    assert "−$4.00" in text(visitor.get("/receipts/" + receipt.partition("/receipts/")[2]))
