"""What tests of credit notes ask for again and again."""

from __future__ import annotations

from typing import Any

import stripe


def issue(client: stripe.StripeClient, invoice: stripe.Invoice, **given: Any) -> stripe.CreditNote:
    """A credit note for an invoice."""
    params: Any = {"invoice": invoice.id, **given}
    return client.v1.credit_notes.create(params)


def again(client: stripe.StripeClient, invoice: stripe.Invoice) -> stripe.Invoice:
    """The invoice as it is now."""
    return client.v1.invoices.retrieve(invoice.id)


def owed(invoice: stripe.Invoice) -> tuple[str | None, int, int, int, int]:
    """Where an invoice stands, what is due and remains, and what was credited before and after it was paid."""
    return (
        invoice.status,
        invoice.amount_due,
        invoice.amount_remaining,
        invoice.pre_payment_credit_notes_amount,
        invoice.post_payment_credit_notes_amount,
    )


def of_line(invoice: stripe.Invoice, place: int = 0, **more: Any) -> dict[str, Any]:
    """A credit note's line for one of the invoice's."""
    return {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[place].id, **more}
