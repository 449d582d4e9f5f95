"""What subscribers use: counted through the period, billed when it is over."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed
from tests.emulator.test_meter import meter
from tests.emulator.test_meter_event import use


def metered(client: stripe.StripeClient, counted: stripe.billing.Meter, amount: int = 2, **more: Any) -> stripe.Price:
    """A price per token (2 cents), by the month."""
    recurring = {"usage_type": "metered", "meter": counted.id}
    return price(client, amount, recurring=recurring, product_data={"name": "Tokens"}, **more)


def tokens(client: stripe.StripeClient, **more: Any) -> stripe.Price:
    """A price per token, with a meter of its own."""
    return metered(client, meter(client), **more)


def waiting(client: stripe.StripeClient, subscription: stripe.Subscription) -> list[tuple[str | None, int]]:
    """What waits for the customer's next invoice."""
    found = client.v1.invoice_items.list({"customer": str(subscription.customer), "pending": True}).data
    return [(one.description, one.amount) for one in found]


def renewed(client: stripe.StripeClient, controls: Controls, subscription: stripe.Subscription) -> stripe.Invoice:
    """The draft at the end of the period a subscription is in."""
    now = client.v1.subscriptions.retrieve(subscription.id)
    controls.push(period(now)[1] - client.v1.products.create({"name": "Clock"}).created)
    return latest(client, subscription)


def test_usage_is_billed_when_its_period_is_over(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing in advance; then what the meter counted, for the period that has ended."""
    made = subscribed(client, None, tokens(client))
    first = latest(client, made)
    for value in (1000, 500):
        use(client, str(made.customer), value)

    draft = renewed(client, controls, made)

    assert (first.status, first.total, lines(first)) == ("paid", 0, [])
    assert "quantity" not in item(made)
    assert lines(draft) == [("1500 × Tokens (at $0.02 / month)", 3000)]
    (line,) = draft.lines.data
    assert (line.quantity, (line.period.start, line.period.end)) == (1500, period(made))
    controls.push(HOUR + 1)
    assert latest(client, made).status == "paid"
    following = renewed(client, controls, made)
    assert lines(following) == [("0 × Tokens (at $0.02 / month)", 0)]


def test_what_is_told_late_counts_until_the_invoice_is_final(client: stripe.StripeClient, controls: Controls) -> None:
    """The draft rests for an hour, in which usage of the period it bills may still arrive."""
    made = subscribed(client, None, tokens(client))
    ada, (start, end) = str(made.customer), period(made)
    use(client, ada, 100)
    draft = renewed(client, controls, made)
    (kept,) = draft.lines.data

    use(client, ada, 50, timestamp=end - 1)
    use(client, ada, 7, timestamp=end)
    controls.push(HOUR + 1)
    use(client, ada, 1000, timestamp=start)

    bill = latest(client, made)
    assert (draft.total, bill.status, bill.total, bill.lines.data[0].id) == (200, "paid", 300, kept.id)
    assert renewed(client, controls, made).total == 14


def test_usage_in_tiers_is_a_line_for_each(client: stripe.StripeClient, controls: Controls) -> None:
    """And one for each flat fee; what arrives late may reach a further band."""
    tiers = [{"up_to": 100, "unit_amount": 0, "flat_amount": 900}, {"up_to": "inf", "unit_amount": 3}]
    more: Any = {"unit_amount": None, "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    made = subscribed(client, None, tokens(client, **more))
    use(client, str(made.customer), 100)

    draft = renewed(client, controls, made)
    use(client, str(made.customer), 20, timestamp=period(made)[1] - 1)
    controls.push(HOUR + 1)

    fee = ("Tokens (Tier 1 at $9.00 / month)", 900)
    assert lines(draft) == [("100 × Tokens (Tier 1 at $0.00 / month)", 0), fee]
    assert lines(latest(client, made)) == [*lines(draft), ("20 × Tokens (Tier 2 at $0.03 / month)", 60)]
    assert latest(client, made).total == 960


def test_usage_is_billed_beside_what_is_paid_in_advance(client: stripe.StripeClient, controls: Controls) -> None:
    """On one invoice, each for its own period."""
    made = subscribed(client, None, price(client), tokens(client))
    use(client, str(made.customer), 10)

    draft = renewed(client, controls, made)

    ahead = period(client.v1.subscriptions.retrieve(made.id))
    assert [(line.amount, (line.period.start, line.period.end)) for line in draft.lines.data] == [
        (2500, ahead),
        (20, period(made)),
    ]
    assert invoices(client, made) == [("subscription_create", "paid", 2500), ("subscription_cycle", "draft", 2520)]


def test_corrections_below_nothing_cost_nothing(client: stripe.StripeClient, controls: Controls) -> None:
    """A bill never has less than no usage."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), -5)

    assert lines(renewed(client, controls, made)) == [("0 × Tokens (at $0.02 / month)", 0)]


def test_nobody_can_say_how_much_will_be_used(client: stripe.StripeClient) -> None:
    """Quantities are for what is sold by number."""
    ada, sold = customer(client), tokens(client)
    made = subscribed(client, ada, sold)

    with refused("quantity"):
        client.v1.subscriptions.create({"customer": ada.id, "items": [{"price": sold.id, "quantity": 5}]})
    with refused("quantity"):
        client.v1.subscription_items.update(item(made).id, {"quantity": 5})


@pytest.mark.parametrize(("invoice_now", "billed"), [(True, [("subscription_update", "paid", 200)]), (False, [])])
def test_a_subscription_ended_at_once_bills_usage_if_asked(
    client: stripe.StripeClient, invoice_now: bool, billed: list[Any]
) -> None:
    """With `invoice_now`; else it is forgotten."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), 100)

    client.v1.subscriptions.cancel(made.id, {"invoice_now": invoice_now})

    assert invoices(client, made)[1:] == billed


def test_a_subscription_that_ends_as_planned_bills_its_last_period(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """In a final invoice, which rests and is collected like any renewal."""
    made = subscribed(client, None, tokens(client))
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    use(client, str(made.customer), 100)
    foreseen = client.v1.invoices.create_preview({"subscription": made.id})

    draft = renewed(client, controls, made)

    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert (draft.status, draft.billing_reason, lines(draft)) == ("draft", "subscription_cycle", lines(foreseen))
    assert lines(draft) == [("100 × Tokens (at $0.02 / month)", 200)]
    controls.push(HOUR + 1)
    assert latest(client, made).status == "paid"
    controls.push(40 * DAY)
    assert len(invoices(client, made)) == 2


@pytest.mark.parametrize(
    ("mode", "behavior", "waits", "billed"),
    [
        ("flexible", "create_prorations", [("100 × Tokens", 200)], []),
        ("flexible", "always_invoice", [], [("subscription_update", "paid", 200)]),
        ("flexible", "none", [], []),
        ("classic", "create_prorations", [], []),
    ],
)
def test_an_item_that_is_removed_is_billed_for_what_was_used(
    client: stripe.StripeClient, mode: Any, behavior: Any, waits: list[Any], billed: list[Any]
) -> None:
    """With the next invoice or at once; not where nothing is to be prorated, and never in a classic subscription."""
    made = subscribed(client, None, price(client), tokens(client), billing_mode={"type": mode})
    use(client, str(made.customer), 100)

    client.v1.subscription_items.delete(item(made, 1).id, {"proration_behavior": behavior})

    assert waiting(client, made) == waits
    assert invoices(client, made)[1:] == billed


def test_a_new_price_counts_from_the_day_it_is_for(client: stripe.StripeClient, controls: Controls) -> None:
    """What was used before is billed at the old one; on the same meter, nothing is billed twice or not at all."""
    counted = meter(client)
    old, new = metered(client, counted), metered(client, counted, 5)
    made = subscribed(client, None, old)
    ada = str(made.customer)
    use(client, ada, 100)
    controls.push(10 * DAY)

    use(client, ada, 7)
    client.v1.subscriptions.update(made.id, {"items": [{"id": item(made).id, "price": new.id}]})
    use(client, ada, 30)

    (before,) = client.v1.invoice_items.list({"customer": ada, "pending": True}).data
    after = renewed(client, controls, made).lines.data[1]
    assert before.quantity in (100, 107)  # the 7 may be of the very second in which the price changed
    assert before.quantity + (after.quantity or 0) == 137
    assert (before.amount, after.amount) == (2 * before.quantity, 5 * (after.quantity or 0))


def test_what_was_paid_in_advance_is_given_back_when_usage_takes_its_place(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """The rest of the period is credited, and usage counts from then on."""
    made = subscribed(client)
    start, end = period(made)
    controls.push((end - start) // 2)

    client.v1.subscriptions.update(made.id, {"items": [{"id": item(made).id, "price": tokens(client).id}]})
    use(client, str(made.customer), 30)

    ((_, credit),) = waiting(client, made)
    assert -1250 - 1 <= credit <= -1250 + 1
    assert renewed(client, controls, made).total == credit + 60


def test_an_item_that_joins_later_counts_from_then_on(client: stripe.StripeClient, controls: Controls) -> None:
    """What was used before was nobody's to pay."""
    made = subscribed(client)
    counted = meter(client)
    use(client, str(made.customer), 1000)
    controls.push(10 * DAY)

    client.v1.subscription_items.create({"subscription": made.id, "price": metered(client, counted).id})
    use(client, str(made.customer), 30)

    assert (waiting(client, made), len(invoices(client, made))) == ([], 1)
    assert renewed(client, controls, made).total == 2500 + 60


def test_a_subscription_that_costs_by_use_is_no_free_one(client: stripe.StripeClient) -> None:
    """So a further item is prorated like any other, and not billed at once."""
    made = subscribed(client, None, tokens(client))

    client.v1.subscription_items.create({"subscription": made.id, "price": price(client).id})

    assert len(waiting(client, made)) == len(invoices(client, made)) == 1


def test_what_is_used_in_a_trial_is_free(client: stripe.StripeClient, controls: Controls) -> None:
    """It counts from the end of the trial."""
    made = subscribed(client, None, tokens(client), trial_period_days=7)
    use(client, str(made.customer), 1000)
    controls.push(7 * DAY + HOUR + 1)
    use(client, str(made.customer), 30)

    draft = renewed(client, controls, made)

    assert [total for _, _, total in invoices(client, made)] == [0, 0, 60]
    assert lines(draft) == [("30 × Tokens (at $0.02 / month)", 60)]


def test_a_new_cycle_bills_what_was_used_in_the_old_one(client: stripe.StripeClient, controls: Controls) -> None:
    """When the anchor moves to now, the period ends there."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), 100)
    controls.push(5 * DAY)

    client.v1.subscriptions.update(made.id, {"billing_cycle_anchor": {"type": "now"}})
    use(client, str(made.customer), 1)

    assert invoices(client, made)[1:] == [("subscription_update", "paid", 200)]
    assert renewed(client, controls, made).total == 2


@pytest.mark.parametrize(("through", "waits"), [("now", [("100 × Tokens", 200)]), ("none", [])])
def test_a_pause_bills_what_was_used_before_it(
    client: stripe.StripeClient, controls: Controls, through: Any, waits: list[Any]
) -> None:
    """Unless told otherwise; what is used in between costs nothing."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), 100)

    bill: Any = {"outstanding_usage_through": {"type": through}}
    client.v1.subscriptions.pause(made.id, {"type": "subscription", "bill_for": bill})
    controls.push(DAY)
    use(client, str(made.customer), 1000)
    controls.push(DAY)

    assert waiting(client, made) == waits
    client.v1.subscriptions.resume(made.id, {"payment_behavior": "resume_on_payment_success"})
    use(client, str(made.customer), 1)
    assert lines(renewed(client, controls, made)) == [("1 × Tokens (at $0.02 / month)", 2)]


def test_a_paused_subscription_that_ends_bills_what_was_used_before(client: stripe.StripeClient) -> None:
    """Once, and nothing of what was used in the pause."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), 100)
    client.v1.subscriptions.pause(made.id, {"type": "subscription"})
    use(client, str(made.customer), 1000)

    client.v1.subscriptions.cancel(made.id, {"invoice_now": True})

    assert invoices(client, made)[1:] == [("subscription_update", "paid", 200)]


def test_what_was_used_before_the_beginning_can_be_billed(client: stripe.StripeClient, controls: Controls) -> None:
    """A subscription that is dated back counts from that day."""
    ada, sold = customer(client), tokens(client)
    now = use(client, ada.id, 100).timestamp
    controls.push(5 * DAY)

    made = subscribed(client, ada, sold, backdate_start_date=now - DAY)

    assert renewed(client, controls, made).total == 200


def test_usage_is_foreseen(client: stripe.StripeClient) -> None:
    """A preview bills what was counted so far."""
    made = subscribed(client, None, tokens(client))
    use(client, str(made.customer), 100)

    foreseen = client.v1.invoices.create_preview({"subscription": made.id})

    assert lines(foreseen) == [("100 × Tokens (at $0.02 / month)", 200)]


def test_who_subscribed_to_a_deleted_plan_goes_on_paying(client: stripe.StripeClient, controls: Controls) -> None:
    """Nobody else can subscribe to it."""
    sold, used = price(client), tokens(client)
    made = subscribed(client, None, sold, used)
    for one in (sold, used):
        client.v1.plans.delete(one.id)
    use(client, str(made.customer), 10)

    draft = renewed(client, controls, made)

    assert draft.total == 2520
    with refused("No such price"):
        subscribed(client, None, sold)


def test_a_customer_on_a_test_clock_uses_by_its_time(client: stripe.StripeClient, controls: Controls) -> None:
    """Usage counts for the period that the clock is in."""
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_700_000_000})
    made = subscribed(client, customer(client, test_clock=clock.id), tokens(client))

    told = use(client, str(made.customer), 100)
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": period(made)[1] + HOUR + 1})
    controls.settle()

    assert told.timestamp == 1_700_000_000
    assert latest(client, made).total == 200
