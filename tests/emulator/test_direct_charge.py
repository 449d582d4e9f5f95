"""Charging directly, the old way."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.paying import declined, events


def customer_with_card(client: stripe.StripeClient) -> str:
    """A customer whose card is on file."""
    customer = client.v1.customers.create()
    client.v1.customers.payment_sources.create(customer.id, {"source": "tok_visa"})
    return customer.id


def test_a_charge_with_an_idempotency_key_is_made_once(client: stripe.StripeClient) -> None:
    """A network blip, a retry, one payment."""
    params: Any = {"amount": 999, "currency": "usd", "customer": customer_with_card(client)}

    first, second = (client.v1.charges.create(params, {"idempotency_key": "order_7"}) for _ in range(2))

    assert first.id == second.id
    assert [charge.id for charge in client.v1.charges.list().data] == [first.id]
    assert events(client)[-1] == "charge.succeeded"


def test_a_token_is_charged(client: stripe.StripeClient) -> None:
    """The money is booked with the answer; the card is shown as the source."""
    charge = client.v1.charges.create(
        {"amount": 999, "currency": "USD", "source": "tok_mastercard", "description": "A book", "metadata": {"a": "1"}}
    )

    source: Any = charge.source
    assert (charge.status, charge.captured, charge.currency, charge.paid) == ("succeeded", True, "usd", True)
    assert (source.object, source.brand, source.last4) == ("card", "MasterCard", "4444")
    assert charge.payment_intent is None
    assert charge.outcome is not None
    assert (charge.outcome.seller_message, charge.outcome.type) == ("Payment complete.", "authorized")
    booked = client.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (booked.amount, booked.fee, booked.source) == (999, 59, charge.id)


def test_metadata_sent_empty_is_none(client: stripe.StripeClient) -> None:
    """A key without a value is not kept, here as everywhere."""
    params: Any = {"amount": 999, "currency": "usd", "source": "tok_visa", "metadata": {"a": "1", "b": ""}}

    charge = client.v1.charges.create(params)

    assert charge.metadata is not None
    assert charge.metadata.to_dict() == {"a": "1"}


def test_a_declined_charge_is_kept(client: stripe.StripeClient) -> None:
    """402, naming the failed charge."""
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_visa_chargeDeclined"})

    body = declined(refusal.value)
    assert (body["code"], body["decline_code"]) == ("card_declined", "generic_decline")
    charge = client.v1.charges.retrieve(body["charge"])
    assert (charge.status, charge.amount_captured, charge.balance_transaction) == ("failed", 0, None)
    assert events(client) == ["charge.failed"]


def test_a_card_that_must_ask_its_holder_is_declined(client: stripe.StripeClient) -> None:
    """Nobody can be sent to a bank's page from here."""
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_authenticationRequired"})

    assert refusal.value.code == "authentication_required"


def test_a_customer_without_a_card_cannot_be_charged(client: stripe.StripeClient) -> None:
    """In Stripe's words."""
    customer = client.v1.customers.create()

    with pytest.raises(stripe.CardError, match="Cannot charge a customer that has no active card") as refusal:
        client.v1.charges.create({"amount": 999, "currency": "usd", "customer": customer.id})

    assert refusal.value.code == "missing"


def test_money_can_be_held_and_taken_later(client: stripe.StripeClient) -> None:
    """Once."""
    held = client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_visa", "capture": False})
    assert (held.captured, held.balance_transaction) == (False, None)

    taken = client.v1.charges.capture(held.id, {"amount": 500})

    assert (taken.captured, taken.amount_captured) == (True, 500)
    assert events(client) == ["charge.succeeded", "charge.captured"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.charges.capture(held.id)
    assert refusal.value.code == "charge_already_captured"


def test_a_hold_ends_after_seven_days(client: stripe.StripeClient, controls: Controls) -> None:
    """Then it can no longer be taken."""
    held = client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_visa", "capture": False})

    controls.push(7 * 24 * 3600)

    assert events(client)[-2:] == ["charge.refunded", "charge.expired"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.charges.capture(held.id)
    assert refusal.value.code == "charge_expired_for_capture"


def test_a_direct_charge_can_be_disputed_and_refunded(client: stripe.StripeClient, controls: Controls) -> None:
    """What follows depends on the card, as with payment intents."""
    disputed = client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_createDispute"})
    slow = client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_pendingRefund"})
    controls.settle()

    refund = client.v1.refunds.create({"charge": slow.id})

    assert refund.status == "pending"
    assert [dispute.charge for dispute in client.v1.disputes.list().data] == [disputed.id]


def test_a_charge_can_be_updated_and_found(client: stripe.StripeClient) -> None:
    """Its notes, not its money."""
    charge = client.v1.charges.create({"amount": 999, "currency": "usd", "source": "tok_visa"})

    client.v1.charges.update(charge.id, {"description": "A book", "metadata": {"order": "7"}})

    assert client.v1.events.list().data[0].type == "charge.updated"
    found = client.v1.charges.search({"query": "metadata['order']:'7'"})
    assert [hit.id for hit in found.data] == [charge.id]
