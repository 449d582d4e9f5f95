"""Pauses: a subscription that bills nothing for a while, and what it takes to go on."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.clocks import START, advance, clock_at
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, half_way, invoices, latest, lines, period, price, subscribed, waiting
from tests.emulator.test_subscription_renewal import replace_card

SUCCESS: Any = {"payment_behavior": "resume_on_payment_success"}
UNCHANGED: Any = {"billing_cycle_anchor": {"type": "unchanged"}}


def paused(client: stripe.StripeClient, controls: Controls, **more: Any) -> Any:
    """A subscription of $10.00 a month that was paused half-way, two months ago."""
    made = half_way(client, controls, price(client, 1000))
    given: Any = {"type": "subscription", **more}
    client.v1.subscriptions.pause(made.id, given)
    controls.push(60 * DAY)
    return made


def now(client: stripe.StripeClient, made: stripe.Subscription) -> stripe.Subscription:
    """The subscription as it is."""
    return client.v1.subscriptions.retrieve(made.id)


def test_a_pause_ends_the_period_and_gives_back_its_rest(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing is billed while it lasts; why and since when it is paused can be read."""
    made = half_way(client, controls, price(client, 1000))
    moment = controls.get("/clock")["now"]

    resting = client.v1.subscriptions.pause(made.id, {"type": "subscription"})

    details: Any = resting.status_details
    assert (resting.status, period(resting)) == ("paused", (period(made)[0], moment))
    assert (details.paused.subscription.type, details.paused.transitioned_at) == ("pause_requested", moment)
    assert waiting(client) == [("Unused time on Pro", -500)]
    assert events(client)[-1] == "customer.subscription.paused"
    controls.push(90 * DAY)
    assert (now(client, made).status, len(invoices(client, made))) == ("paused", 1)
    with refused("No upcoming invoices"):
        client.v1.invoices.create_preview({"subscription": made.id})


@pytest.mark.parametrize(
    ("unused", "credited"), [("now", [-500]), ("item_current_period_start", [-1000]), ("none", [])]
)
def test_what_a_pause_gives_back_can_be_chosen(
    client: stripe.StripeClient, controls: Controls, unused: Any, credited: list[int]
) -> None:
    """Of the rest of the period, of all of it, or nothing; on an invoice of its own if that is wanted."""
    made = half_way(client, controls, price(client, 1000))
    bill: Any = {"unused_time_from": {"type": unused}}

    client.v1.subscriptions.pause(made.id, {"type": "subscription", "bill_for": bill, "invoicing_behavior": "invoice"})

    assert [total for _, _, total in invoices(client, made)[1:]] == credited
    assert client.v1.customers.retrieve(str(made.customer)).balance == sum(credited)
    assert waiting(client) == []


def test_a_resumption_waits_until_it_is_paid(client: stripe.StripeClient, controls: Controls) -> None:
    """Nobody is charged for asking: the invoice is open, and paying it begins a period where it was asked for."""
    made = paused(client, controls)

    asked = client.v1.subscriptions.resume(made.id)

    bill = latest(client, made)
    assert asked.pending_update is not None
    assert (asked.status, bill.status, bill.next_payment_attempt) == ("paused", "open", None)
    assert asked.pending_update.expires_at == bill.created + 23 * HOUR
    assert lines(bill)[1:] == [("1 × Pro (at $10.00 / month)", 1000)]
    client.v1.invoices.pay(bill.id)
    back = now(client, made)
    assert (back.status, back.pending_update, "status_details" in back) == ("active", None, False)
    assert back.billing_cycle_anchor == period(back)[0] == bill.created
    assert events(client).count("customer.subscription.resumed") == 1


@pytest.mark.parametrize(
    ("end", "status", "invoice_status"),
    [
        ("uncollectible", "active", "uncollectible"),
        ("void", "paused", "void"),
        ("forget", "paused", "void"),
        ("declined", "past_due", "open"),
    ],
)
def test_a_resumption_that_is_not_paid(
    client: stripe.StripeClient, controls: Controls, end: str, status: str, invoice_status: str
) -> None:
    """Is forgiven, called off, forgotten for 23 hours, or tried: a declined try resumes it, and leaves it owing."""
    made = paused(client, controls)
    client.v1.subscriptions.resume(made.id)
    bill = latest(client, made).id

    if end == "uncollectible":
        client.v1.invoices.mark_uncollectible(bill)
    elif end == "void":
        client.v1.invoices.void_invoice(bill)
    elif end == "forget":
        controls.push(23 * HOUR)
    else:
        replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")
        with pytest.raises(stripe.CardError):
            client.v1.invoices.pay(bill)

    resting = now(client, made)
    assert (resting.status, latest(client, made).status) == (status, invoice_status)
    assert resting.pending_update is None
    assert (period(resting)[1] > period(made)[1]) is (status != "paused")


def test_who_was_late_to_pay_for_going_on_is_active_once_they_do(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """From then on the invoice is one like any other."""
    made = paused(client, controls)
    client.v1.subscriptions.resume(made.id)
    replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(latest(client, made).id)

    client.v1.invoices.pay(latest(client, made).id, {"paid_out_of_band": True})

    assert now(client, made).status == "active"
    assert events(client).count("customer.subscription.resumed") == 1


def test_a_resumption_can_be_charged_at_once(client: stripe.StripeClient, controls: Controls) -> None:
    """What the pause gave back is used up first."""
    made = paused(client, controls)

    back = client.v1.subscriptions.resume(made.id, SUCCESS)

    assert (back.status, latest(client, made).status) == ("active", "paid")
    assert lines(latest(client, made)) == [
        (lines(latest(client, made))[0][0], -500),
        ("1 × Pro (at $10.00 / month)", 1000),
    ]
    assert "customer.subscription.resumed" in events(client)
    controls.push(32 * DAY)
    assert invoices(client, made)[-1] == ("subscription_cycle", "paid", 1000)
    with refused("You can only resume a subscription if it is `paused`."):
        client.v1.subscriptions.resume(made.id)


def test_a_declined_resumption_is_tried_again(client: stripe.StripeClient, controls: Controls) -> None:
    """It stays paused meanwhile; the card that works ends the pause."""
    made = paused(client, controls)
    replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")

    resting = client.v1.subscriptions.resume(made.id, SUCCESS)
    replace_card(client, str(made.customer), "pm_card_visa")
    controls.push(3 * DAY)

    assert resting.status == "paused"
    assert now(client, made).status == "active"


def test_nothing_to_charge_resumes_nothing(client: stripe.StripeClient) -> None:
    """Where it is to be charged at once, somebody must have left a card: else a 400, and it rests."""
    made = subscribed(
        client,
        customer(client, None),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    client.v1.subscriptions.update(made.id, {"trial_end": "now"})

    with refused("This customer has no attached payment source or default payment method."):
        client.v1.subscriptions.resume(made.id, SUCCESS)

    assert now(client, made).status == "paused"
    assert len(invoices(client, made)) == 1


@pytest.mark.parametrize(
    ("behavior", "billed", "waits"),
    [("create_prorations", [], [516]), ("always_invoice", [516], []), ("none", [], [])],
)
def test_a_resumption_can_keep_the_rhythm(
    client: stripe.StripeClient, behavior: Any, billed: list[int], waits: list[int]
) -> None:
    """The period is the one it would be in; its rest is billed later, at once, or not at all."""
    clock = clock_at(client, START)
    made = subscribed(client, customer(client, test_clock=clock.id), price(client, 1000))
    bill: Any = {"unused_time_from": {"type": "none"}}
    client.v1.subscriptions.pause(made.id, {"type": "subscription", "bill_for": bill})
    advance(client, clock, START + 43 * DAY)  # 15 March, of a period from 28 February to 31 March

    how: Any = {**UNCHANGED, **SUCCESS, "proration_behavior": behavior}
    client.v1.subscriptions.resume(made.id, how)

    back = now(client, made)
    assert (back.status, back.billing_cycle_anchor) == ("active", made.billing_cycle_anchor)
    assert period(back) == (START + 28 * DAY, START + 59 * DAY)
    assert [total for _, _, total in invoices(client, made)[1:]] == billed
    assert [amount for _, amount in waiting(client)] == waits


def test_what_is_paid_for_is_not_billed_again(client: stripe.StripeClient, controls: Controls) -> None:
    """A short pause that gave nothing back, in the rhythm it had: nothing is due."""
    made = half_way(client, controls, price(client, 1000))
    bill: Any = {"unused_time_from": {"type": "none"}}
    client.v1.subscriptions.pause(made.id, {"type": "subscription", "bill_for": bill})
    controls.push(DAY)

    how: Any = {**UNCHANGED, "proration_behavior": "always_invoice"}
    back = client.v1.subscriptions.resume(made.id, how)

    assert (back.status, period(back), len(invoices(client, made))) == ("active", period(made), 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"billing_mode": {"type": "classic"}}, "flexible"),
        ({"trial_period_days": 7}, "trialing"),
        ({"collection_method": "send_invoice", "days_until_due": 5}, "charge_automatically"),
    ],
)
def test_what_cannot_be_paused(client: stripe.StripeClient, given: dict[str, Any], message: str) -> None:
    """Classic billing, trials, and what is paid by invoice."""
    made = subscribed(client, **given)

    with refused(message):
        client.v1.subscriptions.pause(made.id, {"type": "subscription"})


def test_a_pause_leaves_the_end_where_it_was(client: stripe.StripeClient, controls: Controls) -> None:
    """It comes also for who rests."""
    made = half_way(client, controls, price(client, 1000), cancel_at=START)
    client.v1.subscriptions.pause(made.id, {"type": "subscription"})

    controls.push(START - controls.get("/clock")["now"])

    assert now(client, made).ended_at == START


def test_what_is_changed_in_a_pause_costs_nothing_yet(client: stripe.StripeClient, controls: Controls) -> None:
    """It is sold from the end of the pause on. Its time is a matter of resuming."""
    made = paused(client, controls)
    change: Any = {"items": [{"id": made["items"].data[0].id, "price": price(client, 4000).id}]}

    client.v1.subscriptions.update(made.id, change)

    assert waiting(client) == [("Unused time on Pro", -500)]
    with refused("paused"):
        client.v1.subscriptions.update(made.id, {"billing_cycle_anchor": {"type": "now"}})
    with refused("paused"):
        client.v1.subscriptions.update(made.id, {"trial_end": START})
    client.v1.subscriptions.resume(made.id, SUCCESS)
    assert latest(client, made).total == 3500
