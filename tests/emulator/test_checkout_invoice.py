"""The invoice after a one-time payment in Checkout, where the seller asked for one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.paying import events
from tests.emulator.selling import line, opened, payment, price, refusal
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


def pay(client: stripe.StripeClient, wire: Wire, session: stripe.checkout.Session, method: str = "pm_card_visa") -> Any:
    """Press the button; gives back the session and its invoice."""
    given = {"payment_method": method, "email": "ada@example.com"}
    assert wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(given)).status == 200
    return found(client, session)


def found(client: stripe.StripeClient, session: stripe.checkout.Session) -> Any:
    """The session and its invoice as they are now."""
    done = client.v1.checkout.sessions.retrieve(session.id)
    return done, done.invoice and client.v1.invoices.retrieve(str(done.invoice), {"expand": ["payments", "discounts"]})


def billed(**more: Any) -> Any:
    """The parameters that ask for an invoice."""
    return {"invoice_creation": {"enabled": True, "invoice_data": more}}


def test_a_payment_is_followed_by_its_invoice(client: stripe.StripeClient, wire: Wire) -> None:
    """Paid by the very same payment, over the same lines; a guest becomes a customer."""
    book = price(client, 1900)
    session = opened(
        client,
        line_items=[{"price": book.id, "quantity": 2}, line(500)],
        **billed(description="June", footer="Thanks", metadata={"order": "7"}),
    )

    done, invoice = pay(client, wire, session)

    assert (invoice.status, invoice.total, invoice.amount_paid, invoice.amount_remaining) == ("paid", 4300, 4300, 0)
    assert (invoice.customer, invoice.customer_email) == (done.customer, "ada@example.com")
    assert (invoice.description, invoice.footer, invoice.metadata["order"]) == ("June", "Thanks", "7")
    assert [(one.amount, one.quantity, one.description) for one in invoice.lines.data] == [
        (3800, 2, "Field journal"),
        (500, 1, "Field journal"),
    ]
    assert invoice.lines.data[0].pricing.price_details.price == book.id
    assert (invoice.billing_reason, invoice.auto_advance, invoice.number[-4:]) == ("manual", False, "0001")
    (paid_by,) = invoice.payments.data
    assert (paid_by.status, paid_by.payment.payment_intent) == ("paid", done.payment_intent)
    assert len(client.v1.payment_intents.list().data) == 1


@pytest.mark.parametrize("inclusive", [True, False])
def test_the_invoice_says_what_the_session_said(client: stripe.StripeClient, wire: Wire, inclusive: bool) -> None:
    """Discount and taxes, to the cent."""
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": inclusive}).id
    coupon = client.v1.coupons.create({"percent_off": 33.33, "duration": "once"})
    promotion = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "X"})
    session = opened(
        client,
        line_items=[line(1001, tax_rates=[rate]), line(999, quantity=3), line(7)],
        discounts=[{"promotion_code": promotion.id}],
        **billed(),
    )

    done, invoice = pay(client, wire, session)

    taxed = sum(tax.amount for tax in invoice.total_taxes)
    assert invoice.total == done.amount_total
    assert invoice.subtotal == done.amount_subtotal
    assert sum(one.amount for one in invoice.total_discount_amounts) == done.total_details.amount_discount
    assert taxed == done.total_details.amount_tax
    (discount,) = invoice.discounts
    assert (discount.checkout_session, discount.promotion_code, discount.source.coupon) == (
        session.id,
        promotion.id,
        coupon.id,
    )
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_what_was_free_has_an_invoice_too(client: stripe.StripeClient, wire: Wire) -> None:
    """Of nothing, and paid, without a payment."""
    free = client.v1.coupons.create({"percent_off": 100}).id
    session = opened(client, discounts=[{"coupon": free}], **billed())

    done, invoice = pay(client, wire, session, "")

    assert (done.payment_status, done.payment_intent) == ("no_payment_required", None)
    assert (invoice.status, invoice.total, invoice.payments.data) == ("paid", 0, [])


def test_the_customers_balance_stays_out_of_it(client: stripe.StripeClient, wire: Wire) -> None:
    """The money came before the invoice."""
    ada = client.v1.customers.create({"email": "ada@example.com", "balance": -500})

    _, invoice = pay(client, wire, opened(client, customer=ada.id, **billed()))

    assert (invoice.amount_due, invoice.amount_paid, invoice.amount_overpaid) == (1900, 1900, 0)
    assert client.v1.customers.retrieve(ada.id).balance == -500


def test_a_slow_bank_delays_the_invoice(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """It follows the money, not the click; where no money comes, there is none."""
    ways = {"allowed_payment_method_types": ["us_bank_account"]}
    session, failing = opened(client, **billed(), **ways), opened(client, **billed(), **ways)

    _, before = pay(client, wire, session, "pm_usBankAccount_success")
    pay(client, wire, failing, "pm_usBankAccount_insufficientFunds")
    controls.push(10 * 24 * 60 * 60)

    done, invoice = found(client, session)
    unpaid, none = found(client, failing)
    assert before is None
    assert (done.payment_status, invoice.status, invoice.amount_paid) == ("paid", "paid", 1900)
    assert (unpaid.payment_status, none) == ("unpaid", None)


def test_without_asking_there_is_none(client: stripe.StripeClient, wire: Wire) -> None:
    """And a guest stays a guest."""
    done, invoice = pay(client, wire, opened(client))

    assert (invoice, done.customer) == (None, None)
    assert not [told for told in events(client) if told.startswith("invoice")]


def test_the_events_of_a_paid_invoice_are_told(client: stripe.StripeClient, wire: Wire) -> None:
    """Whoever keeps their books by `invoice.paid` hears of it; the finished session names the invoice."""
    session = opened(client, **billed())

    _, invoice = pay(client, wire, session)

    told = events(client)
    assert told.count("invoice.paid") == told.count("invoice.finalized") == told.count("invoice_payment.paid") == 1
    completed: Any = client.v1.events.list({"type": "checkout.session.completed"}).data[0].data
    assert completed.object["invoice"] == invoice.id


def test_one_customer_has_one_currency(client: stripe.StripeClient) -> None:
    """Nobody is charged for an invoice that cannot be written."""
    ada = client.v1.customers.create({"email": "ada@example.com"})
    client.v1.invoice_items.create({"customer": ada.id, "amount": 100, "currency": "eur"})

    refused = refusal(client, payment(customer=ada.id, **billed()))

    assert "combine currencies" in str(refused.user_message)
