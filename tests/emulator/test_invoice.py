"""Invoices: from the draft to the money, and the other ways in which they end."""

from __future__ import annotations

from typing import Any

import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, drafted, intent_of, opened, refused
from tests.emulator.paying import events

HOUR = 3600
DAY = 24 * HOUR


def test_a_draft_is_empty_until_something_is_put_on_it(client: stripe.StripeClient) -> None:
    """What waits for the customer stays where it is, unless the caller asks for it; and nothing happens by itself."""
    ada = customer(client)
    client.v1.invoice_items.create({"customer": ada.id, "amount": 500, "currency": "usd"})

    draft = client.v1.invoices.create({"customer": ada.id})

    assert (draft.status, draft.auto_advance, draft.billing_reason) == ("draft", False, "manual")
    assert (draft.number, draft.hosted_invoice_url, draft.invoice_pdf, draft.ending_balance) == (None, None, None, None)
    assert (draft.amount_due, draft.lines.data, draft.automatically_finalizes_at) == (0, [], None)
    assert (draft.customer_email, draft.customer_name) == ("ada@example.com", "Ada Lovelace")


def test_an_invoice_takes_in_what_waited(client: stripe.StripeClient) -> None:
    """Newest first; what is in another currency keeps waiting for its own invoice."""
    ada = customer(client)
    first = client.v1.invoice_items.create({"customer": ada.id, "amount": 500, "currency": "usd"})
    second = client.v1.invoice_items.create({"customer": ada.id, "amount": -200, "currency": "usd"})

    invoice = client.v1.invoices.create({"customer": ada.id, "pending_invoice_items_behavior": "include"})

    made: Any = [line.parent for line in invoice.lines.data]
    assert [parent.invoice_item_details.invoice_item for parent in made] == [second.id, first.id]
    assert (invoice.subtotal, invoice.total, invoice.amount_due) == (300, 300, 300)
    assert client.v1.invoice_items.retrieve(first.id).invoice == invoice.id
    assert client.v1.invoice_items.list({"customer": ada.id, "pending": True}).data == []


def test_finalizing_numbers_an_invoice_and_asks_for_the_money(client: stripe.StripeClient) -> None:
    """Numbers count per customer; there is a page to pay at, and a payment intent to pay with."""
    ada = customer(client)

    one, two = opened(client, ada, 1500), opened(client, ada, 500)

    intent = intent_of(client, one)
    assert [one.number, two.number] == [f"{ada.invoice_prefix}-0001", f"{ada.invoice_prefix}-0002"]
    assert (one.status, one.amount_due, one.amount_remaining, one.attempted) == ("open", 1500, 1500, False)
    assert one.hosted_invoice_url is not None
    assert one.hosted_invoice_url.endswith("?s=ap")
    assert one.invoice_pdf is not None
    assert one.invoice_pdf.endswith("/pdf?s=ap")
    assert one.status_transitions.finalized_at == one.effective_at
    assert (intent.amount, intent.status, intent.customer) == (1500, "requires_payment_method", ada.id)
    assert (intent.description, intent.capture_method) == ("Payment for Invoice", "automatic")
    details: Any = intent.payment_details
    assert details.order_reference == one.id


def test_paying_charges_the_customers_default(client: stripe.StripeClient) -> None:
    """Everything follows in one call, and is told in the order it happens."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)

    paid = client.v1.invoices.pay(invoice.id)

    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1500, 0)
    assert (paid.attempted, paid.attempt_count, paid.auto_advance) == (True, 1, False)
    assert events(client, "invoiceitem.created") == [
        "invoice.updated",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]
    assert before(client, "invoice.updated") == {
        "amount_paid": 0,
        "amount_remaining": 1500,
        "attempt_count": 0,
        "attempted": False,
        "status": "open",
        "status_transitions": {"paid_at": None},
    }


def test_paying_a_draft_finalizes_it_first(client: stripe.StripeClient) -> None:
    """One call is enough."""
    draft = drafted(client, customer(client), 1500)

    paid = client.v1.invoices.pay(draft.id)

    assert (paid.status, paid.number is not None) == ("paid", True)


def test_an_invoice_over_nothing_is_paid_at_once(client: stripe.StripeClient) -> None:
    """No payment intent, no charge, and the same news as of any paid invoice."""
    invoice = opened(client, customer(client, None), 500, -500)

    assert (invoice.status, invoice.amount_due, invoice.attempted, invoice.attempt_count) == ("paid", 0, True, 0)
    assert client.v1.invoice_payments.list({"invoice": invoice.id}).data == []
    assert events(client, "invoice.updated") == ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded"]


def test_money_that_came_another_way_is_noted(client: stripe.StripeClient) -> None:
    """Nothing is charged, and nothing was attempted."""
    invoice = opened(client, customer(client), 1500)

    paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})

    assert (paid.status, paid.attempted, paid.attempt_count, paid.amount_remaining) == ("paid", False, 0, 0)
    assert intent_of(client, invoice).status == "canceled"
    assert events(client, "payment_intent.canceled") == [
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_numbers_begin_where_the_customer_says(client: stripe.StripeClient) -> None:
    """And go on from there; a number given to a draft by hand is kept."""
    ada = customer(client, invoice_prefix="ACME", next_invoice_sequence=42)

    first, own = opened(client, ada, 100), opened(client, ada, 100, number="2026-A")

    assert [first.number, own.number] == ["ACME-0042", "2026-A"]
    assert client.v1.customers.retrieve(ada.id).to_dict()["next_invoice_sequence"] == 43


def test_an_invoice_can_be_sent(client: stripe.StripeClient, controls: Controls) -> None:
    """It is finalised, and nobody is charged; when its day has passed that is told."""
    ada = customer(client)
    draft = drafted(client, ada, 1500, collection_method="send_invoice", days_until_due=7)

    sent = client.v1.invoices.send_invoice(draft.id)
    controls.push(8 * DAY)

    assert (sent.status, sent.due_date, sent.next_payment_attempt) == ("open", draft.created + 7 * DAY, None)
    assert events(client, "invoice.finalized") == ["invoice.sent", "invoice.overdue", "customer.updated"]


def test_a_voided_invoice_is_over(client: stripe.StripeClient) -> None:
    """Its payment intent goes with it."""
    invoice = opened(client, customer(client), 1500)

    void = client.v1.invoices.void_invoice(invoice.id)

    assert (void.status, void.status_transitions.voided_at is not None) == ("void", True)
    assert intent_of(client, invoice).status == "canceled"
    assert events(client, "payment_intent.canceled") == ["invoice.updated", "invoice.voided"]


def test_an_uncollectible_invoice_can_still_be_paid(client: stripe.StripeClient) -> None:
    """The customer thought better of it."""
    invoice = opened(client, customer(client), 1500)

    marked = client.v1.invoices.mark_uncollectible(invoice.id)
    paid = client.v1.invoices.pay(invoice.id)

    assert marked.status == "uncollectible"
    details: Any = marked.to_dict()["status_details"]
    assert details == {"uncollectible": {"reason": "user_forgiven"}}
    assert paid.status == "paid"


def test_an_invoices_intent_is_cancelled_by_voiding_the_invoice(client: stripe.StripeClient) -> None:
    """Not directly."""
    intent = intent_of(client, opened(client, customer(client), 1500))

    with refused("Void the Invoice"):
        client.v1.payment_intents.cancel(intent.id)


def test_an_invoices_intent_is_for_what_the_invoice_says(client: stripe.StripeClient) -> None:
    """Nobody pays less through it; what it says of itself can be changed."""
    intent = intent_of(client, opened(client, customer(client), 1500))

    with refused("This PaymentIntent's amount could not be updated because it was created by an Invoice"):
        client.v1.payment_intents.update(intent.id, {"amount": 100})
    with refused("capture_method could not be updated"):
        client.v1.payment_intents.confirm(
            intent.id, {"capture_method": "manual", "payment_method": "pm_card_visa", "return_url": "https://x.test"}
        )
    assert client.v1.payment_intents.update(intent.id, {"description": "June"}).description == "June"


def test_a_draft_can_be_changed_and_deleted(client: stripe.StripeClient, controls: Controls) -> None:
    """What was on it does not wait for another invoice afterwards."""
    ada = customer(client)
    draft = drafted(client, ada, 1500)

    changed = client.v1.invoices.update(draft.id, {"description": "June", "auto_advance": True, "footer": "Thanks"})
    gone = client.v1.invoices.delete(draft.id)
    controls.push(2 * HOUR)

    assert (changed.description, changed.footer, changed.auto_advance) == ("June", "Thanks", True)
    assert gone.to_dict() == {"id": draft.id, "object": "invoice", "deleted": True}
    assert events(client, "invoice.deleted") == []
    assert client.v1.invoice_items.list({"customer": ada.id, "pending": True}).data == []
    with refused("No such invoice") as refusal:
        client.v1.invoices.retrieve(draft.id)
    assert (refusal.value.http_status, refusal.value.param) == (404, "invoice")
    with refused("No such invoice") as refusal:
        client.v1.invoices.pay(draft.id)
    assert (refusal.value.http_status, refusal.value.param) == (404, "id")


def test_invoices_are_listed_by_customer_status_and_method(client: stripe.StripeClient) -> None:
    """Newest first; and they can be searched."""
    ada, bob = customer(client), customer(client)
    draft, other = drafted(client, ada, 100), opened(client, bob, 200)
    sent = opened(client, ada, 300, collection_method="send_invoice", days_until_due=1)

    def ids(**filters: Any) -> list[str]:
        asked: Any = filters
        return [invoice.id for invoice in client.v1.invoices.list(asked).data]

    assert ids() == [sent.id, other.id, draft.id]
    assert ids(customer=ada.id) == [sent.id, draft.id]
    assert ids(status="open") == [sent.id, other.id]
    assert ids(collection_method="send_invoice", status="open") == [sent.id]
    assert ids(due_date=sent.due_date) == [sent.id]
    assert sent.due_date is not None
    assert ids(due_date={"gt": sent.due_date - 1, "lte": sent.due_date}) == [sent.id]
    assert ids(due_date={"gt": sent.due_date}) == ids(due_date={"lt": sent.due_date}) == []
    found = client.v1.invoices.search({"query": "status:'open' AND total>250"})
    assert [invoice.id for invoice in found.data] == [sent.id]
