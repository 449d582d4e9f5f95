"""Subscriptions: how one begins, with and without the money."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from paydesk.emulator.rules.cycles import plus_months
from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, intent_of, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed


def test_a_subscription_that_is_paid_is_active(client: stripe.StripeClient) -> None:
    """The first invoice is finalised and paid within the call; its line covers the period that begins."""
    ada = customer(client)

    made = subscribed(client, ada, price(client, 2500))

    invoice = latest(client, made)
    start, end = period(made)
    assert (made.status, made.collection_method, made.currency) == ("active", "charge_automatically", "usd")
    assert made.billing_cycle_anchor == made.start_date == made.created == start
    assert 28 * DAY <= end - start <= 31 * DAY
    assert (invoice.status, invoice.billing_reason, invoice.total) == ("paid", "subscription_create", 2500)
    assert (invoice.attempt_count, invoice.auto_advance, invoice.number) == (1, False, f"{ada.invoice_prefix}-0001")
    assert invoice.period_start == invoice.period_end == made.created
    (line,) = invoice.lines.data
    assert (line.description, line.amount) == ("1 × Pro (at $25.00 / month)", 2500)
    assert (line.period.start, line.period.end) == (start, end)
    parent: Any = line.parent
    assert parent.subscription_item_details.subscription_item == item(made).id
    assert (made.default_payment_method, made.latest_invoice) == (None, invoice.id)
    assert intent_of(client, invoice).description == "Subscription creation"


def test_it_is_told_in_the_order_in_which_stripe_tells(client: stripe.StripeClient) -> None:
    """The money first, then what it is for, then how it was asked for; the customer learned their currency with it."""
    ada, pro = customer(client), price(client)

    subscribed(client, ada, pro)

    assert events(client, "price.created") == [
        "charge.succeeded",
        "customer.updated",
        "customer.subscription.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_the_first_invoice_decides(client: stripe.StripeClient) -> None:
    """What becomes of it, for each way of paying and each card that can be saved."""
    cases: list[tuple[str, str | None, str, str]] = [
        ("allow_incomplete", "pm_card_visa", "active", "paid"),
        ("allow_incomplete", "pm_card_chargeCustomerFail", "incomplete", "open"),
        ("allow_incomplete", "pm_card_authenticationRequired", "incomplete", "open"),
        ("default_incomplete", "pm_card_visa", "incomplete", "open"),
        ("default_incomplete", None, "incomplete", "open"),
        ("error_if_incomplete", "pm_card_visa", "active", "paid"),
    ]
    pro = price(client)

    for behavior, card, status, invoice_status in cases:
        made = subscribed(client, customer(client, card), pro, payment_behavior=behavior)

        assert (made.status, latest(client, made).status) == (status, invoice_status), (behavior, card)


def test_a_payer_who_must_confirm_leaves_it_incomplete(client: stripe.StripeClient) -> None:
    """Nothing was declined, nothing is tried again by itself; the customer confirms the invoice's payment intent."""
    made = subscribed(client, customer(client, "pm_card_authenticationRequired"))

    invoice = latest(client, made)
    intent = intent_of(client, invoice)
    payments: Any = invoice.payments
    assert (invoice.attempted, invoice.attempt_count, invoice.auto_advance) == (True, 0, True)
    assert invoice.next_payment_attempt is None
    assert payments.data[0].status == "open"
    assert (intent.status, intent.setup_future_usage) == ("requires_action", "off_session")


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined"),
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action"),
    ],
)
def test_error_if_incomplete_leaves_nothing_behind(client: stripe.StripeClient, card: str, code: str) -> None:
    """A 402, and neither a subscription nor an invoice, nor any news of them."""
    ada, pro = customer(client, card), price(client)

    with pytest.raises(stripe.CardError) as refusal:
        subscribed(client, ada, pro, payment_behavior="error_if_incomplete")

    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert client.v1.subscriptions.list({"customer": ada.id, "status": "all"}).data == []
    assert client.v1.invoices.list({"customer": ada.id}).data == []
    assert events(client, "price.created") == []


def test_without_a_payment_method_nothing_begins(client: stripe.StripeClient) -> None:
    """A 400 that says so, and nothing is written."""
    ada = customer(client, None)

    with refused("This customer has no attached payment source or default payment method.") as refusal:
        subscribed(client, ada)

    assert refusal.value.code == "resource_missing"
    assert client.v1.subscriptions.list({"customer": ada.id, "status": "all"}).data == []


def test_the_payment_method_is_looked_for_in_stripes_order(client: stripe.StripeClient) -> None:
    """The subscription's own first, then its customer's default."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    good = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})

    made = subscribed(client, ada, default_payment_method=good.id)

    assert (made.status, made.default_payment_method) == ("active", good.id)


def test_an_incomplete_subscription_is_active_once_it_is_paid(client: stripe.StripeClient) -> None:
    """However it is paid: here by the client secret that the invoice offers."""
    made = subscribed(client, customer(client, None), payment_behavior="default_incomplete")
    invoice = client.v1.invoices.retrieve(str(made.latest_invoice), {"expand": ["confirmation_secret"]})
    secret: Any = invoice.confirmation_secret
    intent = str(secret.client_secret).partition("_secret_")[0]

    client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"})

    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert before(client, "customer.subscription.updated") == {"status": "incomplete"}


def test_the_card_can_become_the_subscriptions_own(client: stripe.StripeClient) -> None:
    """With `save_default_payment_method`, what paid the first invoice pays the next ones."""
    made = subscribed(
        client,
        customer(client, None),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
    )
    intent = intent_of(client, latest(client, made))

    paid = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"}
    )

    assert client.v1.subscriptions.retrieve(made.id).default_payment_method == paid.payment_method


def test_an_incomplete_subscription_expires_after_23_hours(client: stripe.StripeClient, controls: Controls) -> None:
    """Its invoice is void then, and it can never become active again."""
    made = subscribed(client, customer(client, "pm_card_chargeCustomerFail"))
    controls.push(23 * HOUR - 60)
    assert client.v1.subscriptions.retrieve(made.id).status == "incomplete"

    controls.push(60)

    gone = client.v1.subscriptions.retrieve(made.id)
    assert (gone.status, latest(client, made).status) == ("incomplete_expired", "void")
    assert gone.ended_at is not None
    assert before(client, "customer.subscription.updated")["status"] == "incomplete"
    assert client.v1.subscriptions.list({"status": "ended"}).data[0].id == made.id
    with refused("expired"):
        client.v1.subscriptions.update(made.id, {"description": "Too late"})


def test_a_trial_costs_nothing_and_needs_no_card(client: stripe.StripeClient) -> None:
    """An invoice over nothing, paid at once; the cycle hangs on the trial's end."""
    made = subscribed(client, customer(client, None), trial_period_days=14)

    invoice = latest(client, made)
    assert made.trial_end is not None
    assert (made.status, made.trial_start, made.trial_end) == ("trialing", made.created, made.created + 14 * DAY)
    assert made.billing_cycle_anchor == made.trial_end
    assert period(made) == (made.created, made.trial_end)
    assert lines(invoice) == [("Free trial for 1 × Pro", 0)]
    assert (invoice.status, invoice.total) == ("paid", 0)
    payments: Any = invoice.payments
    assert payments.data == []


def test_a_trial_without_a_card_offers_to_save_one(client: stripe.StripeClient) -> None:
    """With `default_incomplete`; what is saved is charged when the trial is over."""
    made = subscribed(client, customer(client, None), trial_period_days=7, payment_behavior="default_incomplete")
    assert made.pending_setup_intent is not None

    saved = client.v1.setup_intents.confirm(
        str(made.pending_setup_intent), {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"}
    )

    now = client.v1.subscriptions.retrieve(made.id)
    assert (now.pending_setup_intent, now.default_payment_method) == (None, saved.payment_method)


def test_a_subscription_by_invoice_is_active_at_once(client: stripe.StripeClient, controls: Controls) -> None:
    """The first invoice rests for an hour, is sent then, and waits for its due date."""
    made = subscribed(client, customer(client, None), collection_method="send_invoice", days_until_due=10)
    draft = latest(client, made)
    assert (made.status, draft.status, draft.auto_advance) == ("active", "draft", True)
    assert draft.due_date == made.created + 10 * DAY

    controls.push(HOUR + 1)

    assert latest(client, made).status == "open"
    assert "invoice.sent" in events(client)


def test_several_items_share_one_invoice(client: stripe.StripeClient) -> None:
    """Each with its own quantity; one-time prices can come along."""
    setup = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Set-up"}})
    pro, seats = price(client, 2500), price(client, 300, product_data={"name": "Seat"})
    ada = customer(client)

    given: Any = {
        "customer": ada.id,
        "items": [{"price": pro.id}, {"price": seats.id, "quantity": 4}],
        "add_invoice_items": [{"price": setup.id}],
    }
    made = client.v1.subscriptions.create(given)

    assert lines(latest(client, made)) == [
        ("Set-up", 900),
        ("1 × Pro (at $25.00 / month)", 2500),
        ("4 × Seat (at $3.00 / month)", 1200),
    ]
    assert latest(client, made).total == 4600
    assert made["items"].total_count == 2


def test_a_free_subscription_needs_no_card(client: stripe.StripeClient) -> None:
    """Active at once; its invoice over nothing is paid without a payment."""
    made = subscribed(client, customer(client, None), price(client, 0))

    assert (made.status, latest(client, made).status) == ("active", "paid")


def test_a_first_period_can_be_shorter(client: stripe.StripeClient) -> None:
    """With an anchor ahead, only the share until then is billed, rounded down; or nothing, if nobody prorates."""
    pro, now = price(client, 3100), controls_now(client)
    anchor = now + 10 * DAY

    made = subscribed(client, None, pro, billing_cycle_anchor=anchor)
    free = subscribed(client, None, pro, billing_cycle_anchor=anchor, proration_behavior="none")

    start, end = period(made)
    whole_start = plus_months(anchor, -1)
    assert end == anchor
    assert latest(client, made).total == 3100 * (anchor - start) // (anchor - whole_start)
    assert latest(client, free).total == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"items": []}, "Missing required param: items."),
        (
            {"payment_behavior": "pending_if_incomplete"},
            "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.",
        ),
        ({"trial_period_days": 0}, "This value must be greater than or equal to 1."),
        ({"trial_period_days": 7, "trial_end": 4_000_000_000}, "You may only specify one of these parameters"),
        ({"collection_method": "send_invoice"}, "you must specify 'days_until_due'"),
        ({"days_until_due": 3}, "days_until_due"),
        ({"billing_cycle_anchor": 1_000_000_000}, "billing_cycle_anchor"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax"),
    ],
)
def test_what_cannot_be_is_refused(client: stripe.StripeClient, given: dict[str, Any], message: str) -> None:
    """With a sentence, and nothing is written."""
    ada = customer(client)
    told: Any = {"customer": ada.id, "items": [{"price": price(client).id}], **given}

    with refused(message):
        client.v1.subscriptions.create(told)

    assert client.v1.subscriptions.list({"status": "all"}).data == []


def test_a_price_that_cannot_be_subscribed_to_is_refused(client: stripe.StripeClient) -> None:
    """One that is due once, one that is archived, or its product is, one in another currency, the same one twice."""
    once = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Book"}})
    archived, euros, pro = price(client, active=False), price(client, currency="eur"), price(client)
    shelved = price(client)
    client.v1.products.update(str(shelved.product), {"active": False})
    ada = customer(client)
    cases: list[tuple[list[str], str]] = [
        ([once.id], "this field only accepts prices with `type=recurring`"),
        ([archived.id], "The price specified is inactive."),
        ([shelved.id], "inactive"),
        ([pro.id, euros.id], "The price specified only supports `eur`"),
        ([pro.id, pro.id], "multiple Subscription Items with the same Price"),
        (["price_none"], "No such price: 'price_none'"),
    ]

    for prices, message in cases:
        given: Any = {"customer": ada.id, "items": [{"price": one} for one in prices]}
        with refused(message):
            client.v1.subscriptions.create(given)


def test_lists_hide_what_was_canceled(client: stripe.StripeClient) -> None:
    """Unless it is asked for; they narrow by customer, price and status."""
    ada, pro, other = customer(client), price(client), price(client, 900)
    kept, gone = subscribed(client, ada, pro), subscribed(client, ada, other)
    client.v1.subscriptions.cancel(gone.id)

    def found(**given: Any) -> list[str]:
        told: Any = {"customer": ada.id, **given}
        return [one.id for one in client.v1.subscriptions.list(told).data]

    assert found() == [kept.id]
    assert found(status="all") == [gone.id, kept.id]
    assert found(status="canceled") == found(status="ended") == [gone.id]
    assert found(status="active") == [kept.id]
    assert found(price=pro.id) == [kept.id]
    assert found(price=other.id, status="all") == [gone.id]


def test_one_time_invoices_are_none_of_a_subscriptions_business(client: stripe.StripeClient) -> None:
    """What waits for the customer alone comes onto the next invoice of their subscription."""
    ada = customer(client)
    client.v1.invoice_items.create({"customer": ada.id, "amount": 500, "currency": "usd", "description": "Help"})

    made = subscribed(client, ada)

    assert lines(latest(client, made)) == [("Help", 500), ("1 × Pro (at $25.00 / month)", 2500)]
    assert invoices(client, made) == [("subscription_create", "paid", 3000)]


def controls_now(client: stripe.StripeClient) -> int:
    """The sandbox's time."""
    return client.v1.customers.create({}).created
