"""Checkout in mode subscription: from the button to the subscription, in every way that it can go."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.checkout_subscribing import confirm, finished, nothing_begun, opened, typed_in
from tests.emulator.controls import Controls
from tests.emulator.paying import answer_bank, events
from tests.emulator.subscribing import DAY
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


def test_the_first_payment_begins_the_subscription(client: stripe.StripeClient, wire: Wire) -> None:
    """Session, subscription, invoice and payment fit together as Stripe's do."""
    session = opened(client, subscription_data={"metadata": {"plan": "pro"}}, metadata={"order": "7"})
    assert (session.amount_total, session.payment_status, session.subscription) == (2500, "unpaid", None)
    assert session.payment_method_collection == "always"

    assert confirm(wire, session, expected_amount=2500).status == 200

    done = finished(client, session)
    assert (done.status, done.payment_status, done.url, done.payment_intent) == ("complete", "paid", None, None)
    assert (done.customer.email, done.customer_details.email) == ("ada@example.com", "ada@example.com")
    subscription = done.subscription
    assert (subscription.status, subscription.customer) == ("active", done.customer.id)
    assert (subscription.metadata.to_dict(), done.metadata.to_dict()) == ({"plan": "pro"}, {"order": "7"})
    invoice = subscription.latest_invoice
    assert (invoice.id, invoice.status, invoice.amount_paid) == (done.invoice.id, "paid", done.amount_total)
    assert (invoice.billing_reason, invoice.attempt_count, invoice.auto_advance) == ("subscription_create", 1, False)
    (intent,) = client.v1.payment_intents.list().data
    assert [one.payment.payment_intent for one in invoice.payments.data] == [intent.id]
    assert (intent.amount, intent.customer, intent.status) == (2500, done.customer.id, "succeeded")


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("4000000000000002", "generic_decline"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000341", "generic_decline"),
    ],
)
def test_a_decline_begins_nothing(client: stripe.StripeClient, wire: Wire, card: str, reason: str) -> None:
    """The session stays open, and only the payment's failure is told; another card then pays the same intent."""
    session = opened(client)

    refused = wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(typed_in(card)))

    assert (refused.status, refused.error["decline_code"]) == (402, reason)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert nothing_begun(client)
    assert set(events(client, "price.created")) == {
        "charge.failed",
        "payment_intent.created",
        "payment_intent.payment_failed",
    }

    confirm(wire, session)

    assert finished(client, session).subscription.status == "active"
    (intent,) = client.v1.payment_intents.list().data
    assert [charge.status for charge in client.v1.charges.list({"payment_intent": intent.id}).data] == [
        "succeeded",
        "failed",
    ]


def test_the_bank_is_asked_before_anything_begins(client: stripe.StripeClient, wire: Wire) -> None:
    """3-D Secure: refused, and there is nothing; agreed to, and there is all of it."""
    session = opened(client)

    for answer in ("fail", "complete"):
        confirm(wire, session, "pm_card_authenticationRequired")
        (intent,) = client.v1.payment_intents.list().data
        assert intent.status == "requires_action"
        assert nothing_begun(client)
        answer_bank(intent, answer)
        if answer == "fail":
            assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
            assert nothing_begun(client)

    done = finished(client, session)
    assert (done.status, done.subscription.status, done.invoice.status) == ("complete", "active", "paid")


def test_the_card_is_the_subscriptions(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """It is kept, for this subscription and not as the customer's default; renewals are charged to it."""
    session = opened(client)

    confirm(wire, session)

    done = finished(client, session)
    card = done.subscription.default_payment_method
    assert (card.customer, card.card.last4) == (done.customer.id, "4242")
    assert done.customer.invoice_settings.default_payment_method is None
    controls.push(32 * DAY)
    assert [(one.billing_reason, one.status) for one in client.v1.invoices.list().data] == [
        ("subscription_cycle", "paid"),
        ("subscription_create", "paid"),
    ]


def test_a_trial_asks_for_a_card_and_charges_nothing(
    client: stripe.StripeClient, wire: Wire, controls: Controls
) -> None:
    """The card is saved, and charged when the trial is over."""
    session = opened(client, subscription_data={"trial_period_days": 14})
    assert (session.amount_total, session.payment_status) == (0, "unpaid")

    refused = confirm(wire, session, None)
    confirm(wire, session)

    assert (refused.status, refused.error["param"]) == (400, "payment_method")
    done = finished(client, session)
    assert (done.payment_status, done.payment_intent, done.setup_intent) == ("no_payment_required", None, None)
    assert (done.subscription.status, done.invoice.total, done.invoice.status) == ("trialing", 0, "paid")
    assert done.subscription.trial_end - done.subscription.trial_start == 14 * DAY
    assert done.subscription.default_payment_method.card.last4 == "4242"
    assert client.v1.payment_intents.list().data == []
    controls.push(15 * DAY)
    after = finished(client, session)
    assert (after.subscription.status, after.subscription.latest_invoice.amount_paid) == ("active", 2500)


def test_a_card_that_cannot_be_saved_begins_no_trial(client: stripe.StripeClient, wire: Wire) -> None:
    """The session stays open, as with a payment."""
    session = opened(client, subscription_data={"trial_period_days": 14})

    refused = wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(typed_in("4000000000000002")))

    assert refused.status == 402
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert nothing_begun(client)


@pytest.mark.parametrize("free", ["trial", "coupon"])
def test_no_card_is_asked_for_where_none_is_required(client: stripe.StripeClient, wire: Wire, free: str) -> None:
    """`if_required`, and nothing due: an e-mail address will do."""
    coupon = client.v1.coupons.create({"percent_off": 100, "duration": "once"}).id
    terms: Any = {
        "trial": {
            "subscription_data": {
                "trial_period_days": 7,
                "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
            }
        },
        "coupon": {"discounts": [{"coupon": coupon}]},
    }
    session = opened(client, payment_method_collection="if_required", **terms[free])

    assert confirm(wire, session, None).status == 200

    done = finished(client, session)
    assert (done.payment_status, done.amount_total, done.invoice.status) == ("no_payment_required", 0, "paid")
    assert done.subscription.status == {"trial": "trialing", "coupon": "active"}[free]
    assert done.subscription.default_payment_method is None
    assert not [told for told in events(client) if told.startswith(("charge", "payment_intent", "setup_intent"))]


def test_what_is_free_asks_for_a_card_all_the_same(client: stripe.StripeClient, wire: Wire) -> None:
    """`always` is the default: the next period will have to be paid."""
    coupon = client.v1.coupons.create({"percent_off": 100, "duration": "once"}).id
    session = opened(client, discounts=[{"coupon": coupon}])

    assert confirm(wire, session, None).status == 400
    confirm(wire, session)

    assert finished(client, session).subscription.default_payment_method.card.last4 == "4242"


def test_a_customer_who_is_known_is_reused(client: stripe.StripeClient, wire: Wire) -> None:
    """Nobody new is made; without one, somebody always is, whoever has the same address."""
    ada = client.v1.customers.create({"email": "ada@example.com"})
    session, stranger = opened(client, customer=ada.id), opened(client)
    assert session.customer_details is not None
    assert session.customer_details.email == "ada@example.com"

    confirm(wire, session)
    confirm(wire, stranger)

    assert finished(client, session).subscription.customer == ada.id
    assert finished(client, stranger).customer.id != ada.id
    assert len(client.v1.customers.list().data) == 2


def test_expiry_leaves_nothing(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """By itself or on request, after a try too."""
    left, closed = opened(client), opened(client)
    confirm(wire, left, "pm_card_visa_chargeDeclined")
    confirm(wire, closed, "pm_card_authenticationRequired")

    client.v1.checkout.sessions.expire(closed.id)
    controls.push(DAY + 1)

    for session in (left, closed):
        now = client.v1.checkout.sessions.retrieve(session.id)
        assert (now.status, now.payment_status, now.subscription, now.invoice) == ("expired", "unpaid", None, None)
    assert nothing_begun(client)
    assert {intent.status for intent in client.v1.payment_intents.list().data} == {"canceled"}


def test_sessions_and_subscriptions_are_found(client: stripe.StripeClient, wire: Wire) -> None:
    """A session by its subscription, a customer's subscriptions with the customer."""
    first, second = opened(client), opened(client)
    confirm(wire, first)
    confirm(wire, second)
    done = finished(client, first)

    found = client.v1.checkout.sessions.list({"subscription": done.subscription.id}).data
    customer = client.v1.customers.retrieve(done.customer.id, {"expand": ["subscriptions"]})
    client.v1.subscriptions.cancel(done.subscription.id)
    afterwards = client.v1.customers.retrieve(done.customer.id, {"expand": ["subscriptions"]})

    assert [one.id for one in found] == [first.id]
    assert customer.subscriptions is not None
    assert afterwards.subscriptions is not None
    assert [one.id for one in customer.subscriptions.data] == [done.subscription.id]
    assert afterwards.subscriptions.data == []


def test_who_lives_on_a_clock_subscribes_in_its_time(client: stripe.StripeClient, wire: Wire) -> None:
    """The subscription begins when it is there, and a trial of at least two days is counted there."""
    frozen = 1_900_000_000
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": frozen})
    ada = client.v1.customers.create({"email": "ada@example.com", "test_clock": clock.id})
    session = opened(client, customer=ada.id, subscription_data={"trial_end": frozen + 2 * DAY})

    confirm(wire, session)

    done = finished(client, session)
    assert (done.subscription.start_date, done.subscription.trial_end) == (frozen, frozen + 2 * DAY)
    assert done.subscription.test_clock == clock.id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        opened(client, customer=ada.id, subscription_data={"trial_end": frozen + 2 * DAY - 1})
    assert refused.value.param == "subscription_data[trial_end]"


def test_a_slow_bank_begins_it_and_answers_later(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """Complete and unpaid; then paid."""
    session = opened(client, allowed_payment_method_types=["us_bank_account"])

    confirm(wire, session, "pm_usBankAccount_success")

    before = finished(client, session)
    assert (before.status, before.payment_status) == ("complete", "unpaid")
    assert (before.subscription.status, before.invoice.status) == ("active", "open")
    controls.push(10 * DAY)
    after = finished(client, session)
    assert (after.payment_status, after.subscription.status, after.invoice.status) == ("paid", "active", "paid")
    assert events(client).count("checkout.session.async_payment_succeeded") == 1


NEW = [
    "charge.succeeded",
    "payment_method.attached",
    "customer.created",
    "customer.updated",
    "checkout.session.completed",
    "customer.subscription.created",
    "payment_intent.created",
    "payment_intent.succeeded",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
]
KNOWN = [
    "charge.succeeded",
    "checkout.session.completed",
    "payment_method.attached",
    "customer.subscription.created",
    "payment_intent.succeeded",
    "payment_intent.created",
    "invoice.created",
    "invoice.finalized",
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
]


@pytest.mark.parametrize(("is_known", "order"), [(False, NEW), (True, KNOWN)])
def test_events_come_in_stripes_order(
    client: stripe.StripeClient, wire: Wire, is_known: bool, order: list[str]
) -> None:
    """As they were seen at Stripe, for a new customer and for one who was known."""
    known = {"customer": client.v1.customers.create({"email": "ada@example.com"}).id} if is_known else {}
    session = opened(client, **known)
    before = len(events(client))

    confirm(wire, session)

    assert [told for told in events(client)[before:] if told in order] == order


def test_what_is_told_is_whole(client: stripe.StripeClient, wire: Wire) -> None:
    """`checkout.session.completed` names what has begun, though that is told after it."""
    session = opened(client)

    confirm(wire, session)

    (told,) = client.v1.events.list({"type": "checkout.session.completed"}).data
    (begun,) = client.v1.events.list({"type": "customer.subscription.created"}).data
    completed: Any = told.data.object
    subscription: Any = begun.data.object
    assert (completed["subscription"], completed["invoice"]) == (subscription["id"], subscription["latest_invoice"])
    assert (completed["customer"], completed["payment_status"]) == (subscription["customer"], "paid")
    assert subscription["status"] == "active"
