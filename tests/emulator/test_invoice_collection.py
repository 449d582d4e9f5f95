"""Collecting an invoice: what it is charged to, what a failure leaves, and what happens by itself."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, drafted, intent_of, opened, refused
from tests.emulator.paying import events

HOUR = 3600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    "chosen", ["by the request", "by the invoice", "by the customer", "as the customer's old source"]
)
def test_the_nearest_choice_of_a_payment_method_counts(client: stripe.StripeClient, chosen: str) -> None:
    """The request's, then the invoice's, then the customer's default, then the customer's source."""
    ada = customer(client, None, source="tok_mastercard")
    if chosen != "as the customer's old source":
        usual = client.v1.payment_methods.attach("pm_card_amex", {"customer": ada.id})
        client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": usual.id}})
    special = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    of_invoice = {"default_payment_method": special.id} if chosen == "by the invoice" else {}
    of_request: Any = {"payment_method": special.id} if chosen == "by the request" else {}

    invoice = opened(client, ada, 1500, **of_invoice)
    client.v1.invoices.pay(invoice.id, of_request)

    charge: Any = client.v1.charges.list({"customer": ada.id}).data[0]
    brands = {"by the customer": "amex", "as the customer's old source": "mastercard"}
    assert charge.payment_method_details.card.brand == brands.get(chosen, "visa")


def test_a_decline_leaves_the_invoice_open(client: stripe.StripeClient) -> None:
    """The caller gets the card's refusal; the invoice can be paid later, which does not count as another attempt."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    invoice = opened(client, ada, 1500)

    with pytest.raises(stripe.CardError) as declined:
        client.v1.invoices.pay(invoice.id)
    failed = client.v1.invoices.retrieve(invoice.id)
    told = events(client, "invoice.finalized")
    later = client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})

    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert (failed.status, failed.attempted, failed.attempt_count) == ("open", True, 1)
    assert (failed.amount_remaining, failed.next_payment_attempt) == (1500, None)
    assert told == ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed", "invoice.updated"]
    assert (later.status, later.attempt_count) == ("paid", 1)


def test_somebody_who_left_nothing_to_charge_cannot_be_charged(client: stripe.StripeClient) -> None:
    """Nothing is written then: the draft stays a draft."""
    draft = drafted(client, customer(client, None), 1500)

    with refused("This customer has no attached payment source or default payment method") as refusal:
        client.v1.invoices.pay(draft.id)

    assert refusal.value.code == "resource_missing"
    assert client.v1.invoices.retrieve(draft.id).status == "draft"


def test_a_card_that_asks_its_holder_makes_the_invoice_wait(client: stripe.StripeClient) -> None:
    """The customer is asked for by an event; no attempt is counted."""
    ada = customer(client, "pm_card_authenticationRequired")
    invoice = opened(client, ada, 1500)

    with pytest.raises(stripe.CardError) as waiting:
        client.v1.invoices.pay(invoice.id)

    now = client.v1.invoices.retrieve(invoice.id, {"expand": ["confirmation_secret", "payments"]})
    intent = intent_of(client, invoice)
    payments: Any = now.payments
    assert waiting.value.code == "invoice_payment_intent_requires_action"
    assert (now.status, now.attempted, now.attempt_count, now.next_payment_attempt) == ("open", True, 0, None)
    assert intent.status == "requires_action"
    assert now.confirmation_secret is not None
    assert now.confirmation_secret.client_secret == intent.client_secret
    assert (payments.data[0].status, payments.url) == ("open", "/v1/invoices/payments")
    assert events(client, "invoice.finalized") == [
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.updated",
    ]


def test_a_payer_who_confirms_the_intent_pays_the_invoice(client: stripe.StripeClient) -> None:
    """As a browser does with the confirmation secret; the secret is not shown where nothing is to be paid."""
    invoice = opened(client, customer(client, None), 1500)
    intent = intent_of(client, invoice)

    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": "https://x.test"})

    paid = client.v1.invoices.retrieve(invoice.id, {"expand": ["confirmation_secret", "payments"]})
    payments: Any = paid.payments
    assert (paid.status, paid.amount_paid, paid.attempt_count) == ("paid", 1500, 1)
    assert "confirmation_secret" not in paid
    assert (payments.data[0].status, payments.data[0].amount_paid) == ("paid", 1500)


def test_an_invoice_that_advances_is_collected_after_an_hour(client: stripe.StripeClient, controls: Controls) -> None:
    """It rests as a draft so that it can still be changed; then it is finalised and charged by itself."""
    draft = drafted(client, customer(client), 1500, auto_advance=True)

    controls.push(HOUR - 60)
    resting = client.v1.invoices.retrieve(draft.id)
    controls.push(70)

    paid = client.v1.invoices.retrieve(draft.id)
    assert draft.automatically_finalizes_at == draft.created + HOUR + 1
    assert draft.next_payment_attempt == draft.created + HOUR
    assert resting.status == "draft"
    assert (paid.status, paid.attempt_count, paid.automatically_finalizes_at) == ("paid", 1, None)


def test_an_attempt_that_failed_is_made_again(client: stripe.StripeClient, controls: Controls) -> None:
    """By the schedule, each counted, with whatever the customer's default is by then."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    draft = drafted(client, ada, 1500, auto_advance=True)
    controls.push(HOUR + 10)
    once = client.v1.invoices.retrieve(draft.id)
    controls.push(40 * HOUR)
    twice = client.v1.invoices.retrieve(draft.id)
    better = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": better.id}})

    controls.push(2 * DAY)

    assert (once.status, once.attempt_count, once.auto_advance) == ("open", 1, True)
    assert once.status_transitions.finalized_at is not None
    assert once.next_payment_attempt == once.status_transitions.finalized_at + 32 * HOUR
    assert twice.attempt_count == 2
    paid = client.v1.invoices.retrieve(draft.id)
    assert (paid.status, paid.attempt_count, paid.next_payment_attempt) == ("paid", 3, None)


def test_an_open_invoice_can_be_left_to_advance(client: stripe.StripeClient, controls: Controls) -> None:
    """Collecting starts an hour later; and stops when it is switched off again."""
    ada = customer(client)
    one, two = opened(client, ada, 1500), opened(client, ada, 900)

    client.v1.invoices.update(one.id, {"auto_advance": True})
    client.v1.invoices.update(two.id, {"auto_advance": True})
    stopped = client.v1.invoices.update(two.id, {"auto_advance": False})
    controls.push(HOUR + 10)

    assert stopped.next_payment_attempt is None
    assert client.v1.invoices.retrieve(one.id).status == "paid"
    assert client.v1.invoices.retrieve(two.id).status == "open"


def test_a_customer_is_delinquent_while_collecting_fails(client: stripe.StripeClient, controls: Controls) -> None:
    """From the failure of an attempt made by itself until an invoice is paid."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    draft = drafted(client, ada, 1500, auto_advance=True)

    controls.push(HOUR + 10)
    late = client.v1.customers.retrieve(ada.id).to_dict()["delinquent"]
    client.v1.invoices.pay(draft.id, {"payment_method": "pm_card_visa"})

    assert late is True
    assert client.v1.customers.retrieve(ada.id).to_dict()["delinquent"] is False
    assert before(client, "customer.updated") == {"delinquent": True}


def test_retries_come_to_an_end(client: stripe.StripeClient, controls: Controls) -> None:
    """After eight tries within two weeks the invoice just stays open."""
    draft = drafted(client, customer(client, "pm_card_chargeCustomerFail"), 1500, auto_advance=True)

    controls.push(30 * DAY)

    left = client.v1.invoices.retrieve(draft.id)
    assert (left.status, left.attempt_count, left.next_payment_attempt) == ("open", 8, None)


def test_a_slow_bank_pays_an_invoice_in_the_end(client: stripe.StripeClient, controls: Controls) -> None:
    """Until it has answered the invoice is open, and the attempt counts once."""
    ada = customer(client, None)
    account = client.v1.payment_methods.attach("pm_usBankAccount_success", {"customer": ada.id})
    invoice = opened(client, ada, 1500)

    waiting = client.v1.invoices.pay(invoice.id, {"payment_method": account.id})
    controls.push(10 * DAY)

    paid = client.v1.invoices.retrieve(invoice.id)
    assert (waiting.status, waiting.attempted, waiting.attempt_count) == ("open", True, 1)
    assert (paid.status, paid.attempt_count) == ("paid", 1)


def test_nothing_is_collected_while_a_slow_bank_is_at_it(client: stripe.StripeClient, controls: Controls) -> None:
    """A retry that comes due meanwhile is left out: nobody is charged twice."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    draft = drafted(client, ada, 1500, auto_advance=True)
    controls.push(HOUR + 10)
    account = client.v1.payment_methods.attach("pm_usBankAccount_processing", {"customer": ada.id})
    better = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": better.id}})

    client.v1.invoices.pay(draft.id, {"payment_method": account.id})
    controls.push(2 * DAY)

    waiting = client.v1.invoices.retrieve(draft.id)
    charges = client.v1.charges.list({"customer": ada.id}).data
    assert (waiting.status, waiting.attempt_count) == ("open", 1)
    assert [charge.status for charge in charges] == ["pending", "failed"]
