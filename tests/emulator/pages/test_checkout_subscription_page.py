"""The payment page of what is subscribed to, as a program sees it."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.emulator.checkout_subscribing import finished, opened
from tests.emulator.controls import Controls
from tests.emulator.pages.test_checkout_page import FORM, show, submit
from tests.emulator.selling import line
from tests.emulator.subscribing import DAY, price
from tests.emulator.wire import Reply, Wire


def text(page: Reply | str) -> str:
    """What a person reads, without the markup."""
    body = page if isinstance(page, str) else page.body.decode()
    return " ".join(html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL)).split())


def button(page: Reply | str) -> str:
    """What the button says that sends the form."""
    body = page if isinstance(page, str) else page.body.decode()
    found = re.search(r"<span data-label[^>]*>(.*?)</span>", body)
    assert found is not None
    return found[1]


def monthly(client: stripe.StripeClient, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line of $25.00 a month each."""
    return {"price": price(client).id, "quantity": quantity, **more}


def test_the_page_says_how_often(client: stripe.StripeClient, visitor: Wire) -> None:
    """What it costs, and in which rhythm; the button says what it does."""
    page = show(visitor, opened(client))

    assert "Subscribe to Pro $25.00 per month" in text(page)
    assert "Total due today $25.00" in text(page)
    assert button(page) == "Subscribe"


@pytest.mark.parametrize(
    ("data", "headline"),
    [({"trial_period_days": 14}, "14 days free"), ({"trial_period_days": 1}, "1 day free")],
)
def test_a_trial_says_what_follows(client: stripe.StripeClient, visitor: Wire, data: Any, headline: str) -> None:
    """Free for so long, then so much; nothing is due today."""
    page = show(visitor, opened(client, monthly(client, 2), subscription_data=data))

    assert f"{headline} Then $50.00 per month" in text(page)
    assert "Total due today $0.00" in text(page)
    assert button(page) == "Start trial"


def test_a_fee_is_due_once(client: stripe.StripeClient, visitor: Wire) -> None:
    """Today is dearer than what follows."""
    page = text(show(visitor, opened(client, monthly(client), line(4900))))

    assert "$74.00 due today Then $25.00 per month" in page


def test_paying_leads_back_to_the_shop(client: stripe.StripeClient, visitor: Wire) -> None:
    """Once, whoever presses twice; afterwards the page says that it is done."""
    session = opened(client)

    first = submit(visitor, session, expected_amount="2500")
    second = submit(visitor, session, expected_amount="2500")

    assert (first.status, second.status) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len(client.v1.subscriptions.list().data) == 1
    assert "You have subscribed already" in text(show(visitor, session))
    done = finished(client, session)
    assert (done.customer.name, done.customer.address.postal_code) == ("Ada Lovelace", "42424")


def test_a_decline_keeps_the_page(client: stripe.StripeClient, visitor: Wire) -> None:
    """The bank's answer, and nothing else: another card can be tried."""
    session = opened(client)

    declined = submit(visitor, session, expected_amount="2500", card_number="4000000000009995")

    assert declined.status == 402
    assert "declined because of insufficient funds" in text(declined)
    assert client.v1.subscriptions.list().data == []
    assert submit(visitor, session, expected_amount="2500").status == 303


def test_no_card_is_asked_for_where_none_is_required(client: stripe.StripeClient, visitor: Wire) -> None:
    """An e-mail address begins the trial."""
    session = opened(client, subscription_data={"trial_period_days": 7}, payment_method_collection="if_required")
    page = show(visitor, session)

    answer = visitor.post(f"/c/pay/{session.id}", urlencode({"email": "ada@example.com", "expected_amount": "0"}))

    assert "Card number" not in text(page)
    assert answer.status == 303
    assert finished(client, session).subscription.status == "trialing"


def test_a_quantity_is_chosen_on_the_page(client: stripe.StripeClient, visitor: Wire) -> None:
    """Within what the seller allows; it becomes the subscription's."""
    session = opened(client, monthly(client, 2, adjustable_quantity={"enabled": True, "minimum": 1, "maximum": 5}))
    (sold,) = client.v1.checkout.sessions.line_items.list(session.id).data

    more = visitor.post(f"/c/pay/{session.id}", urlencode(FORM | {"change": f"{sold.id} 4"}))
    submit(visitor, session, expected_amount="10000")

    assert "$100.00 per month" in text(more)
    assert finished(client, session).subscription["items"].data[0].quantity == 4


def test_a_code_is_the_subscriptions(client: stripe.StripeClient, visitor: Wire) -> None:
    """Typed on the page: cheaper today, and as long as its coupon says; redeemed once."""
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "forever"}).id
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": "FIFTH"})
    session = opened(client, allow_promotion_codes=True)

    page = visitor.post(f"/c/pay/{session.id}", urlencode(FORM | {"promotion": "apply", "promotion_code": "fifth"}))
    submit(visitor, session, expected_amount="2000")

    assert "$20.00 per month" in text(page)
    (discount,) = finished(client, session).subscription.discounts
    (found,) = client.v1.subscriptions.retrieve(
        finished(client, session).subscription.id, {"expand": ["discounts"]}
    ).discounts
    assert isinstance(found, stripe.Discount)
    assert (discount, found.promotion_code) == (found.id, code.id)
    assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_a_code_for_once_says_what_follows(client: stripe.StripeClient, visitor: Wire) -> None:
    """Cheaper today, and at its full price afterwards; in a trial it waits for the first payment."""
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"}).id
    discounts = [{"coupon": coupon}]

    now = text(show(visitor, opened(client, discounts=discounts)))
    later = text(show(visitor, opened(client, discounts=discounts, subscription_data={"trial_period_days": 9})))

    assert "$20.00 due today Then $25.00 per month" in now
    assert "9 days free Then $20.00 per month" in later


def test_a_code_with_a_minimum_looks_at_the_price(client: stripe.StripeClient, visitor: Wire) -> None:
    """What a trial costs today does not count."""
    coupon = client.v1.coupons.create({"percent_off": 20}).id
    for code, least in (("SMALL", 2500), ("LARGE", 2501)):
        client.v1.promotion_codes.create(
            {
                "promotion": {"type": "coupon", "coupon": coupon},
                "code": code,
                "restrictions": {"minimum_amount": least, "minimum_amount_currency": "usd"},
            }
        )
    session = opened(client, allow_promotion_codes=True, subscription_data={"trial_period_days": 9})

    def typed(code: str) -> Reply:
        return visitor.post(f"/c/pay/{session.id}", urlencode(FORM | {"promotion": "apply", "promotion_code": code}))

    assert "This code is for orders of $25.01 or more." in text(typed("LARGE"))
    assert "20% off" in text(typed("SMALL"))


def test_the_customers_bank_is_asked_on_a_page(client: stripe.StripeClient, visitor: Wire) -> None:
    """3-D Secure, and back to the shop."""
    session = opened(client)

    to_bank = submit(visitor, session, expected_amount="2500", card_number="4000002760003184")
    path = to_bank.headers["location"].removeprefix(visitor.url)
    answer = visitor.post(path, "answer=complete")

    assert answer.status == 303
    assert session.id in answer.headers["location"]
    assert finished(client, session).subscription.status == "active"


def test_what_changed_while_the_bank_was_asked_is_not_charged(client: stripe.StripeClient, visitor: Wire) -> None:
    """The customer's balance went elsewhere: the page asks again, with the total that is due now."""
    ada = client.v1.customers.create({"email": "ada@example.com", "balance": -600})
    session = opened(client, customer=ada.id)
    to_bank = submit(visitor, session, expected_amount="1900", card_number="4000002760003184")
    client.v1.customers.update(ada.id, {"balance": -100})

    answer = visitor.post(to_bank.headers["location"].removeprefix(visitor.url), "answer=complete")
    page = visitor.get(answer.headers["location"].removeprefix(visitor.url))

    assert "The total has changed" in text(page)
    assert "Total due today $24.00" in text(page)
    assert client.v1.subscriptions.list().data == client.v1.charges.list().data == []


def test_a_page_that_is_out_of_date_charges_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """What the customer saw is what they agreed to."""
    ada = client.v1.customers.create({"email": "ada@example.com", "balance": -600})
    session = opened(client, customer=ada.id)
    client.v1.customers.update(ada.id, {"balance": 0})

    answer = submit(visitor, session, expected_amount="1900")

    assert answer.status == 409
    assert "Total due today $25.00" in text(answer)
    assert submit(visitor, session, expected_amount="2500").status == 303


def test_what_cannot_begin_any_more_is_said(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """The day from which it was to be counted has passed."""
    now = controls.get("/clock")["now"]
    session = opened(client, subscription_data={"billing_cycle_anchor": now + DAY // 2})
    controls.push(DAY - 60)

    page = visitor.get(f"/c/pay/{session.id}")

    assert "Nothing was charged." in text(page)
    assert submit(visitor, session, expected_amount=str(session.amount_total)).status == 200
    assert client.v1.charges.list().data == []
