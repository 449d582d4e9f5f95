"""A customer's balance: credit (below zero) or debt that the next invoice settles."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import before, customer, drafted, opened, refused


def movements(client: stripe.StripeClient, owner: stripe.Customer) -> list[tuple[int, int, str]]:
    """Amount, balance afterwards and reason of each, newest first."""
    found = client.v1.customers.balance_transactions.list(owner.id).data
    return [(one.amount, one.ending_balance, one.type) for one in found]


def test_credit_pays_for_an_invoice(client: stripe.StripeClient) -> None:
    """As far as it goes; a draft shows already what will be due."""
    ada = customer(client)
    given = client.v1.customers.balance_transactions.create(
        ada.id, {"amount": -1000, "currency": "usd", "description": "Sorry", "metadata": {"a": "1"}}
    )

    draft = drafted(client, ada, 1500)
    invoice = client.v1.invoices.finalize_invoice(draft.id)

    assert (given.type, given.ending_balance, given.description) == ("adjustment", -1000, "Sorry")
    assert (draft.amount_due, draft.starting_balance, draft.ending_balance) == (500, -1000, None)
    assert (invoice.total, invoice.amount_due) == (1500, 500)
    assert (invoice.starting_balance, invoice.ending_balance) == (-1000, 0)
    assert movements(client, ada) == [(1000, 0, "applied_to_invoice"), (-1000, -1000, "adjustment")]
    assert client.v1.customers.retrieve(ada.id).balance == 0
    assert before(client, "customer.updated") == {"balance": -1000}


@pytest.mark.parametrize(
    ("balance", "total", "due", "ending", "moved"),
    [
        (-2000, 1500, 0, -500, [(1500, "applied_to_invoice")]),
        (0, -700, 0, -700, [(-700, "applied_to_invoice")]),
        (300, 1500, 1800, 0, [(-300, "applied_to_invoice")]),
        (0, 30, 0, 30, [(30, "invoice_too_small")]),
        (-100, 130, 0, 30, [(30, "invoice_too_small"), (100, "applied_to_invoice")]),
        (-100, 150, 50, 0, [(100, "applied_to_invoice")]),
    ],
)
def test_a_balance_is_settled_with_the_next_invoice(
    client: stripe.StripeClient, balance: int, total: int, due: int, ending: int, moved: list[Any]
) -> None:
    """Credit is used up or grows, debt is collected, and what is too little to be charged is owed on."""
    ada = customer(client, balance=balance)

    invoice = opened(client, ada, total)

    assert (invoice.amount_due, invoice.ending_balance) == (due, ending)
    assert invoice.status == ("open" if due else "paid")
    assert client.v1.customers.retrieve(ada.id).balance == ending
    opening = [(balance, "initial")] if balance else []
    assert [(amount, reason) for amount, _, reason in movements(client, ada)] == [*moved, *opening]


def test_voiding_gives_the_credit_back(client: stripe.StripeClient) -> None:
    """As if the invoice had never been."""
    ada = customer(client, balance=-1000)
    invoice = opened(client, ada, 1500)

    client.v1.invoices.void_invoice(invoice.id)

    assert movements(client, ada)[0] == (-1000, -1000, "unapplied_from_invoice")
    assert client.v1.customers.retrieve(ada.id).balance == -1000


def test_every_change_of_a_balance_is_explained(client: stripe.StripeClient) -> None:
    """Setting the sum makes a movement too; a movement's words can be changed, its amount cannot."""
    ada = customer(client, balance=-200)

    client.v1.customers.update(ada.id, {"balance": 300})

    assert movements(client, ada) == [(500, 300, "adjustment"), (-200, -200, "initial")]
    newest = client.v1.customers.balance_transactions.list(ada.id).data[0]
    noted = client.v1.customers.balance_transactions.update(ada.id, newest.id, {"description": "Corrected"})
    assert noted.description == "Corrected"
    assert client.v1.customers.balance_transactions.retrieve(ada.id, newest.id).description == "Corrected"
    with refused("You cannot combine currencies"):
        client.v1.customers.balance_transactions.create(ada.id, {"amount": 1, "currency": "eur"})
