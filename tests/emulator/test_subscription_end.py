"""The end of a subscription: now, with its period, at a time; and what becomes of what is still open."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, invoices, latest, lines, period, price, subscribed


def test_it_can_end_now(client: stripe.StripeClient) -> None:
    """With what its customer said about it; nothing is given back unless that is asked for."""
    made = subscribed(client)

    ended = client.v1.subscriptions.cancel(
        made.id, {"cancellation_details": {"comment": "Moving on", "feedback": "unused"}}
    )

    details: Any = ended.cancellation_details
    assert ended.status == "canceled"
    assert ended.canceled_at == ended.ended_at is not None
    assert (details.reason, details.comment, details.feedback) == ("cancellation_requested", "Moving on", "unused")
    assert events(client)[-1] == "customer.subscription.deleted"
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert client.v1.invoice_items.list({"pending": True}).data == []
    with refused("No such subscription"):
        client.v1.subscriptions.cancel(made.id)


def test_it_can_end_with_its_period_and_be_kept_after_all(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing changes until then; whoever changes their mind leaves no trace."""
    made = subscribed(client)
    start, end = period(made)

    ending = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})

    assert (ending.status, ending.cancel_at, ending.cancel_at_period_end) == ("active", end, True)
    assert before(client, "customer.subscription.updated") == {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"reason": None},
    }
    kept = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at, kept.cancel_at_period_end) == (None, None, False)
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    controls.push(end - start)
    gone = client.v1.subscriptions.retrieve(made.id)
    assert (gone.status, gone.ended_at) == ("canceled", end)
    assert gone.canceled_at is not None
    assert gone.canceled_at < end
    assert len(invoices(client, made)) == 1


def test_it_can_end_at_a_time(client: stripe.StripeClient, controls: Controls) -> None:
    """In a later period only the share until then is billed."""
    made = subscribed(client)
    start, end = period(made)
    moment = end + 10 * DAY

    ending = client.v1.subscriptions.update(made.id, {"cancel_at": moment})

    assert (ending.cancel_at, ending.cancel_at_period_end) == (moment, False)
    controls.push(end - start + HOUR + 1)
    bill = latest(client, made)
    assert bill.status == "paid"
    assert bill.total in (2500 * 10 // 31, 2500 * 10 // 30, 2500 * 10 // 28)
    controls.push(10 * DAY)
    assert client.v1.subscriptions.retrieve(made.id).ended_at == moment


def test_a_trial_that_is_canceled_ends_with_it(client: stripe.StripeClient, controls: Controls) -> None:
    """Nobody is charged."""
    made = subscribed(client, trial_period_days=7)

    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    controls.push(7 * DAY + HOUR + 1)

    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert invoices(client, made) == [("subscription_create", "paid", 0)]


def test_what_is_left_can_be_given_back(client: stripe.StripeClient, controls: Controls) -> None:
    """As a credit for the customer's next invoice: nothing goes back to the card."""
    ada = customer(client)
    made = subscribed(client, ada, price(client, 3000))
    start, end = period(made)
    controls.push((end - start) // 2)

    client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})

    final = latest(client, made)
    assert [text.partition(" after")[0] for text, _ in lines(final) if text] == ["Unused time on Pro"]
    assert (final.total, final.amount_due, final.status) == (-1500, 0, "paid")
    assert client.v1.customers.retrieve(ada.id).balance == -1500


def test_nothing_is_collected_any_more(client: stripe.StripeClient, controls: Controls) -> None:
    """What is open stays open, and can be paid; nobody tries by themselves."""
    ada = customer(client)
    made = subscribed(client, ada)
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": method.id}})
    controls.push(31 * DAY + HOUR + 1)

    client.v1.subscriptions.cancel(made.id)

    left = latest(client, made)
    assert (left.status, left.auto_advance, left.next_payment_attempt) == ("open", False, None)
    controls.push(60 * DAY)
    assert latest(client, made).attempt_count == 1
    assert client.v1.invoices.pay(left.id, {"paid_out_of_band": True}).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_what_has_ended_cannot_be_changed(client: stripe.StripeClient) -> None:
    """But for its metadata, and what the customer said."""
    made = subscribed(client)
    client.v1.subscriptions.cancel(made.id)

    with refused("A canceled subscription can only update its cancellation_details and metadata.") as refusal:
        client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})

    assert refusal.value.code == "invalid_canceled_subscription_fields"
    noted = client.v1.subscriptions.update(
        made.id, {"metadata": {"why": "price"}, "cancellation_details": {"feedback": "too_expensive"}}
    )
    assert noted.metadata is not None
    assert noted.metadata["why"] == "price"


def test_a_deleted_customers_subscriptions_end(client: stripe.StripeClient) -> None:
    """At once, and told."""
    ada = customer(client)
    made = subscribed(client, ada)

    client.v1.customers.delete(ada.id)

    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert "customer.subscription.deleted" in events(client)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cancel_at": 1_000_000_000}, "cancel_at"),
        ({"cancel_at": 4_000_000_000, "cancel_at_period_end": True}, "You may only specify one of these parameters"),
    ],
)
def test_an_end_that_cannot_be_is_refused(client: stripe.StripeClient, given: dict[str, Any], message: str) -> None:
    """In the past, or two ends at once."""
    made = subscribed(client)
    told: Any = given

    with refused(message):
        client.v1.subscriptions.update(made.id, told)
