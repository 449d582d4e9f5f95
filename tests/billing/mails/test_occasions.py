"""Which fact is told by which mail: a table, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.facts import (
    CardExpiring,
    Invoice,
    InvoicePaid,
    Order,
    OrderPaid,
    PaymentFailed,
    Subscription,
    SubscriptionEnded,
    TrialEnding,
)
from paydesk.billing.mails.occasions import Now, Occasions

if TYPE_CHECKING:
    from paydesk.billing.mails.occasions import Told

DAY = datetime(2026, 12, 3, 9, tzinfo=UTC)
CATALOG = Catalog.parse(
    """
[products.ebook]
name = "The little book of webhooks"
price = "$19"
[plans.pro]
name = "Pro"
price = "$29/mo"
seats_max = 9
"""
)
PRO = Subscription(
    id="sub_1",
    user_id="ada",
    customer_id="cus_1",
    plan="pro",
    status="active",
    amount_minor=2900,
    currency="usd",
    billed_every="month",
    current_period_end=DAY,
)
TRIAL = replace(PRO, status="trialing", trial_ends_at=DAY)
OPEN = Invoice(
    id="in_2",
    user_id="ada",
    customer_id="cus_1",
    subscription_id="sub_1",
    number="ABC-0002",
    status="open",
    billing_reason="subscription_cycle",
    currency="usd",
    total_minor=2900,
    amount_due_minor=2900,
    amount_paid_minor=0,
    amount_remaining_minor=2900,
    attempt_count=1,
    next_attempt_at=DAY,
    period_start=DAY,
    period_end=DAY + timedelta(days=31),
    hosted_invoice_url="https://pay.example/i/2",
    invoice_pdf="https://pay.example/i/2/pdf",
    created_at=DAY,
)
PAID = replace(OPEN, status="paid", amount_paid_minor=2900, amount_remaining_minor=0)
ORDER = Order("ord_1", "ebook", 2, 3800, "usd", "paid", email="ada@example.com")
CARD = ("pm_1", "visa", "4242", 11, 2026)


@pytest.mark.parametrize(
    ("fact", "now", "kind"),
    [
        (PaymentFailed(OPEN, PRO, needs_action=False), Now(), "payment_failed"),
        (PaymentFailed(OPEN, PRO, needs_action=False), Now(invoice=OPEN), "payment_failed"),
        (PaymentFailed(OPEN, PRO, needs_action=True), Now(invoice=OPEN), "action_needed"),
        (PaymentFailed(OPEN, None, needs_action=False), Now(), "payment_failed"),
        (PaymentFailed(OPEN, PRO, needs_action=False), Now(invoice=PAID), None),
        (PaymentFailed(OPEN, PRO, needs_action=True), Now(invoice=replace(OPEN, status="void")), None),
        (PaymentFailed(OPEN, PRO, needs_action=False), Now(invoice=replace(OPEN, attempt_count=2)), None),
        (PaymentFailed(replace(OPEN, billing_reason="subscription_create"), PRO, needs_action=True), Now(), None),
        (PaymentFailed(OPEN, PRO, needs_action=False), Now(subscription=replace(PRO, status="canceled")), None),
        (CardExpiring(PRO, *CARD), Now(subscription=PRO), "card_expiring"),
        (CardExpiring(PRO, *CARD), Now(subscription=replace(PRO, status="canceled")), None),
        (CardExpiring(PRO, *CARD), Now(subscription=replace(PRO, cancels_at=DAY)), None),
        (CardExpiring(PRO, *CARD), Now(subscription=replace(PRO, status="paused")), None),
        (TrialEnding(TRIAL), Now(subscription=TRIAL), "trial_ending"),
        (TrialEnding(TRIAL), Now(subscription=PRO), None),
        (TrialEnding(TRIAL), Now(subscription=replace(TRIAL, trial_ends_at=DAY + timedelta(days=7))), None),
        (InvoicePaid(PAID, PRO), Now(), "receipt"),
        (InvoicePaid(PAID, None), Now(), "receipt"),
        (InvoicePaid(replace(PAID, total_minor=0, amount_paid_minor=0), PRO), Now(), None),
        (OrderPaid(ORDER), Now(), "receipt"),
        (OrderPaid(replace(ORDER, amount_minor=0)), Now(), None),
        (SubscriptionEnded(PRO, reason="payment_failed"), Now(), "ended"),
    ],
)
def test_a_fact_is_told_where_there_is_something_to_tell(fact: Told, now: Now, kind: str | None) -> None:
    """And no longer, once it does not hold any more."""
    letter = Occasions(CATALOG).letter(fact, now)

    assert (letter.kind if letter is not None else None) == kind


@pytest.mark.parametrize(
    ("fact", "now", "values"),
    [
        (
            PaymentFailed(OPEN, PRO, needs_action=False),
            Now(refusal="Your card has insufficient funds."),
            {
                "plan": "Pro",
                "amount": "$29.00",
                "again": "3 December 2026",
                "pay_url": "https://pay.example/i/2",
                "refusal": "Your card has insufficient funds.",
            },
        ),
        (
            # A part is paid already, the bank asks for the rest, and nobody tries again.
            PaymentFailed(OPEN, PRO, needs_action=True),
            Now(invoice=replace(OPEN, amount_remaining_minor=900, next_attempt_at=None), refusal="Authenticate."),
            {"amount": "$9.00", "again": None, "refusal": None},
        ),
        (
            CardExpiring(PRO, *CARD),
            Now(),
            {"card": "Visa •••• 4242", "expires": "11/2026", "renews": "3 December 2026", "amount": "$29.00"},
        ),
        (TrialEnding(TRIAL), Now(), {"ends": "3 December 2026", "is_last": False, "amount": "$29.00"}),
        (TrialEnding(replace(TRIAL, cancels_at=DAY)), Now(), {"is_last": True}),
        (TrialEnding(replace(TRIAL, amount_minor=None)), Now(), {"amount": None}),
        (
            InvoicePaid(PAID, replace(PRO, seats=3)),
            Now(),
            {
                "item": "Pro",
                "quantity": 3,
                "amount": "$29.00",
                "number": "ABC-0002",
                "until": "3 January 2027",
                "pdf_url": "https://pay.example/i/2/pdf",
            },
        ),
        (InvoicePaid(PAID, replace(PRO, plan=None)), Now(), {"item": None}),
        (
            OrderPaid(ORDER),
            Now(),
            {"item": "The little book of webhooks", "quantity": 2, "amount": "$38.00", "number": "ord_1"},
        ),
        (OrderPaid(replace(ORDER, sku="gone")), Now(), {"item": "gone"}),
    ],
)
def test_a_letter_knows_what_it_needs(fact: Told, now: Now, values: dict[str, Any]) -> None:
    """As people read it, and as it stands now."""
    letter = Occasions(CATALOG).letter(fact, now)

    assert letter is not None
    assert {name: letter.values[name] for name in values} == values
