"""What tests of invoices ask for again and again."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


def customer(client: stripe.StripeClient, card: str | None = "pm_card_visa", **more: Any) -> stripe.Customer:
    """A customer whose default is this card; with None, one who left nothing to charge."""
    given: Any = {"email": "ada@example.com", "name": "Ada Lovelace", **more}
    if card is not None:
        given |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
    return client.v1.customers.create(given)


def drafted(client: stripe.StripeClient, owner: stripe.Customer, *amounts: int, **more: Any) -> stripe.Invoice:
    """A draft with these amounts on it."""
    given: Any = {"customer": owner.id, **more}
    invoice = client.v1.invoices.create(given)
    for amount in amounts:
        client.v1.invoice_items.create(
            {"customer": owner.id, "invoice": invoice.id, "amount": amount, "currency": "usd", "description": "Work"}
        )
    return client.v1.invoices.retrieve(invoice.id)


def opened(client: stripe.StripeClient, owner: stripe.Customer, *amounts: int, **more: Any) -> stripe.Invoice:
    """A finalised invoice."""
    return client.v1.invoices.finalize_invoice(drafted(client, owner, *amounts, **more).id)


def intent_of(client: stripe.StripeClient, invoice: stripe.Invoice) -> stripe.PaymentIntent:
    """The payment intent that was made for an invoice."""
    payments: Any = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    (own,) = [payment for payment in payments if payment.is_default]
    return client.v1.payment_intents.retrieve(own.payment.payment_intent)


def refused(match: str | None = None) -> Any:
    """The next call is a 400, with this sentence where it is given."""
    return pytest.raises(stripe.InvalidRequestError, match=match)


def before(client: stripe.StripeClient, event: str) -> dict[str, Any]:
    """`previous_attributes` of the latest event of a type."""
    told: dict[str, Any] = client.v1.events.list({"type": event}).data[0].data.to_dict()
    previous: dict[str, Any] = told.get("previous_attributes") or {}
    return previous
