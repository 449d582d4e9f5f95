"""The receipt of a charge: what was paid, for what, with what, and what came back."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, opened
from tests.emulator.paying import pay
from tests.emulator.wire import Wire


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)


def receipt(visitor: Wire, charge: stripe.Charge) -> str:
    """The page's HTML."""
    assert charge.receipt_url is not None
    page = visitor.get("/receipts/" + charge.receipt_url.partition("/receipts/")[2])
    assert page.status == 200
    return page.body.decode()


def test_a_receipt_says_what_was_paid_and_what_came_back(client: stripe.StripeClient, visitor: Wire) -> None:
    """By which card; the rest is what it cost in the end."""
    charge: Any = pay(client, "pm_card_amex", expand=["latest_charge"]).latest_charge
    client.v1.refunds.create({"charge": charge.id, "amount": 700})

    page = receipt(visitor, charge)

    assert all(words in page for words in ("$25.00", "American Express •••• 0005", "−$7.00", "$18.00"))


def test_a_receipt_of_an_invoice_leads_to_it(client: stripe.StripeClient, visitor: Wire) -> None:
    """To each that the payment went to."""
    ada = customer(client)
    first, second = opened(client, ada, 1500), opened(client, ada, 1000)
    whole: Any = {"amount": 2500, "currency": "usd", "customer": ada.id, "payment_method": "pm_card_visa"}
    intent = client.v1.payment_intents.create(whole)
    for invoice in (first, second):
        client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    client.v1.payment_intents.confirm(intent.id, {"return_url": "https://x.test"})

    (charge,) = client.v1.charges.list({"customer": ada.id}).data
    page = receipt(visitor, charge)

    for invoice in (first, second):
        assert str(invoice.number) in page
        assert str(invoice.hosted_invoice_url).replace("&", "&amp;") in page


@pytest.mark.parametrize(
    ("alias", "currency", "words"),
    [("pm_usBankAccount_success", "usd", "•••• 6789"), ("pm_sepaDebit_success_de", "eur", "Bank account •••• 3000")],
)
def test_a_receipt_of_a_debit_names_the_account(
    client: stripe.StripeClient, controls: Controls, visitor: Wire, alias: str, currency: str, words: str
) -> None:
    """Not a card that there never was; once the bank has paid."""
    intent = pay(client, alias, currency=currency)
    controls.push(24 * 3600)

    charge: Any = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge

    page = receipt(visitor, charge)
    assert words in page
    assert "Card" not in page


def test_nobody_gets_a_receipt_for_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """A charge that failed has none, nor has one that is not there."""
    with pytest.raises(stripe.CardError):
        pay(client, "pm_card_chargeDeclined")
    (failed,) = client.v1.charges.list().data

    assert failed.receipt_url is None
    assert visitor.get(f"/receipts/{failed.id}").status == 404
    assert visitor.get("/receipts/ch_nothing").status == 404
