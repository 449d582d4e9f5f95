"""Several payments on one invoice: parts of it, intents made elsewhere, and more than was owed."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, drafted, intent_of, opened, refused
from tests.emulator.paying import RETURN_URL, answer_bank, events


def intent(client: stripe.StripeClient, owner: stripe.Customer, amount: int, **more: Any) -> stripe.PaymentIntent:
    """A payment that nobody made for an invoice; already there, unless `confirm` is False."""
    given: Any = {"amount": amount, "currency": "usd", "customer": owner.id, "payment_method": "pm_card_visa"}
    given |= {"confirm": True, **more}
    if given["confirm"]:
        given["return_url"] = RETURN_URL
    return client.v1.payment_intents.create(given)


def attach(client: stripe.StripeClient, invoice: stripe.Invoice, payment: stripe.PaymentIntent) -> stripe.Invoice:
    """Let an intent pay an invoice."""
    return client.v1.invoices.attach_payment(invoice.id, {"payment_intent": payment.id})


def sums(invoice: stripe.Invoice) -> tuple[str | None, int, int, int]:
    """Where an invoice stands, what was paid, what is still owed, and what was too much."""
    return invoice.status, invoice.amount_paid, invoice.amount_remaining, invoice.amount_overpaid


def test_a_payment_made_elsewhere_pays_an_invoice(client: stripe.StripeClient) -> None:
    """It has succeeded, so the invoice is paid at once; what was made for it is called off."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)
    own, other = intent_of(client, invoice), intent(client, ada, 1500)

    paid = attach(client, invoice, other)

    payments: Any = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert sums(paid) == ("paid", 1500, 0, 0)
    assert [(one.is_default, one.status, one.amount_paid) for one in payments] == [
        (False, "paid", 1500),
        (True, "canceled", None),
    ]
    assert client.v1.payment_intents.retrieve(own.id).status == "canceled"
    assert events(client, "payment_intent.canceled") == [
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_an_invoice_is_paid_in_parts(client: stripe.StripeClient) -> None:
    """Its own intent asks for the rest, and pays it."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)

    partly = attach(client, invoice, intent(client, ada, 600))
    told = events(client, "payment_intent.succeeded")
    rest = intent_of(client, invoice)
    paid = client.v1.invoices.pay(invoice.id, {"expand": ["payments.data.payment.payment_intent"]})

    payments: Any = paid.payments
    assert sums(partly) == ("open", 600, 900, 0)
    assert told == ["invoice.updated", "invoice_payment.paid"]
    assert rest.amount == 900
    assert sums(paid) == ("paid", 1500, 0, 0)
    assert [(one.amount_requested, one.amount_paid, one.payment.payment_intent.amount) for one in payments.data] == [
        (600, 600, 600),
        (900, 900, 900),
    ]


def test_an_attached_payment_counts_as_soon_as_it_succeeds(client: stripe.StripeClient) -> None:
    """Whether by a confirmation or by the payer's answer to their bank; its failures are no attempts of the invoice."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)
    waiting = intent(client, ada, 1500, confirm=False, payment_method="pm_card_authenticationRequired")

    attached = attach(client, invoice, waiting)
    asked = client.v1.payment_intents.confirm(waiting.id, {"return_url": RETURN_URL})
    answer_bank(asked, "fail")
    failed = client.v1.invoices.retrieve(invoice.id)
    answer_bank(
        client.v1.payment_intents.confirm(
            waiting.id, {"return_url": RETURN_URL, "payment_method": "pm_card_authenticationRequired"}
        ),
        "complete",
    )

    assert sums(attached) == ("open", 0, 1500, 0)
    assert (failed.status, failed.attempted, failed.attempt_count) == ("open", False, 0)
    assert sums(client.v1.invoices.retrieve(invoice.id)) == ("paid", 1500, 0, 0)


def test_what_is_too_much_becomes_the_customers_credit(client: stripe.StripeClient) -> None:
    """The invoice is paid and says by how much it was overpaid."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)

    paid = attach(client, invoice, intent(client, ada, 2000))

    moved = client.v1.customers.balance_transactions.list(ada.id).data[0]
    assert (paid.status, paid.amount_remaining, paid.amount_overpaid) == ("paid", 0, 500)
    assert client.v1.customers.retrieve(ada.id).to_dict()["balance"] == -500
    assert (moved.type, moved.amount, moved.invoice) == ("invoice_overpaid", -500, invoice.id)
    assert events(client, "invoice.paid") == [
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "invoice.overpaid",
        "customer.updated",
    ]


def test_one_payment_pays_two_invoices(client: stripe.StripeClient) -> None:
    """What the first one left over goes to the next it is attached to, as long as there is something."""
    ada = customer(client)
    first, second, third = opened(client, ada, 1500), opened(client, ada, 900), opened(client, ada, 700)
    waiting = intent(client, ada, 2000, confirm=False)
    attach(client, first, waiting)
    attach(client, second, waiting)

    client.v1.payment_intents.confirm(waiting.id, {"return_url": RETURN_URL})

    assert sums(client.v1.invoices.retrieve(first.id)) == ("paid", 1500, 0, 0)
    assert sums(client.v1.invoices.retrieve(second.id)) == ("open", 500, 400, 0)
    with refused("cannot be attached to this invoice") as refusal:
        attach(client, third, waiting)
    assert refusal.value.param == "payment_intent"


def test_a_partly_paid_invoice_can_not_be_voided(client: stripe.StripeClient) -> None:
    """Somebody's money would be lost; it can be marked uncollectible, and still be paid."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)
    attach(client, invoice, intent(client, ada, 600))

    with refused("Invoices with `paid` payments cannot be voided."):
        client.v1.invoices.void_invoice(invoice.id)
    given_up = client.v1.invoices.mark_uncollectible(invoice.id)
    paid = attach(client, invoice, intent(client, ada, 900))

    assert sums(given_up) == ("uncollectible", 600, 900, 0)
    assert sums(paid) == ("paid", 1500, 0, 0)


@pytest.mark.parametrize("why", ["currency", "customer", "canceled", "twice", "an invoice's own", "a draft", "paid"])
def test_what_cannot_be_attached_is_refused(client: stripe.StripeClient, why: str) -> None:
    """Before anything is written."""
    ada, bob = customer(client), customer(client)
    invoice = drafted(client, ada, 1500) if why == "a draft" else opened(client, ada, 1500)
    match why:
        case "currency":
            payment = intent(client, ada, 1500, currency="eur")
        case "customer":
            payment = intent(client, bob, 1500)
        case "an invoice's own":
            payment = intent_of(client, opened(client, ada, 700))
        case _:
            payment = intent(client, ada, 1500, confirm=why == "paid")
    if why == "canceled":
        client.v1.payment_intents.cancel(payment.id)
    if why == "twice":
        attach(client, invoice, payment)
    if why == "paid":
        client.v1.invoices.pay(invoice.id)
    known = len(client.v1.invoice_payments.list({"invoice": invoice.id}).data)

    with refused() as refusal:
        attach(client, invoice, payment)

    assert refusal.value.http_status == 400
    assert len(client.v1.invoice_payments.list({"invoice": invoice.id}).data) == known


@pytest.mark.parametrize(
    ("given", "code"), [({}, "parameter_missing"), ({"payment_intent": "pi_0"}, "resource_missing")]
)
def test_attaching_needs_an_intent(client: stripe.StripeClient, given: Any, code: str) -> None:
    """One that is there."""
    invoice = opened(client, customer(client), 1500)

    with refused() as refusal:
        client.v1.invoices.attach_payment(invoice.id, given)

    assert (refusal.value.code, refusal.value.param) == (code, "payment_intent")


def test_forgiving_has_no_effect_on_cards(client: stripe.StripeClient) -> None:
    """It is about sources that hold a balance of their own: a card is charged what is due."""
    paid = client.v1.invoices.pay(opened(client, customer(client), 1500).id, {"forgive": True})

    assert paid.last_response is not None
    assert "forgive" in paid.last_response.headers["Paydesk-No-Effect"]
    assert sums(paid) == ("paid", 1500, 0, 0)
