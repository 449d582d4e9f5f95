"""Subscriptions over time: renewals, trials that end, payments that fail, and what is planned."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, intent_of, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed


def test_a_renewal_is_drafted_at_the_end_of_the_period(client: stripe.StripeClient, controls: Controls) -> None:
    """The subscription is in its next period at once; the invoice rests for an hour, and bills what is ahead."""
    made = subscribed(client)
    start, end = period(made)

    controls.push(end - start)

    renewed = client.v1.subscriptions.retrieve(made.id)
    draft = latest(client, made)
    assert (renewed.status, period(renewed)[0]) == ("active", end)
    assert (draft.status, draft.billing_reason, draft.auto_advance) == ("draft", "subscription_cycle", True)
    assert (draft.period_start, draft.period_end) == (start, end)
    assert (draft.lines.data[0].period.start, draft.lines.data[0].period.end) == period(renewed)
    assert draft.automatically_finalizes_at == draft.created + HOUR + 1
    assert set(before(client, "customer.subscription.updated")) == {"items", "latest_invoice"}


def test_a_renewal_is_paid_an_hour_later(client: stripe.StripeClient, controls: Controls) -> None:
    """Off-session, with what the customer left; and so it goes on."""
    made = subscribed(client)
    start, end = period(made)
    controls.push(end - start)

    controls.push(HOUR + 1)

    assert latest(client, made).status == "paid"
    assert intent_of(client, latest(client, made)).status == "succeeded"
    controls.push(31 * DAY + HOUR + 1)
    assert invoices(client, made)[1:] == [("subscription_cycle", "paid", 2500)] * 2


def test_a_year_of_months_is_respected(client: stripe.StripeClient, controls: Controls) -> None:
    """Every period ends on the day it began on, or on the month's last; what is paid for leaves no gap."""
    made = subscribed(client)

    controls.push(366 * DAY)

    found = client.v1.invoices.list({"subscription": made.id, "limit": 100}).data[::-1]
    periods = [(one.lines.data[0].period.start, one.lines.data[0].period.end) for one in found]
    assert len(periods) == 13
    assert all(one[1] == following[0] for one, following in pairwise(periods))
    anchor = datetime.fromtimestamp(made.billing_cycle_anchor, UTC)
    for start, _ in periods:
        begun = datetime.fromtimestamp(start, UTC)
        assert (begun.hour, begun.minute, begun.second) == (anchor.hour, anchor.minute, anchor.second)
        assert begun.day == anchor.day or begun.day == _last_day(begun)


def test_an_upcoming_renewal_is_announced(client: stripe.StripeClient, controls: Controls) -> None:
    """With the invoice as it will be, which nobody can look up yet."""
    made = subscribed(client)
    start, end = period(made)

    controls.push(end - start - 6 * DAY)

    (told,) = client.v1.events.list({"type": "invoice.upcoming"}).data
    shown: Any = told.data.object
    assert shown["amount_due"] == 2500
    assert shown["parent"]["subscription_details"]["subscription"] == made.id
    assert len(client.v1.invoices.list({"customer": str(made.customer)}).data) == 1


def test_only_a_renewal_that_comes_is_announced(client: stripe.StripeClient, controls: Controls) -> None:
    """Not to who leaves with their period, nor to who is sent invoices; to who leaves later, of course."""
    pro = price(client)
    leaving, later, sent = (
        subscribed(client, customer(client), pro, **more)
        for more in (
            {"cancel_at_period_end": True},
            {"cancel_at": controls.get("/clock")["now"] + 100 * DAY},
            {"collection_method": "send_invoice", "days_until_due": 5},
        )
    )
    start, end = period(leaving)

    controls.push(end - start - 6 * DAY)

    told: Any = [one.data.object for one in client.v1.events.list({"type": "invoice.upcoming"}).data]
    owners = [one["parent"]["subscription_details"]["subscription"] for one in told]
    assert owners == [later.id]
    assert sent.id not in owners


def test_a_trial_that_ends_is_billed(client: stripe.StripeClient, controls: Controls) -> None:
    """Announced three days before; then the first period begins, and is paid."""
    made = subscribed(client, trial_period_days=14)
    controls.push(11 * DAY)
    assert events(client)[-1] == "customer.subscription.trial_will_end"

    controls.push(3 * DAY + HOUR + 1)

    now = client.v1.subscriptions.retrieve(made.id)
    assert now.status == "active"
    assert period(now)[0] == made.trial_end
    assert invoices(client, made) == [("subscription_create", "paid", 0), ("subscription_cycle", "paid", 2500)]


def test_a_trial_that_ends_without_a_card(client: stripe.StripeClient, controls: Controls) -> None:
    """Is invoiced all the same, or the end, or a pause: as the seller wanted."""
    pro = price(client)
    made = {
        behavior: subscribed(
            client,
            customer(client, None),
            pro,
            trial_period_days=1,
            trial_settings={"end_behavior": {"missing_payment_method": behavior}},
        )
        for behavior in ("create_invoice", "cancel", "pause")
    }

    controls.push(DAY + HOUR + 1)

    status = {behavior: client.v1.subscriptions.retrieve(one.id).status for behavior, one in made.items()}
    assert status == {"create_invoice": "past_due", "cancel": "canceled", "pause": "paused"}
    assert len(invoices(client, made["pause"])) == 1
    assert "customer.subscription.paused" in events(client)


def test_a_short_trial_is_announced_at_once(client: stripe.StripeClient, controls: Controls) -> None:
    """Three days before would have been in the past."""
    subscribed(client, trial_period_days=2)

    controls.settle()

    assert events(client).count("customer.subscription.trial_will_end") == 1


def test_a_renewal_that_fails_is_past_due(client: stripe.StripeClient, controls: Controls) -> None:
    """The news come in Stripe's order; a retry that works makes it active again."""
    made = subscribed(client)
    ada = str(made.customer)
    replace_card(client, ada, "pm_card_chargeCustomerFail")

    controls.push(31 * DAY + HOUR + 1)

    failed = latest(client, made)
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    assert (failed.status, failed.attempt_count, failed.attempted) == ("open", 1, True)
    assert failed.next_payment_attempt is not None
    assert events(client, "invoice.finalized") == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "invoice.updated",
        "customer.updated",
        "customer.subscription.updated",
    ]
    replace_card(client, ada, "pm_card_visa")
    controls.push(3 * DAY)
    assert (client.v1.subscriptions.retrieve(made.id).status, latest(client, made).status) == ("active", "paid")


def test_a_bank_that_asks_off_session_leaves_it_past_due(client: stripe.StripeClient, controls: Controls) -> None:
    """The invoice waits for its customer, who is told where to confirm."""
    made = subscribed(client)
    replace_card(client, str(made.customer), "pm_card_authenticationRequired")

    controls.push(31 * DAY + HOUR + 1)

    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    assert intent_of(client, latest(client, made)).status == "requires_action"
    assert "invoice.payment_action_required" in events(client)


def test_paying_the_latest_invoice_makes_it_active_again(client: stripe.StripeClient, controls: Controls) -> None:
    """By hand, or by giving up on it: paid, void and uncollectible are all the end of the matter."""
    endings: dict[str, Any] = {
        "pay": lambda one: client.v1.invoices.pay(one, {"payment_method": _good_card(client, one)}),
        "void": client.v1.invoices.void_invoice,
        "uncollectible": client.v1.invoices.mark_uncollectible,
    }
    pro = price(client)
    made = {how: subscribed(client, customer(client), pro) for how in endings}
    for one in made.values():
        replace_card(client, str(one.customer), "pm_card_chargeCustomerFail")
    controls.push(31 * DAY + HOUR + 1)

    for how, end in endings.items():
        assert client.v1.subscriptions.retrieve(made[how].id).status == "past_due"
        end(latest(client, made[how]).id)

        assert client.v1.subscriptions.retrieve(made[how].id).status == "active", how


def test_dunning_ends_as_the_business_chose(client: stripe.StripeClient, controls: Controls) -> None:
    """Canceled (the default), unpaid, or left past due; unpaid ones are billed in drafts that nobody collects."""
    for ending, status in (("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")):
        controls.post("/settings/billing", retry_schedule="custom", retry_days=[1], subscription_at_end=ending)
        made = subscribed(client, customer(client), price(client))
        replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")

        controls.push(33 * DAY)

        now = client.v1.subscriptions.retrieve(made.id)
        assert now.status == status
        assert now.cancellation_details is not None
        assert now.cancellation_details.reason == ("payment_failed" if ending == "cancel" else None)
        controls.push(31 * DAY)
        assert (
            invoices(client, made)[2:]
            == {
                "cancel": [],
                "unpaid": [("subscription_cycle", "draft", 2500)],
                "past_due": [("subscription_cycle", "open", 2500)],
            }[ending]
        )


def test_a_sent_invoice_that_is_overdue_makes_it_past_due(client: stripe.StripeClient, controls: Controls) -> None:
    """And paying it makes it active again."""
    made = subscribed(client, customer(client), collection_method="send_invoice", days_until_due=5)

    controls.push(5 * DAY + 1)

    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    client.v1.invoices.pay(latest(client, made).id, {"paid_out_of_band": True})
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_collection_can_be_paused(client: stripe.StripeClient, controls: Controls) -> None:
    """The subscription goes on; its invoices are left as drafts, written off or void, until it is resumed."""
    endings = {"keep_as_draft": "draft", "mark_uncollectible": "uncollectible", "void": "void"}
    pro = price(client)
    made = {behavior: subscribed(client, customer(client), pro) for behavior in endings}
    for behavior, one in made.items():
        pausing: Any = {"behavior": behavior, "resumes_at": one.created + 45 * DAY}
        client.v1.subscriptions.update(one.id, {"pause_collection": pausing})

    controls.push(31 * DAY + HOUR + 1)

    for behavior, status in endings.items():
        assert client.v1.subscriptions.retrieve(made[behavior].id).status == "active"
        assert latest(client, made[behavior]).status == status
    controls.push(31 * DAY)
    for one in made.values():
        assert client.v1.subscriptions.retrieve(one.id).pause_collection is None
        assert latest(client, one).status == "paid"


def test_items_of_two_rhythms_renew_each_in_its_own(client: stripe.StripeClient, controls: Controls) -> None:
    """One subscription, billed by the month and by the year."""
    monthly, yearly = price(client, 500), price(client, 9000, "year")
    made = subscribed(client, None, monthly, yearly)

    controls.push(32 * DAY)

    assert invoices(client, made) == [("subscription_create", "paid", 9500), ("subscription_cycle", "paid", 500)]
    now = client.v1.subscriptions.retrieve(made.id)
    assert period(now, 1) == period(made, 1)
    assert lines(latest(client, made)) == [("1 × Pro (at $5.00 / month)", 500)]
    assert item(now, 0).id == item(made, 0).id


def test_what_waits_for_a_subscription_comes_with_its_next_invoice(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """An item can be one subscription's alone; and be billed before its time."""
    ada = customer(client)
    made, other = subscribed(client, ada), subscribed(client, ada)
    for amount, owner in ((300, made), (400, made), (500, other)):
        client.v1.invoice_items.create(
            {"customer": ada.id, "amount": amount, "currency": "usd", "description": "Help", "subscription": owner.id}
        )

    early = client.v1.invoices.create({"customer": ada.id, "subscription": made.id})

    assert (early.total, early.billing_reason) == (700, "manual")
    with refused("Nothing to invoice for subscription"):
        client.v1.invoices.create({"customer": ada.id, "subscription": made.id})
    controls.push(31 * DAY)
    assert [amount for _, amount in lines(latest(client, made))] == [2500]
    assert [amount for _, amount in lines(latest(client, other))] == [500, 2500]


def replace_card(client: stripe.StripeClient, owner: str, card: str) -> None:
    """A customer's default is another card from now on."""
    method = client.v1.payment_methods.attach(card, {"customer": owner})
    client.v1.customers.update(owner, {"invoice_settings": {"default_payment_method": method.id}})


def _good_card(client: stripe.StripeClient, invoice: str) -> str:
    owner = str(client.v1.invoices.retrieve(invoice).customer)
    return client.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id


def _last_day(moment: datetime) -> int:
    return monthrange(moment.year, moment.month)[1]
