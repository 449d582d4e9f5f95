"""Refunds: money given back."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.paying import events, pay


def test_a_payment_is_given_back_in_parts(client: stripe.StripeClient) -> None:
    """The charge counts along, and is refunded when nothing is left; the intent stays what it was."""
    intent = pay(client, "pm_card_visa")
    charge_id = str(intent.latest_charge)

    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000, "reason": "requested_by_customer"})
    between = client.v1.charges.retrieve(charge_id)
    second = client.v1.refunds.create({"charge": charge_id, "metadata": {"why": "broken"}})

    after = client.v1.charges.retrieve(charge_id, {"expand": ["refunds"]})
    assert (first.amount, first.status, first.payment_intent, first.charge) == (1000, "succeeded", intent.id, charge_id)
    assert (between.amount_refunded, between.refunded) == (1000, False)
    assert (second.amount, after.amount_refunded, after.refunded) == (1500, 2500, True)
    assert after.refunds is not None
    assert [refund.id for refund in after.refunds.data] == [second.id, first.id]
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert events(client, "payment_intent.succeeded") == [
        "refund.created",
        "charge.refunded",
        "refund.created",
        "charge.refunded",
    ]
    told = client.v1.events.list({"type": "charge.refunded"}).data
    assert told[1].data.to_dict()["previous_attributes"] == {"amount_refunded": 0}
    assert told[0].data.to_dict()["previous_attributes"] == {"amount_refunded": 1000, "refunded": False}


def test_a_refund_leaves_the_balance(client: stripe.StripeClient) -> None:
    """The fee of the payment is not given back."""
    intent = pay(client, "pm_card_visa")

    refund = client.v1.refunds.create({"payment_intent": intent.id, "expand": ["balance_transaction"]})

    booked: Any = refund.balance_transaction
    assert (booked.amount, booked.net, booked.type, booked.source) == (-2500, -2500, "refund", refund.id)
    assert client.v1.balance.retrieve().pending[0].amount == -103


def test_no_more_is_given_back_than_was_paid(client: stripe.StripeClient) -> None:
    """The refusals name what is left."""
    intent = pay(client, "pm_card_visa", amount=4000)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})

    with pytest.raises(stripe.InvalidRequestError) as too_much:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 4000})
    client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError, match="has already been refunded") as again:
        client.v1.refunds.create({"payment_intent": intent.id})

    assert too_much.value.user_message == (
        "Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)"
    )
    assert (too_much.value.param, again.value.code) == ("amount", "charge_already_refunded")


def test_a_refund_names_what_it_gives_back(client: stripe.StripeClient) -> None:
    """An intent or a charge, which has been paid."""
    waiting = pay(client, "pm_card_authenticationRequired")

    with pytest.raises(stripe.InvalidRequestError, match="One of the following params should be provided"):
        client.v1.refunds.create({"amount": 100})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": waiting.id})
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_x'") as refusal:
        client.v1.refunds.create({"charge": "ch_x"})

    assert (refusal.value.http_status, refusal.value.param) == (400, "charge")


def test_what_is_only_held_is_not_refunded(client: stripe.StripeClient) -> None:
    """It is released by cancelling."""
    held = pay(client, "pm_card_visa", capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError, match="has not been captured"):
        client.v1.refunds.create({"payment_intent": held.id})


def test_a_refund_gets_the_banks_reference_later(client: stripe.StripeClient, controls: Controls) -> None:
    """What the payer's bank can find the money by; told as an update of a refund that had succeeded already."""
    refund = client.v1.refunds.create({"payment_intent": pay(client, "pm_card_visa").id})
    assert refund.destination_details is not None
    assert refund.destination_details.card is not None
    assert refund.destination_details.card.reference_status == "pending"

    controls.push(10)

    known: Any = client.v1.refunds.retrieve(refund.id).destination_details
    assert (known.card.reference_status, known.card.reference.isdecimal()) == ("available", True)
    assert events(client, "charge.refunded") == ["refund.updated", "charge.refund.updated"]
    told = client.v1.events.list({"type": "refund.updated"}).data[0].data.to_dict()
    assert told["previous_attributes"] == {
        "destination_details": {"card": {"reference": None, "reference_status": "pending"}}
    }


def test_a_refund_can_take_its_time(client: stripe.StripeClient, controls: Controls) -> None:
    """Pending at first, then told as updated."""
    intent = pay(client, "pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "pending"

    controls.push(10)

    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert events(client, "charge.refunded") == ["refund.updated", "charge.refund.updated"]
    told = client.v1.events.list({"type": "refund.updated"}).data[0]
    assert told.data.to_dict()["previous_attributes"] == {"status": "pending"}


def test_a_refund_can_come_back(client: stripe.StripeClient, controls: Controls) -> None:
    """It looked done; then the payer's bank returns the money, and the charge is as before."""
    intent = pay(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"

    controls.push(10)

    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    returned: Any = failed.failure_balance_transaction
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (failed.status, failed.failure_reason, returned.amount) == ("failed", "expired_or_canceled_card", 2500)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert events(client)[-1] == "refund.failed"


def test_a_disputed_charge_is_not_refunded(client: stripe.StripeClient) -> None:
    """The bank has taken the money already; an inquiry has not."""
    disputed = pay(client, "pm_card_createDispute")
    asked = pay(client, "pm_card_createDisputeInquiry")

    with pytest.raises(stripe.InvalidRequestError, match="has been charged back") as refusal:
        client.v1.refunds.create({"payment_intent": disputed.id})

    assert refusal.value.code == "charge_disputed"
    assert client.v1.refunds.create({"payment_intent": asked.id}).status == "succeeded"


def test_refunds_are_listed_updated_and_never_cancelled(client: stripe.StripeClient) -> None:
    """Metadata is all that can change."""
    intent = pay(client, "pm_card_visa")
    refund = client.v1.refunds.create({"payment_intent": intent.id})

    updated = client.v1.refunds.update(refund.id, {"metadata": {"ticket": "12"}})

    assert updated.metadata is not None
    assert updated.metadata.to_dict() == {"ticket": "12"}
    assert [found.id for found in client.v1.refunds.list({"payment_intent": intent.id}).data] == [refund.id]
    with pytest.raises(stripe.InvalidRequestError, match="Canceling this refund is unsupported"):
        client.v1.refunds.cancel(refund.id)
