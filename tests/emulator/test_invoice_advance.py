"""A draft that is finalised by itself: when, after whom, and what if it cannot be."""

from __future__ import annotations

import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted
from tests.emulator.paying import events
from tests.emulator.receiver import Answer, Receiver

HOUR = 3600


def test_a_draft_that_cannot_be_finalized_says_why(client: stripe.StripeClient, controls: Controls) -> None:
    """It stays a draft, and is not tried again by itself; once it is put right, it can be finalised by hand."""
    ada = customer(client)
    draft = drafted(client, ada, 99_999_999, 1, auto_advance=True)

    controls.push(HOUR + 10)
    stuck = client.v1.invoices.retrieve(draft.id)
    client.v1.invoice_items.create({"customer": ada.id, "invoice": draft.id, "amount": -1, "currency": "usd"})
    final = client.v1.invoices.finalize_invoice(draft.id)

    assert (stuck.status, stuck.automatically_finalizes_at, stuck.next_payment_attempt) == ("draft", None, None)
    assert stuck.last_finalization_error is not None
    assert stuck.last_finalization_error.code == "amount_too_large"
    assert "invoice.finalization_failed" in events(client)
    assert (final.status, final.amount_due) == ("open", 99_999_999)


def test_a_draft_for_somebody_who_pays_by_hand_is_sent_by_itself(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """After the same hour; nobody is charged."""
    sent = {"collection_method": "send_invoice", "days_until_due": 7}
    draft = drafted(client, customer(client), 1500, auto_advance=True, **sent)

    controls.push(HOUR + 10)

    final = client.v1.invoices.retrieve(draft.id)
    assert (draft.automatically_finalizes_at, draft.next_payment_attempt) == (draft.created + HOUR + 1, None)
    assert (final.status, final.attempted, final.attempt_count) == ("open", False, 0)
    assert events(client, "payment_intent.created") == ["invoice.finalized", "invoice.sent"]


def test_a_live_draft_waits_until_it_was_heard_of(local_stripe: LocalStripe, receiver: Receiver) -> None:
    """An app that is down can add to it later: it is finalised after `invoice.created` was answered."""
    live = local_stripe.client("sk_live_local_waiting_drafts")
    controls = Controls(local_stripe.url, "sk_live_local_waiting_drafts")
    controls.post("/reset")
    live.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
    receiver.answer = lambda received: Answer(status=500)
    draft = drafted(live, customer(live, None), 1500, auto_advance=True)

    controls.push(5 * HOUR)
    waiting = live.v1.invoices.retrieve(draft.id)
    receiver.answer = lambda received: Answer()
    controls.push(20 * HOUR)

    final = live.v1.invoices.retrieve(draft.id)
    controls.close()
    assert (waiting.status, waiting.automatically_finalizes_at is not None) == ("draft", True)
    assert (final.status, final.attempted) == ("open", True)


def test_a_live_draft_does_not_wait_for_ever(local_stripe: LocalStripe, receiver: Receiver) -> None:
    """After three days it is finalised all the same; a test draft does not wait at all."""
    finalized = {}
    for key in ("sk_live_local_unheard_drafts", "sk_test_unheard_drafts"):
        client, controls = local_stripe.client(key), Controls(local_stripe.url, key)
        controls.post("/reset")
        client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
        receiver.answer = lambda received: Answer(status=500)
        draft = drafted(client, customer(client, None), 1500, auto_advance=True)
        controls.push(74 * HOUR)
        transitions = client.v1.invoices.retrieve(draft.id).status_transitions
        controls.close()
        assert transitions.finalized_at is not None
        finalized[key] = (transitions.finalized_at - draft.created) // HOUR

    assert finalized == {"sk_live_local_unheard_drafts": 72, "sk_test_unheard_drafts": 1}
