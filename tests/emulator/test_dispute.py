"""Disputes: a payer's bank takes its money back, and the evidence decides who keeps it."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.paying import events, pay

DAY = 24 * 3600


def disputed(client: stripe.StripeClient, card: str = "pm_card_createDispute") -> stripe.Dispute:
    """A dispute just opened."""
    intent = pay(client, card)
    return client.v1.disputes.list({"payment_intent": intent.id}).data[0]


def test_a_dispute_takes_the_money_and_a_fee(client: stripe.StripeClient) -> None:
    """Until it is decided; there is a week to answer."""
    dispute = disputed(client)

    assert (dispute.amount, dispute.status, dispute.is_charge_refundable) == (2500, "needs_response", False)
    (withdrawn,) = dispute.balance_transactions
    assert (withdrawn.amount, withdrawn.fee, withdrawn.net) == (-2500, 1500, -4000)
    assert dispute.evidence_details.due_by is not None
    assert 8 * DAY <= dispute.evidence_details.due_by - dispute.created < 9 * DAY
    assert dispute.payment_method_details is not None
    assert dispute.payment_method_details.card is not None
    assert dispute.payment_method_details.card.case_type == "chargeback"


@pytest.mark.parametrize(
    ("card", "evidence", "status", "told"),
    [
        (
            "pm_card_createDispute",
            "winning_evidence",
            "won",
            ["charge.dispute.funds_reinstated", "charge.dispute.closed"],
        ),
        ("pm_card_createDispute", "losing_evidence", "lost", ["charge.dispute.closed"]),
        ("pm_card_createDispute", "Here is the parcel's number.", "under_review", []),
        ("pm_card_createDisputeInquiry", "winning_evidence", "warning_closed", ["charge.dispute.closed"]),
        (
            "pm_card_createDisputeInquiry",
            "escalate_inquiry_evidence",
            "needs_response",
            ["charge.dispute.updated", "charge.dispute.funds_withdrawn"],
        ),
    ],
)
def test_the_evidence_decides(
    client: stripe.StripeClient, controls: Controls, card: str, evidence: str, status: str, told: list[str]
) -> None:
    """A few seconds after it was handed in, by Stripe's magic words."""
    dispute = disputed(client, card)

    submitted = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})
    before = len(events(client))
    controls.push(5)

    assert submitted.status in ("under_review", "warning_under_review")
    assert (submitted.evidence_details.has_evidence, submitted.evidence_details.submission_count) == (True, 1)
    assert client.v1.disputes.retrieve(dispute.id).status == status
    assert events(client)[before:] == told


def test_a_won_dispute_gives_the_money_back(client: stripe.StripeClient, controls: Controls) -> None:
    """But not the fee."""
    dispute = disputed(client)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})

    controls.push(5)

    won = client.v1.disputes.retrieve(dispute.id)
    assert [booked.net for booked in won.balance_transactions] == [-4000, 2500]


def test_evidence_can_be_gathered_before_it_is_handed_in(client: stripe.StripeClient) -> None:
    """With `submit` false nothing is sent yet."""
    dispute = disputed(client)

    staged = client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False})

    assert (staged.status, staged.evidence.customer_name) == ("needs_response", "Ada")
    assert staged.evidence_details.submission_count == 0


def test_a_dispute_can_be_given_up(client: stripe.StripeClient) -> None:
    """It is lost then, once."""
    dispute = disputed(client)

    closed = client.v1.disputes.close(dispute.id)

    assert closed.status == "lost"
    assert events(client)[-1] == "charge.dispute.closed"
    with pytest.raises(stripe.InvalidRequestError, match="This dispute is already closed"):
        client.v1.disputes.close(dispute.id)


def test_evidence_comes_too_late_for_what_was_given_up(client: stripe.StripeClient, controls: Controls) -> None:
    """A dispute closed while the bank reads stays lost."""
    dispute = disputed(client)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    client.v1.disputes.close(dispute.id)

    controls.push(5)

    assert client.v1.disputes.retrieve(dispute.id).status == "lost"


def test_no_answer_is_an_answer(client: stripe.StripeClient, controls: Controls) -> None:
    """After its day the dispute is lost."""
    dispute = disputed(client)

    controls.push(9 * DAY)

    lost = client.v1.disputes.retrieve(dispute.id)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)


def test_an_unknown_dispute_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's words."""
    with pytest.raises(stripe.InvalidRequestError, match="No such dispute: 'du_x'") as refusal:
        client.v1.disputes.retrieve("du_x")

    assert (refusal.value.http_status, refusal.value.param) == (404, "dispute")


def test_how_evidence_is_to_be_submitted_is_kept(client: stripe.StripeClient) -> None:
    """It has no effect here, and is shown."""
    dispute = disputed(client)

    changed = client.v1.disputes.update(dispute.id, {"intended_submission_method": "manual", "submit": False})

    assert changed.intended_submission_method == "manual"
    assert client.v1.disputes.retrieve(dispute.id).intended_submission_method == "manual"
