"""Checkout Sessions that are cheaper: coupons and promotion codes which the seller gives."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.paying import events
from tests.emulator.selling import line, opened, payment, price, refusal
from tests.emulator.wire import Reply, Wire

DAY = 24 * 60 * 60


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


def pay(wire: Wire, session: stripe.checkout.Session, method: str = "pm_card_visa") -> Reply:
    """Press the button."""
    given = {"payment_method": method, "email": "ada@example.com"}
    return wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(given))


def coupon(client: stripe.StripeClient, **more: Any) -> str:
    """A coupon of 25 % unless told otherwise."""
    given: Any = more if "amount_off" in more else {"percent_off": 25, **more}
    return client.v1.coupons.create(given).id


def code(client: stripe.StripeClient, coupon_id: str, **more: Any) -> str:
    """A promotion code for a coupon."""
    given: Any = {"promotion": {"type": "coupon", "coupon": coupon_id}, **more}
    return client.v1.promotion_codes.create(given).id


def test_a_coupon_makes_a_session_cheaper(client: stripe.StripeClient, wire: Wire) -> None:
    """The subtotal stays, the total and the payment are less, and each line tells its part."""
    given = coupon(client)
    session = opened(client, line_items=[line(1000), line(334, quantity=2)], discounts=[{"coupon": given}])

    pay(wire, session)

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "payment_intent"]})
    assert (session.amount_subtotal, session.amount_total) == (1668, 1251)
    assert session.total_details is not None
    assert session.total_details.amount_discount == 417
    assert session.to_dict()["discounts"][0] == {"coupon": given, "promotion_code": None}
    assert paid.line_items is not None
    assert [(one.amount_subtotal, one.amount_discount, one.amount_total) for one in paid.line_items.data] == [
        (1000, 250, 750),
        (668, 167, 501),
    ]
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.amount_received == 1251


def test_a_promotion_code_leads_to_its_coupon(client: stripe.StripeClient) -> None:
    """The session names the code; the breakdown tells what is owed to which discount."""
    promotion = code(client, coupon(client, id="five", amount_off=500, currency="usd"), code="FIVE")
    session = opened(
        client,
        discounts=[{"promotion_code": promotion}],
        expand=["discounts.promotion_code", "total_details.breakdown"],
    )

    assert session.amount_total == 1400
    assert session.discounts is not None
    assert session.discounts[0].coupon is None
    assert isinstance(session.discounts[0].promotion_code, stripe.PromotionCode)
    assert session.total_details is not None
    assert session.total_details.breakdown is not None
    (part,) = session.total_details.breakdown.discounts
    assert (part.amount, part.discount.source.coupon, part.discount.promotion_code) == (500, "five", promotion)
    assert part.discount.checkout_session == session.id


def test_only_what_a_coupon_is_for_gets_cheaper(client: stripe.StripeClient) -> None:
    """`applies_to` names the products."""
    book, pen = price(client, 2000), price(client, 500)
    given = coupon(client, applies_to={"products": [str(book.product)]})
    session = opened(
        client,
        line_items=[{"price": one.id, "quantity": 1} for one in (book, pen)],
        discounts=[{"coupon": given}],
        expand=["line_items"],
    )

    assert session.line_items is not None
    assert [one.amount_discount for one in session.line_items.data] == [500, 0]


def test_an_amount_off_is_had_in_its_other_currencies(client: stripe.StripeClient) -> None:
    """`currency_options` of the coupon."""
    given = coupon(client, amount_off=500, currency="usd", currency_options={"eur": {"amount_off": 450}})
    euros = {"price_data": {"currency": "eur", "unit_amount": 1900, "product_data": {"name": "E-book"}}, "quantity": 1}

    session = opened(client, line_items=[euros], discounts=[{"coupon": given}])

    assert session.amount_total == 1450


def test_a_share_leaves_a_total_that_can_be_paid(client: stripe.StripeClient) -> None:
    """Dinars have three digits after the point, and cards pay only two."""
    dinars = {"currency": "kwd", "unit_amount": 19990, "product_data": {"name": "E-book"}}

    session = opened(client, line_items=[{"price_data": dinars, "quantity": 1}], discounts=[{"coupon": coupon(client)}])

    assert session.amount_total == 14990


def test_what_is_free_needs_no_card_and_leaves_no_payment(client: stripe.StripeClient, wire: Wire) -> None:
    """100 % off: how a seller smoke-tests live mode."""
    session = opened(client, discounts=[{"coupon": coupon(client, percent_off=100)}])

    answer = pay(wire, session, "")

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert answer.status == 200
    assert (done.amount_total, done.status, done.payment_status) == (0, "complete", "no_payment_required")
    assert done.payment_intent is None
    assert events(client, "coupon.created")[-1:] == ["checkout.session.completed"]
    assert client.v1.charges.list().data == []


def test_a_redemption_counts_when_the_session_is_complete(client: stripe.StripeClient, wire: Wire) -> None:
    """The last one to be had goes to who pays first; the other's session stays open."""
    given = coupon(client, max_redemptions=1)
    promotion = code(client, given, code="ONCE")
    first, second = (opened(client, discounts=[{"promotion_code": promotion}]) for _ in range(2))
    before = client.v1.coupons.retrieve(given)

    paid, late = pay(wire, first), pay(wire, second)

    after = client.v1.coupons.retrieve(given)
    redeemed = client.v1.promotion_codes.retrieve(promotion)
    assert (before.times_redeemed, before.valid) == (0, True)
    assert (after.times_redeemed, after.valid) == (1, False)
    assert (redeemed.times_redeemed, redeemed.active) == (1, False)
    assert (paid.status, late.status) == (200, 400)
    assert client.v1.checkout.sessions.retrieve(second.id).status == "open"
    assert len(client.v1.charges.list().data) == 1


def test_a_declined_card_redeems_nothing(client: stripe.StripeClient, wire: Wire) -> None:
    """Nothing was bought."""
    given = coupon(client)

    pay(wire, opened(client, discounts=[{"coupon": given}]), "pm_card_chargeDeclined")

    assert client.v1.coupons.retrieve(given).times_redeemed == 0


def test_deleting_a_coupon_takes_nothing_back(client: stripe.StripeClient, wire: Wire) -> None:
    """What was given stays given."""
    given = coupon(client)
    session = opened(client, discounts=[{"coupon": given}])

    client.v1.coupons.delete(given)
    paid = pay(wire, session)

    assert (paid.status, paid.value["amount_total"]) == (200, 1425)


def test_other_lines_are_as_much_cheaper(client: stripe.StripeClient) -> None:
    """An open session whose lines change is discounted anew."""
    session = opened(client, discounts=[{"coupon": coupon(client)}])

    changed = client.v1.checkout.sessions.update(session.id, {"line_items": [line(4000)]})

    assert (changed.amount_subtotal, changed.amount_total) == (4000, 3000)


def test_a_code_for_first_customers_is_refused_to_the_others(client: stripe.StripeClient, wire: Wire) -> None:
    """Whoever has paid before is told so."""
    ada = client.v1.customers.create({"email": "ada@example.com"}).id
    promotion = code(client, coupon(client), restrictions={"first_time_transaction": True})
    welcome = {"customer": ada, "discounts": [{"promotion_code": promotion}]}

    pay(wire, opened(client, **welcome))
    refused = refusal(client, payment(**welcome))

    assert refused.user_message == (
        "This promotion code cannot be redeemed because the associated customer has prior transactions."
    )
    assert refused.param == "discounts[0][promotion_code]"


def test_a_code_may_ask_for_a_minimum(client: stripe.StripeClient) -> None:
    """Before the discount; also when the lines change later."""
    least = {"minimum_amount": 1900, "minimum_amount_currency": "usd"}
    promotion = code(client, coupon(client), restrictions=least)
    given = {"discounts": [{"promotion_code": promotion}]}

    enough = opened(client, **given)
    refused = refusal(client, payment(line_items=[line(1899)], **given))
    with pytest.raises(stripe.InvalidRequestError) as shrunk:
        client.v1.checkout.sessions.update(enough.id, {"line_items": [line(1899)]})

    assert (
        refused.user_message
        == shrunk.value.user_message
        == (
            "This promotion code cannot be redeemed because the associated purchase does not meet the minimum amount "
            "requirement."
        )
    )


def test_what_is_over_is_not_given_any_more(client: stripe.StripeClient, controls: Controls) -> None:
    """Coupons and codes whose time has passed, and codes that were switched off."""
    end = int(time.time()) + DAY
    passing = coupon(client, redeem_by=end)
    lasting = coupon(client)
    codes = [code(client, lasting, expires_at=end), code(client, lasting, active=False), code(client, passing)]
    controls.push(2 * DAY)

    by_coupon = refusal(client, payment(discounts=[{"coupon": passing}]))
    by_codes = [refusal(client, payment(discounts=[{"promotion_code": one}])) for one in codes]

    assert (by_coupon.code, by_coupon.param) == ("coupon_expired", "discounts[0][coupon]")
    assert {refused.param for refused in by_codes} == {"discounts[0][promotion_code]"}


@pytest.mark.parametrize(
    ("discounts", "code_", "param"),
    [
        ([{"coupon": "nothing"}], "resource_missing", "discounts[0][coupon]"),
        ([{"promotion_code": "promo_x"}], "resource_missing", "discounts[0][promotion_code]"),
        ([{"coupon": "half"}, {"coupon": "half"}], None, "discounts"),
        ([{"coupon": "half", "promotion_code": "promo_x"}], None, None),
        ([{"coupon": "euros"}], None, "discounts[0][coupon]"),
        ([{"coupon": "others"}], None, "discounts[0][coupon]"),
        ([{"coupon": "nearly"}], "amount_too_small", None),
    ],
)
def test_a_discount_that_cannot_be_given_is_refused(
    client: stripe.StripeClient, discounts: Any, code_: str | None, param: str | None
) -> None:
    """Nothing is sold at a price that would be wrong, or could not be charged."""
    coupon(client, id="half", percent_off=50)
    coupon(client, id="euros", amount_off=100, currency="eur")
    coupon(client, id="others", applies_to={"products": [client.v1.products.create({"name": "Pen"}).id]})
    coupon(client, id="nearly", amount_off=1899, currency="usd")

    refused = refusal(client, payment(discounts=discounts))

    assert (refused.code, refused.param) == (code_, param)
