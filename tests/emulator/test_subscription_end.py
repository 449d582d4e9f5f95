"""The end of a subscription: now, with its period, at a time; and what becomes of what is still open."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, refused
from tests.emulator.months import APRIL, MAY, Month
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


def test_an_end_within_the_period_gives_back_its_rest(client: stripe.StripeClient) -> None:
    """The period ends with it; what is given back comes with the last invoice, as the customer's credit."""
    april = Month(client)
    april.goes(10)

    ending = april.updates(cancel_at=APRIL + 20 * DAY)

    assert april.waits() == [("Unused time on Pro", -1000)]
    assert (ending.cancel_at, period(ending)) == (APRIL + 20 * DAY, (APRIL, APRIL + 20 * DAY))
    april.updates(metadata={"left": "yes"}, description="Leaving")
    assert len(april.waits()) == 1
    april.goes(20.1)
    assert (april.now().status, april.now().ended_at) == ("canceled", APRIL + 20 * DAY)
    assert invoices(client, april.made)[1:] == [("subscription_cycle", "paid", -1000)]
    assert april.balance() == -1000


def test_an_end_within_the_period_can_keep_its_price(client: stripe.StripeClient) -> None:
    """Nobody who does not prorate gives anything back."""
    april = Month(client)

    ending = april.updates(cancel_at=APRIL + 20 * DAY, proration_behavior="none")

    assert (april.waits(), period(ending)) == ([], (APRIL, MAY))
    april.updates(metadata={"left": "yes"})
    assert april.waits() == []
    april.goes(20.1)
    assert april.now().ended_at == APRIL + 20 * DAY
    assert len(invoices(client, april.made)) == 1


def test_an_end_can_move_and_be_taken_back(client: stripe.StripeClient) -> None:
    """Each day more is billed again, and the period is whole again with the last."""
    april = Month(client)
    april.updates(cancel_at=APRIL + 10 * DAY)

    later = april.updates(cancel_at=APRIL + 15 * DAY)
    never = april.updates(cancel_at="")

    assert [amount for _, amount in april.waits()] == [-2000, 500, 1500]
    assert (period(later)[1], period(never)) == (APRIL + 15 * DAY, (APRIL, MAY))
    april.goes(31)
    assert invoices(client, april.made)[1:] == [("subscription_cycle", "paid", 3000)]


def test_a_change_counts_until_the_end_that_is_planned(client: stripe.StripeClient) -> None:
    """Of what comes new, too."""
    april = Month(client)
    april.updates(cancel_at=APRIL + 20 * DAY)
    april.goes(10)

    april.sells(price=price(client, 6000).id)
    april.updates(items=[{"price": price(client, 900).id}])

    assert [amount for _, amount in april.waits()] == [-1000, -1000, 2000, 300]
    assert period(april.now(), 1)[1] == APRIL + 20 * DAY


@pytest.mark.parametrize(
    ("mode", "behavior", "total"),
    [("flexible", "create_prorations", 1000), ("flexible", "none", 3000), ("classic", "none", 1000)],
)
def test_who_ends_in_their_first_period_pays_until_then(
    client: stripe.StripeClient, mode: str, behavior: str, total: int
) -> None:
    """Unless nobody prorates, which classic billing does all the same."""
    april = Month(client, cancel_at=APRIL + 10 * DAY, proration_behavior=behavior, billing_mode={"type": mode})

    assert latest(client, april.made).total == total
    april.goes(10.1)
    assert (april.now().status, april.balance()) == ("canceled", 0)


def test_the_end_of_the_period_moves_with_the_period(client: stripe.StripeClient) -> None:
    """Whoever leaves with their period, and begins another one, leaves with that."""
    april = Month(client)
    april.updates(cancel_at_period_end=True)
    april.goes(10)

    moved = april.updates(billing_cycle_anchor={"type": "now"})

    assert (moved.cancel_at_period_end, moved.cancel_at) == (True, period(moved)[1])
    assert period(moved) == (APRIL + 10 * DAY, APRIL + 40 * DAY)


def test_ends_of_several_rhythms_have_names(client: stripe.StripeClient) -> None:
    """The first period to end, and the last; what is billed for longer is given back."""
    monthly, yearly = price(client, 3000), price(client, 36500, "year")
    april = Month(client, monthly, yearly)

    last = april.updates(cancel_at="max_period_end")
    billed = april.updates(cancel_at="max_billed_until")
    first = april.updates(cancel_at="min_period_end")

    assert (last.cancel_at, billed.cancel_at, first.cancel_at) == (APRIL + 365 * DAY, APRIL + 365 * DAY, MAY)
    assert [amount for _, amount in april.waits()] == [-100 * (365 - 30)]


def test_an_end_at_once_forgets_what_changes_came_to(client: stripe.StripeClient) -> None:
    """Unless it bills or gives back; what somebody put there by hand still waits."""
    april = Month(client)
    client.v1.invoice_items.create({"customer": april.owner.id, "amount": 700, "currency": "usd"})
    april.goes(15)
    april.sells(price=price(client, 6000).id)

    client.v1.subscriptions.cancel(april.made.id)

    assert [amount for _, amount in april.waits()] == [700]
    assert events(client).count("invoiceitem.deleted") == 2
    assert len(invoices(client, april.made)) == 1


def test_an_end_at_once_can_bill_what_changes_came_to(client: stripe.StripeClient) -> None:
    """With what is left given back, or without; where nothing waits, there is nothing to invoice."""
    both, one, none = Month(client), Month(client), Month(client)
    for april in (both, one):
        april.goes(15)
        april.sells(price=price(client, 6000).id)

    client.v1.subscriptions.cancel(both.made.id, {"invoice_now": True, "prorate": True})
    client.v1.subscriptions.cancel(one.made.id, {"invoice_now": True})
    client.v1.subscriptions.cancel(none.made.id, {"invoice_now": True})

    assert invoices(client, both.made)[1:] == [("subscription_update", "paid", -1500)]
    assert invoices(client, one.made)[1:] == [("subscription_update", "paid", 1500)]
    assert len(invoices(client, none.made)) == 1


def test_what_waits_comes_with_an_end_that_was_planned(client: stripe.StripeClient) -> None:
    """Not with an invoice for a period that never begins; and so the preview says."""
    april = Month(client)
    april.goes(15)
    april.sells(price=price(client, 6000).id)
    april.updates(cancel_at_period_end=True)

    seen = client.v1.invoices.create_preview({"subscription": april.made.id})
    april.goes(30.1)

    assert (seen.total, [amount for _, amount in lines(seen)]) == (1500, [-1500, 3000])
    assert invoices(client, april.made)[1:] == [("subscription_cycle", "paid", 1500)]


def test_a_period_that_was_cut_short_stays_so_for_nothing(client: stripe.StripeClient) -> None:
    """Whoever leaves soon, and changes without proration, leaves all the same."""
    april = Month(client)
    april.updates(cancel_at=APRIL + 20 * DAY)
    april.goes(10)

    now = april.sells(price=price(client, 6000).id, proration_behavior="none")

    assert period(now) == (APRIL, APRIL + 20 * DAY)
    assert [amount for _, amount in april.waits()] == [-1000]
