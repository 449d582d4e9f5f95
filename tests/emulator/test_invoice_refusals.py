"""What cannot be done to an invoice, in which status, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, drafted, opened, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import latest, subscribed

Do = Callable[[stripe.StripeClient, str], Any]

ACTIONS: dict[str, Do] = {
    "finalize": lambda client, id_: client.v1.invoices.finalize_invoice(id_),
    "pay": lambda client, id_: client.v1.invoices.pay(id_),
    "pay out of band": lambda client, id_: client.v1.invoices.pay(id_, {"paid_out_of_band": True}),
    "send": lambda client, id_: client.v1.invoices.send_invoice(id_),
    "void": lambda client, id_: client.v1.invoices.void_invoice(id_),
    "mark": lambda client, id_: client.v1.invoices.mark_uncollectible(id_),
    "delete": lambda client, id_: client.v1.invoices.delete(id_),
    "describe": lambda client, id_: client.v1.invoices.update(id_, {"description": "Too late"}),
    "note": lambda client, id_: client.v1.invoices.update(id_, {"metadata": {"ok": "yes"}}),
    "add a line": lambda client, id_: client.v1.invoices.add_lines(id_, {"lines": [{"amount": 5}]}),
}

FINAL = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
PAID = "Invoice is already paid"
NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."
HAS_PAYMENTS = "Invoices with `paid` payments cannot be voided."
MARKED = "This invoice has already been marked uncollectible."
NO_DRAFT = "You can only delete draft invoices."
UNCHANGED = "Finalized invoices can't be updated in this way"

# An action, and what becomes of an invoice in each status: the next status, or the refusal. None is a refusal in words
# that are our own.
LIFE: dict[str, dict[str, str | None]] = {
    "finalize": {"draft": "open", "open": FINAL, "paid": FINAL, "void": FINAL, "uncollectible": FINAL},
    "pay": {"draft": "paid", "open": "paid", "paid": PAID, "void": NOT_OPEN, "uncollectible": "paid"},
    "pay out of band": {"draft": "paid", "open": "paid", "paid": PAID, "void": NOT_OPEN, "uncollectible": "paid"},
    "send": {"draft": None, "open": None, "paid": None, "void": None, "uncollectible": None},
    "void": {"draft": NOT_OPEN, "open": "void", "paid": HAS_PAYMENTS, "void": NOT_OPEN, "uncollectible": "void"},
    "mark": {"draft": NOT_OPEN, "open": "uncollectible", "paid": NOT_OPEN, "void": NOT_OPEN, "uncollectible": MARKED},
    "delete": {"draft": "gone", "open": NO_DRAFT, "paid": NO_DRAFT, "void": NO_DRAFT, "uncollectible": NO_DRAFT},
    "describe": {
        "draft": "draft",
        "open": UNCHANGED,
        "paid": UNCHANGED,
        "void": UNCHANGED,
        "uncollectible": UNCHANGED,
    },
    "note": {"draft": "draft", "open": "open", "paid": "paid", "void": "void", "uncollectible": "uncollectible"},
    "add a line": {"draft": "draft", "open": None, "paid": None, "void": None, "uncollectible": None},
}
STATUSES = ("draft", "open", "paid", "void", "uncollectible")


def in_status(client: stripe.StripeClient, status: str) -> stripe.Invoice:
    """An invoice that has come so far."""
    ada = customer(client)
    if status == "draft":
        return drafted(client, ada, 1500)
    invoice = opened(client, ada, 1500)
    match status:
        case "paid":
            return client.v1.invoices.pay(invoice.id)
        case "void":
            return client.v1.invoices.void_invoice(invoice.id)
        case "uncollectible":
            return client.v1.invoices.mark_uncollectible(invoice.id)
    return invoice


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_status_says_what_can_be_done(client: stripe.StripeClient, action: str, status: str) -> None:
    """Void and paid are final; what is refused leaves the invoice as it was, and tells nobody."""
    invoice = in_status(client, status)
    then = LIFE[action][status]
    told = len(events(client))

    if then in (*STATUSES, "gone"):
        done = ACTIONS[action](client, invoice.id)
        assert ("gone" if getattr(done, "deleted", False) else done.status) == then
        return
    with refused(None if then is None else f": {re.escape(then)}$|^{re.escape(then)}$") as refusal:
        ACTIONS[action](client, invoice.id)

    assert refusal.value.http_status == 400
    assert client.v1.invoices.retrieve(invoice.id).status == status
    assert len(events(client)) == told
    if action == "describe":
        assert refusal.value.param == "description"
    if action == "add a line":
        assert refusal.value.code == "invoice_not_editable"


@pytest.mark.parametrize(
    ("ask", "words", "param"),
    [
        (
            lambda client, ada: client.v1.invoices.create({"customer": ada.id, "collection_method": "send_invoice"}),
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
            None,
        ),
        (
            lambda client, ada: client.v1.invoices.list({"status": "late"}),
            "Invalid status: must be one of draft, open, void, paid, or uncollectible",
            "status",
        ),
        (lambda client, ada: client.v1.invoices.create({}), "Missing required param: customer.", "customer"),
        (
            lambda client, ada: client.v1.invoices.create({"customer": ada.id, "days_until_due": 3}),
            None,
            "days_until_due",
        ),
        (
            lambda client, ada: client.v1.invoices.create(
                {"customer": ada.id, "collection_method": "send_invoice", "due_date": 1}
            ),
            None,
            "due_date",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    client: stripe.StripeClient, ask: Callable[[Any, stripe.Customer], Any], words: str | None, param: str | None
) -> None:
    """In Stripe's words where they are known, and nothing is made."""
    ada = customer(client)

    with refused(None if words is None else re.escape(words)) as refusal:
        ask(client, ada)

    assert refusal.value.param == param
    assert client.v1.invoices.list().data == []


def test_a_subscriptions_draft_can_be_deleted_too(client: stripe.StripeClient) -> None:
    """It is a draft like any other."""
    made = subscribed(client, customer(client), collection_method="send_invoice", days_until_due=5)

    gone = client.v1.invoices.delete(latest(client, made).id)

    assert gone.deleted


def test_no_invoice_holds_more_than_its_lines(client: stripe.StripeClient) -> None:
    """250 of them, and not one more."""
    ada = customer(client)
    draft = drafted(client, ada)
    many: Any = [{"amount": 1} for _ in range(125)]
    for _ in range(2):
        client.v1.invoices.add_lines(draft.id, {"lines": many})

    with refused():
        client.v1.invoices.add_lines(draft.id, {"lines": many[:1]})

    assert client.v1.invoices.retrieve(draft.id).total == 250
