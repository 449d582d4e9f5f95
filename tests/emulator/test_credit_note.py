"""Credit notes: putting an invoice right, before and after it was paid."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.crediting import again, issue, of_line, owed
from tests.emulator.invoicing import before, customer, drafted, intent_of, opened, refused
from tests.emulator.paying import events


def paid(client: stripe.StripeClient, owner: stripe.Customer, *amounts: int, **more: Any) -> stripe.Invoice:
    """An invoice that was paid by card."""
    return client.v1.invoices.pay(opened(client, owner, *amounts, **more).id)


def balance(client: stripe.StripeClient, owner: stripe.Customer) -> int:
    """A customer's balance now."""
    found: int = client.v1.customers.retrieve(owner.id).to_dict()["balance"]
    return found


# Before it is paid


def test_an_open_invoice_asks_for_less(client: stripe.StripeClient) -> None:
    """Its own payment intent does too; nothing goes back to anybody."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)

    note = issue(client, invoice, amount=500, reason="order_change", memo="Late", metadata={"case": "7"})
    told = events(client, "invoice.finalized")
    done = client.v1.invoices.pay(invoice.id)

    assert (note.status, note.type, note.number) == ("issued", "pre_payment", f"{invoice.number}-CN-01")
    assert (note.amount, note.total, note.pre_payment_amount, note.post_payment_amount) == (500, 500, 500, 0)
    assert (note.reason, note.memo, note.customer) == ("order_change", "Late", ada.id)
    assert note.to_dict()["metadata"] == {"case": "7"}
    assert (note.refunds, note.customer_balance_transaction) == ([], None)
    assert told == ["credit_note.created", "invoice.updated"]
    assert owed(done) == ("paid", 1000, 0, 500, 0)
    assert done.amount_paid == 1000
    assert intent_of(client, invoice).amount_received == 1000


def test_an_invoice_credited_whole_is_paid(client: stripe.StripeClient) -> None:
    """Nobody is charged, and its payment intent is canceled."""
    invoice = opened(client, customer(client), 1500)

    issue(client, invoice, amount=1500)

    assert owed(again(client, invoice)) == ("paid", 0, 0, 1500, 0)
    assert again(client, invoice).amount_paid == 0
    assert intent_of(client, invoice).status == "canceled"
    assert events(client, "invoice.finalized") == [
        "credit_note.created",
        "payment_intent.canceled",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_credit_note_of_an_open_invoice_can_be_taken_back(client: stripe.StripeClient) -> None:
    """Once; the invoice asks for all of it again, and the number is not used a second time."""
    invoice = opened(client, customer(client), 1500)
    note = issue(client, invoice, amount=500)

    void = client.v1.credit_notes.void_credit_note(note.id)
    now = again(client, invoice)
    following = issue(client, invoice, amount=1500)

    assert (void.status, void.voided_at is not None) == ("void", True)
    assert before(client, "credit_note.voided") == {"status": "issued", "voided_at": None}
    assert owed(now) == ("open", 1500, 1500, 0, 0)
    assert following.number == f"{invoice.number}-CN-02"
    with refused():
        client.v1.credit_notes.void_credit_note(note.id)


def test_a_credit_note_stands_once_its_invoice_is_paid(client: stripe.StripeClient) -> None:
    """What was settled with it is not unsettled."""
    invoice = opened(client, customer(client), 1500)
    note = issue(client, invoice, amount=500)
    client.v1.invoices.pay(invoice.id)

    with refused():
        client.v1.credit_notes.void_credit_note(note.id)

    assert client.v1.credit_notes.retrieve(note.id).status == "issued"
    assert owed(again(client, invoice)) == ("paid", 1000, 0, 500, 0)


# After it was paid


def test_what_was_paid_is_refunded(client: stripe.StripeClient) -> None:
    """The card gets its money back; the invoice stays paid, and says what was credited."""
    ada = customer(client)
    invoice = paid(client, ada, 1500)

    note = issue(client, invoice, amount=600, refund_amount=600)

    (refund,) = client.v1.refunds.list().data
    assert (note.type, note.post_payment_amount, note.pre_payment_amount) == ("post_payment", 600, 0)
    assert [(one.refund, one.amount_refunded, one.type) for one in note.refunds] == [(refund.id, 600, "refund")]
    assert (refund.amount, refund.payment_intent) == (600, intent_of(client, invoice).id)
    assert owed(again(client, invoice)) == ("paid", 1500, 0, 0, 600)
    assert events(client, "invoice_payment.paid") == [
        "refund.created",
        "charge.refunded",
        "credit_note.created",
        "invoice.updated",
    ]


def test_what_was_paid_becomes_credit(client: stripe.StripeClient) -> None:
    """For the next invoice; the movement of the balance and the credit note name each other."""
    ada = customer(client)
    invoice = paid(client, ada, 1500)

    note = issue(client, invoice, amount=600, credit_amount=600, expand=["customer_balance_transaction"])
    following = opened(client, ada, 1000)

    moved: Any = note.customer_balance_transaction
    assert (moved.type, moved.amount, moved.credit_note, moved.invoice) == ("credit_note", -600, note.id, invoice.id)
    assert following.amount_due == 400
    assert balance(client, ada) == 0


def test_a_credit_goes_back_in_several_ways(client: stripe.StripeClient) -> None:
    """A refund, a refund made before, credit, and what only the business knows of: together what was credited."""
    ada = customer(client)
    invoice = paid(client, ada, 1500)
    earlier = client.v1.refunds.create({"payment_intent": intent_of(client, invoice).id, "amount": 300})

    note = issue(
        client,
        invoice,
        amount=1500,
        refund_amount=700,
        credit_amount=400,
        out_of_band_amount=100,
        refunds=[{"refund": earlier.id}],
    )

    assert [one.amount_refunded for one in note.refunds] == [300, 700]
    assert note.out_of_band_amount == 100
    assert balance(client, ada) == -400
    assert sum(refund.amount for refund in client.v1.refunds.list().data) == 1000
    assert owed(again(client, invoice)) == ("paid", 1500, 0, 0, 1500)


def test_a_partly_paid_invoice_is_credited_both_ways(client: stripe.StripeClient) -> None:
    """What remains goes first; the rest is given back of what was paid."""
    ada = customer(client)
    invoice = opened(client, ada, 1500)
    payment = client.v1.payment_intents.create(
        {
            "amount": 600,
            "currency": "usd",
            "customer": ada.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://x.test",
        }
    )
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": payment.id})

    note = issue(client, invoice, amount=1100, refund_amount=200)

    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 900, 200)
    assert owed(again(client, invoice)) == ("paid", 600, 0, 900, 200)
    assert client.v1.refunds.list().data[0].payment_intent == payment.id


# Previews, lists, changes


@pytest.mark.parametrize("kind", ["amount", "lines"])
def test_a_preview_is_what_is_then_made(client: stripe.StripeClient, kind: str) -> None:
    """To the last number; and nothing is kept of it."""
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    invoice = opened(client, customer(client), 1000, 700, default_tax_rates=[vat.id])
    given: Any = {"invoice": invoice.id, "memo": "Sorry"}
    given |= {"amount": 600} if kind == "amount" else {"lines": [of_line(invoice, 1, quantity=1)]}

    foreseen = client.v1.credit_notes.preview(given).to_dict()
    lines = [line.to_dict() for line in client.v1.credit_notes.preview_lines.list(given).data]
    none = client.v1.credit_notes.list().data
    made = client.v1.credit_notes.create(given).to_dict()

    for one in (foreseen, made):
        for name in ("id", "pdf", "created", "effective_at"):
            one.pop(name)
        one["lines"].pop("url")
        for line in one["lines"]["data"]:
            line.pop("id")
    for line in lines:
        line.pop("id")
    assert none == []
    assert foreseen == made
    assert lines == made["lines"]["data"]


def test_credit_notes_are_listed_and_changed(client: stripe.StripeClient) -> None:
    """By invoice and by customer; the memo and the metadata are all that can change."""
    ada, bob = customer(client), customer(client)
    first, second, other = opened(client, ada, 900), opened(client, ada, 900), opened(client, bob, 900)
    one, two, three = (issue(client, invoice, amount=100) for invoice in (first, second, other))

    changed = client.v1.credit_notes.update(one.id, {"memo": "Sorry", "metadata": {"case": "7"}})

    assert [note.id for note in client.v1.credit_notes.list({"customer": ada.id}).data] == [two.id, one.id]
    assert [note.id for note in client.v1.credit_notes.list({"invoice": other.id}).data] == [three.id]
    assert (changed.memo, changed.to_dict()["metadata"]) == ("Sorry", {"case": "7"})
    assert before(client, "credit_note.updated") == {"memo": None, "metadata": {"case": None}}
    whole: Any = client.v1.credit_notes.retrieve(one.id, {"expand": ["invoice", "customer"]})
    assert (whole.invoice.id, whole.customer.id) == (first.id, ada.id)


# Refusals


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "amount"),
        ({"amount": 0, "out_of_band_amount": 0}, "amount"),
        ({"amount": 1501, "out_of_band_amount": 1501}, "amount"),
        ({"amount": 600}, None),
        ({"amount": 600, "refund_amount": 500}, None),
        ({"amount": 600, "refund_amount": 500, "credit_amount": 200}, None),
        ({"amount": 600, "refund_amount": -1, "credit_amount": 601}, "refund_amount"),
        ({"amount": 600, "refunds": [{"refund": "re_0"}]}, "refunds[0][refund]"),
        ({"amount": 600, "refunds": [{"amount_refunded": 600}]}, "refunds[0][refund]"),
        ({"lines": [{"type": "invoice_line_item", "amount": 5}], "credit_amount": 5}, "lines[0][invoice_line_item]"),
        (
            {"lines": [{"type": "invoice_line_item", "invoice_line_item": "il_0", "amount": 5}], "credit_amount": 5},
            "lines[0][invoice_line_item]",
        ),
        ({"lines": [{"type": "custom_line_item", "quantity": 5}], "credit_amount": 5}, "lines[0][unit_amount]"),
        (
            {"lines": [{"type": "custom_line_item", "quantity": 0, "unit_amount": 5}], "credit_amount": 5},
            "lines[0][quantity]",
        ),
        ({"lines": [{"type": "custom_line_item", "amount": 5}], "credit_amount": 5}, "lines[0][amount]"),
        (
            {"amount": 6, "lines": [{"type": "custom_line_item", "unit_amount": 5}], "credit_amount": 5},
            "amount",
        ),
        ({"shipping_cost": {"shipping_rate": "shr_1"}}, "shipping_cost[shipping_rate]"),
    ],
)
def test_a_credit_that_does_not_add_up_is_refused(client: stripe.StripeClient, given: Any, param: str | None) -> None:
    """On an invoice of $15.00 that was paid: nothing is refunded, credited or kept."""
    ada = customer(client)
    invoice = paid(client, ada, 1500)

    with refused() as refusal:
        issue(client, invoice, **given)

    assert refusal.value.param == param
    assert client.v1.credit_notes.list().data == []
    assert client.v1.refunds.list().data == []
    assert balance(client, ada) == 0
    assert owed(again(client, invoice)) == ("paid", 1500, 0, 0, 0)


@pytest.mark.parametrize("status", ["draft", "void", "uncollectible"])
def test_only_an_invoice_that_counts_is_credited(client: stripe.StripeClient, status: str) -> None:
    """An open or a paid one."""
    draft = drafted(client, customer(client), 1500)
    if status != "draft":
        client.v1.invoices.finalize_invoice(draft.id)
    if status == "void":
        client.v1.invoices.void_invoice(draft.id)
    if status == "uncollectible":
        client.v1.invoices.mark_uncollectible(draft.id)

    with refused() as refusal:
        issue(client, draft, amount=500)

    assert refusal.value.param == "invoice"


def test_refunds_and_credit_notes_together_never_give_back_more_than_the_invoice(client: stripe.StripeClient) -> None:
    """A refund made without a credit note counts, and can be linked afterwards, once."""
    ada = customer(client)
    invoice = paid(client, ada, 1500)
    refund = client.v1.refunds.create({"payment_intent": intent_of(client, invoice).id, "amount": 1000})

    with refused():
        issue(client, invoice, amount=600, credit_amount=600)
    rest = issue(client, invoice, amount=500, credit_amount=500)
    linked = issue(client, invoice, amount=1000, refunds=[{"refund": refund.id}])
    with refused():
        issue(client, invoice, amount=1, refunds=[{"refund": refund.id, "amount_refunded": 1}])

    assert (rest.total, linked.total) == (500, 1000)
    assert again(client, invoice).post_payment_credit_notes_amount == 1500


def test_money_that_never_came_by_card_is_not_refunded_to_one(client: stripe.StripeClient) -> None:
    """An invoice paid out of band is credited out of band, or to the balance."""
    invoice = client.v1.invoices.pay(opened(client, customer(client), 1500).id, {"paid_out_of_band": True})

    with refused() as refusal:
        issue(client, invoice, amount=500, refund_amount=500)
    note = issue(client, invoice, amount=500, out_of_band_amount=500)

    assert refusal.value.param == "refund_amount"
    assert note.type == "post_payment"
