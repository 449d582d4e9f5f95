"""Invoice payments: which payment intent pays which invoice."""

from __future__ import annotations

from typing import Any

import stripe

from tests.emulator.invoicing import customer, intent_of, opened


def test_an_invoice_is_found_by_its_payment_intent(client: stripe.StripeClient) -> None:
    """An intent does not name its invoice: this is how to get from one to the other."""
    ada = customer(client)
    invoice, other = opened(client, ada, 1500), opened(client, ada, 900)
    intent = intent_of(client, invoice)

    (found,) = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent.id}, "expand": ["data.invoice"]}
    ).data

    whole: Any = found.invoice
    assert (whole.id, found.amount_requested, found.amount_paid) == (invoice.id, 1500, None)
    assert (found.status, found.is_default, found.currency) == ("open", True, "usd")
    assert client.v1.invoice_payments.retrieve(found.id).id == found.id
    assert len(client.v1.invoice_payments.list({"payment": {"type": "payment_intent"}}).data) == 2
    assert intent_of(client, other).amount == 900


def test_a_payment_is_open_then_paid_or_canceled(client: stripe.StripeClient) -> None:
    """As its invoice is paid, or voided."""
    ada = customer(client)
    paid, void = opened(client, ada, 1500), opened(client, ada, 900)

    client.v1.invoices.pay(paid.id)
    client.v1.invoices.void_invoice(void.id)

    (done,) = client.v1.invoice_payments.list({"invoice": paid.id}).data
    (gone,) = client.v1.invoice_payments.list({"status": "canceled"}).data
    assert (done.status, done.amount_paid, done.status_transitions.paid_at is not None) == ("paid", 1500, True)
    assert (gone.invoice, gone.status_transitions.canceled_at is not None) == (void.id, True)
