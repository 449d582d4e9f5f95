"""Bank debits: accounts that pay, or do not, some time after they said they would."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.paying import events, pay

SLOW = 200


@pytest.mark.parametrize(
    ("method", "currency", "seconds", "refusal"),
    [
        ("pm_usBankAccount_success", "usd", 1, None),
        ("pm_usBankAccount_riskLevelHighest", "usd", 1, None),
        ("pm_usBankAccount_accountClosed", "usd", 1, "account_closed"),
        ("pm_usBankAccount_noAccount", "usd", 1, "no_account"),
        ("pm_usBankAccount_insufficientFunds", "usd", 1, "insufficient_funds"),
        ("pm_usBankAccount_debitNotAuthorized", "usd", 1, "debit_not_authorized"),
        ("pm_sepaDebit_success_de", "eur", 1, None),
        ("pm_sepaDebit_successDelayed_de", "eur", SLOW, None),
        ("pm_sepaDebit_failed_de", "eur", 1, "payment_intent_payment_attempt_failed"),
        ("pm_sepaDebit_failedDelayed_de", "eur", SLOW, "payment_intent_payment_attempt_failed"),
    ],
)
def test_a_debit_is_decided_later(
    client: stripe.StripeClient, controls: Controls, method: str, currency: str, seconds: int, refusal: str | None
) -> None:
    """The intent is processing until the bank has paid, or has not; then it may be tried again."""
    intent = pay(client, method, currency=currency)
    assert intent.status in ("processing", "succeeded", "requires_payment_method")

    controls.push(seconds)

    decided = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    charge: Any = decided.latest_charge
    told = events(client)
    assert told[:3] == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    assert charge.id.startswith("py_")
    if refusal is None:
        assert (decided.status, decided.amount_received, charge.status, charge.paid) == (
            "succeeded",
            2500,
            "succeeded",
            True,
        )
        assert told[3:] == ["charge.succeeded", "payment_intent.succeeded"]
        assert client.v1.balance_transactions.list({"source": charge.id}).data[0].fee == 20
    else:
        error: Any = decided.last_payment_error
        assert (decided.status, error.code, charge.status) == ("requires_payment_method", refusal, "failed")
        assert told[3:] == ["charge.failed", "payment_intent.payment_failed"]


def test_a_slow_bank_is_not_hurried(client: stripe.StripeClient, controls: Controls) -> None:
    """The delayed ones take more than three minutes, one takes for ever."""
    delayed = pay(client, "pm_sepaDebit_successDelayed_de", currency="eur")
    never = pay(client, "pm_usBankAccount_processing")

    controls.push(170)
    assert client.v1.payment_intents.retrieve(delayed.id).status == "processing"
    controls.push(30 * 24 * 3600)

    assert client.v1.payment_intents.retrieve(delayed.id).status == "succeeded"
    assert client.v1.payment_intents.retrieve(never.id).status == "processing"


@pytest.mark.parametrize(
    ("method", "currency"), [("pm_usBankAccount_dispute", "usd"), ("pm_sepaDebit_disputed_de", "eur")]
)
def test_a_debit_can_be_disputed(client: stripe.StripeClient, controls: Controls, method: str, currency: str) -> None:
    """After it was paid."""
    intent = pay(client, method, currency=currency)

    controls.push(1)

    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.amount, dispute.currency, dispute.status) == (2500, currency, "needs_response")


def test_an_account_can_be_typed(client: stripe.StripeClient, controls: Controls) -> None:
    """By its routing and account number, with the name of whoever agreed."""
    typed: Any = {
        "type": "us_bank_account",
        "billing_details": {"name": "Ada"},
        "us_bank_account": {
            "account_holder_type": "individual",
            "account_number": "000123456789",
            "routing_number": "110000000",
        },
    }
    method = client.v1.payment_methods.create(typed)
    assert method.us_bank_account is not None
    assert (method.us_bank_account.last4, method.us_bank_account.account_type) == ("6789", "checking")

    intent = pay(client, method.id)
    controls.push(1)
    refund = client.v1.refunds.create({"payment_intent": intent.id})

    assert refund.id.startswith("pyr_")
    with pytest.raises(stripe.InvalidRequestError, match=r"Missing required param: billing_details\[name\]"):
        client.v1.payment_methods.create(typed | {"billing_details": {}})
    with pytest.raises(stripe.InvalidRequestError, match="test bank account number"):
        client.v1.payment_methods.create(
            typed | {"us_bank_account": {"account_number": "1", "routing_number": "110000000"}}
        )


def test_a_debit_needs_the_right_currency(client: stripe.StripeClient) -> None:
    """Euros are not taken from an account of dollars."""
    with pytest.raises(stripe.InvalidRequestError, match="is not allowed for this PaymentIntent") as refusal:
        pay(client, "pm_usBankAccount_success", currency="eur")

    assert refusal.value.code == "payment_intent_incompatible_payment_method"
