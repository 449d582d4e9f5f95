"""Changing a subscription: other prices and quantities, what that gives back and costs, and when it is billed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import (
    DAY,
    HOUR,
    half_way,
    invoices,
    item,
    latest,
    lines,
    period,
    price,
    subscribed,
    waiting,
)
from tests.emulator.test_subscription_renewal import replace_card


def changed(client: stripe.StripeClient, made: stripe.Subscription, **more: Any) -> stripe.Subscription:
    """The subscription after a change of its first item."""
    how = {name: more.pop(name) for name in ("proration_behavior", "payment_behavior") if name in more}
    given: Any = {"items": [{"id": item(made).id, **more}], **how}
    return client.v1.subscriptions.update(made.id, given)


def test_another_plan_is_prorated_by_the_second(client: stripe.StripeClient, controls: Controls) -> None:
    """Half of the old is given back, half of the new is due, both with the next invoice."""
    made = half_way(client, controls, price(client, 1000))
    start, end = period(made)

    now = changed(client, made, price=price(client, 2000).id)

    moment = client.v1.invoice_items.list({"pending": True}).data[0].period.start
    left = (end - moment, end - start)
    assert waiting(client) == [
        ("Unused time on Pro", -(1000 * left[0] // left[1]) - (1000 * left[0] % left[1] > 0)),
        ("Remaining time on Pro", 2000 * left[0] // left[1]),
    ]
    assert abs(sum(amount for _, amount in waiting(client)) - 500) <= 1
    assert (now.status, period(now), item(now).id) == ("active", period(made), item(made).id)
    assert set(before(client, "customer.subscription.updated")) >= {"items", "plan"}
    controls.push(end - moment + HOUR + 1)
    assert latest(client, made).total == 2000 + sum(amount for _, amount in lines(latest(client, made))[:2])
    assert waiting(client) == []


def test_a_proration_says_where_it_comes_from(client: stripe.StripeClient, controls: Controls) -> None:
    """An invoice item of the subscription's item; a credit names the line it gives back."""
    made = half_way(client, controls, price(client, 1000))
    paid = latest(client, made)

    changed(client, made, price=price(client, 2000).id)

    debit, credit = client.v1.invoice_items.list({"pending": True}).data
    for one in (credit, debit):
        parent: Any = one.parent
        assert (one.proration, one.discountable) == (True, False)
        assert parent.subscription_details.subscription == made.id
        assert parent.subscription_details.subscription_item == item(made).id
        assert one.period.end == period(made)[1]
    details: Any = credit.proration_details
    assert details.credited_items.invoice_line_item_details.invoice == paid.id
    assert details.credited_items.invoice_line_item_details.invoice_line_items == [paid.lines.data[0].id]


def test_a_quantity_gives_back_all_and_bills_all(client: stripe.StripeClient, controls: Controls) -> None:
    """Stripe credits every old unit and debits every new one."""
    made = half_way(client, controls, price(client, 1000))

    changed(client, made, quantity=3)

    assert [text for text, _ in waiting(client)] == ["Unused time on Pro", "Remaining time on 3 × Pro"]
    assert abs(sum(amount for _, amount in waiting(client)) - 1000) <= 1


def test_nothing_is_prorated_where_nothing_changes_hands(client: stripe.StripeClient, controls: Controls) -> None:
    """Equal amounts, metadata, or a caller who does not want it."""
    made = half_way(client, controls, price(client, 1000))

    changed(client, made, metadata={"seat": "7"})
    changed(client, made, price=price(client, 1000).id)
    changed(client, made, price=price(client, 5000).id, proration_behavior="none")
    client.v1.subscriptions.update(made.id, {"description": "For the team", "metadata": {"team": "blue"}})

    assert waiting(client) == []
    assert len(invoices(client, made)) == 1


def test_an_update_that_changes_nothing_is_no_news(client: stripe.StripeClient) -> None:
    """No event, however often it is sent."""
    made = subscribed(client, metadata={"team": "blue"})

    client.v1.subscriptions.update(made.id, {"metadata": {"team": "blue"}})
    changed(client, made, quantity=1)

    assert "customer.subscription.updated" not in events(client)


def test_a_change_can_be_invoiced_at_once(client: stripe.StripeClient, controls: Controls) -> None:
    """Finalised and collected within the call."""
    made = half_way(client, controls, price(client, 1000))

    now = changed(client, made, price=price(client, 9000).id, proration_behavior="always_invoice")

    bill = latest(client, made)
    assert (bill.billing_reason, bill.status, now.latest_invoice) == ("subscription_update", "paid", bill.id)
    assert abs(bill.total - 4000) <= 1
    assert bill.period_start == period(made)[0]
    assert waiting(client) == []


def test_a_change_downwards_becomes_credit(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing goes back to the card; the next invoice is paid from it first."""
    made = half_way(client, controls, price(client, 9000))

    changed(client, made, price=price(client, 1000).id, proration_behavior="always_invoice")

    credit = client.v1.customers.retrieve(str(made.customer)).balance
    assert credit is not None
    assert abs(credit + 4000) <= 1
    assert latest(client, made).status == "paid"
    controls.push(16 * DAY + HOUR + 1)
    renewal = latest(client, made)
    assert (renewal.total, renewal.amount_due, renewal.starting_balance) == (1000, 0, credit)


def test_too_little_to_charge_moves_to_the_balance(client: stripe.StripeClient, controls: Controls) -> None:
    """Under the least a card can be charged, the customer owes it with the next invoice."""
    made = half_way(client, controls, price(client, 1000))

    changed(client, made, price=price(client, 1040).id, proration_behavior="always_invoice")

    bill = latest(client, made)
    owed = client.v1.customers.retrieve(str(made.customer)).balance
    assert owed is not None
    assert 18 <= owed <= 20
    assert (bill.status, bill.amount_due, bill.attempted, bill.attempt_count) == ("paid", 0, True, 0)


def test_a_price_alone_adds_an_item(client: stripe.StripeClient) -> None:
    """The classic mistake of changing plans: without the item's id, both are sold from now on."""
    made, other = subscribed(client), price(client, 900)
    given: Any = {"items": [{"price": other.id}]}

    now = client.v1.subscriptions.update(made.id, given)

    assert [one.price.id for one in now["items"].data] == [item(made).price.id, other.id]
    assert period(now, 1) == period(made)


def test_an_item_can_leave(client: stripe.StripeClient, controls: Controls) -> None:
    """What is left of it is given back; the last one stays."""
    made = half_way(client, controls, price(client, 1000), price(client, 3000))
    leaving: Any = {"items": [{"id": item(made, 1).id, "deleted": True}]}

    now = client.v1.subscriptions.update(made.id, leaving)

    assert len(now["items"].data) == 1
    assert abs(waiting(client)[0][1] + 1500) <= 1
    with refused("A subscription must have at least one active plan."):
        client.v1.subscription_items.delete(item(made).id)


def test_an_item_of_somebody_else_is_refused(client: stripe.StripeClient) -> None:
    """Also one that left."""
    made, other = subscribed(client), subscribed(client)
    given: Any = {"items": [{"id": item(other).id, "quantity": 2}]}

    with refused(f"Invalid subscription_item id: {item(other).id}"):
        client.v1.subscriptions.update(made.id, given)


def test_another_rhythm_keeps_the_anchor(client: stripe.StripeClient, controls: Controls) -> None:
    """Flexible billing: the year counts from the month's beginning, and is billed at once."""
    made = half_way(client, controls, price(client, 1000))
    start, end = period(made)

    now = changed(client, made, price=price(client, 12000, "year").id)

    year = period(now)
    assert (now.billing_cycle_anchor, year[0]) == (made.billing_cycle_anchor, start)
    assert 365 <= (year[1] - start) // DAY <= 366
    bill = latest(client, made)
    assert (bill.billing_reason, bill.status) == ("subscription_update", "paid")
    moment = bill.lines.data[1].period.start
    debit = 12000 * (year[1] - moment) // (year[1] - year[0])
    assert [amount for _, amount in lines(bill)] == [-1000 * (end - moment) // (end - start), debit]


def test_another_rhythm_starts_anew_in_classic_billing(client: stripe.StripeClient, controls: Controls) -> None:
    """The anchor moves to now, and a whole year is billed."""
    made = half_way(client, controls, price(client, 1000), billing_mode={"type": "classic"})

    now = changed(client, made, price=price(client, 12000, "year").id)

    assert now.billing_cycle_anchor == period(now)[0] > made.billing_cycle_anchor
    assert lines(latest(client, made))[1][1] == 12000
    assert latest(client, made).status == "paid"


def test_the_cycle_can_begin_now(client: stripe.StripeClient, controls: Controls) -> None:
    """What is left of the old period is given back, and a new one is billed."""
    made = half_way(client, controls, price(client, 1000))

    now = client.v1.subscriptions.update(made.id, {"billing_cycle_anchor": {"type": "now"}})

    assert now.billing_cycle_anchor == period(now)[0] > period(made)[0]
    assert abs(latest(client, made).total - 500) <= 1
    assert invoices(client, made)[-1][:2] == ("subscription_update", "paid")


def test_a_trial_can_end_now(client: stripe.StripeClient) -> None:
    """The first period begins, and is billed at once."""
    made = subscribed(client, trial_period_days=14)

    now = client.v1.subscriptions.update(made.id, {"trial_end": "now"})

    assert (now.status, now.trial_end) == ("active", period(now)[0])
    assert invoices(client, made) == [("subscription_create", "paid", 0), ("subscription_update", "paid", 2500)]


def test_a_trial_can_be_given_later(client: stripe.StripeClient, controls: Controls) -> None:
    """What is paid for already becomes credit; the cycle hangs on its end."""
    made = half_way(client, controls, price(client, 1000))
    end = period(made)[1] + 10 * DAY

    now = client.v1.subscriptions.update(made.id, {"trial_end": end})

    assert (now.status, now.trial_end, now.billing_cycle_anchor, period(now)[1]) == ("trialing", end, end, end)
    assert abs(waiting(client)[0][1] + 500) <= 1


def test_a_plan_can_change_during_a_trial(client: stripe.StripeClient, controls: Controls) -> None:
    """For nothing: the new price counts from the trial's end."""
    made = subscribed(client, trial_period_days=14)

    now = changed(client, made, price=price(client, 9000).id)

    assert (now.status, waiting(client)) == ("trialing", [])
    controls.push(14 * DAY + HOUR + 1)
    assert latest(client, made).total == 9000


def test_from_nothing_to_something_is_billed_at_once(client: stripe.StripeClient) -> None:
    """Who used it for free pays from the moment they do not."""
    made = subscribed(client, customer(client), price(client, 0))

    now = changed(client, made, price=price(client, 3000).id)

    assert (now.status, latest(client, made).status) == ("active", "paid")
    assert 2990 <= latest(client, made).total <= 3000


def test_flexible_billing_gives_back_what_was_billed(client: stripe.StripeClient, controls: Controls) -> None:
    """And classic billing what the item costs now, whatever was paid for it."""
    given_back = {}
    for mode in ("flexible", "classic"):
        made = half_way(client, controls, price(client, 1000), billing_mode={"type": mode})
        dear = changed(client, made, price=price(client, 8000).id, proration_behavior="none")

        changed(client, dear, price=price(client, 2000).id)

        pending = client.v1.invoice_items.list({"customer": str(made.customer), "pending": True})
        given_back[mode] = min(one.amount for one in pending.data)

    assert abs(given_back["flexible"] + 500) <= 1
    assert abs(given_back["classic"] + 4000) <= 1


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
def test_a_change_that_is_not_paid(client: stripe.StripeClient, controls: Controls, card: str) -> None:
    """Stays and is owed, is refused, or waits until it is paid: as the caller wants."""
    cheap, dear = price(client, 1000), price(client, 9000)
    outcome = {}
    for behavior in ("allow_incomplete", "error_if_incomplete", "pending_if_incomplete", "default_incomplete"):
        made = half_way(client, controls, cheap)
        replace_card(client, str(made.customer), card)
        how: Any = {"proration_behavior": "always_invoice", "payment_behavior": behavior}

        is_refused = behavior == "error_if_incomplete"
        with pytest.raises(stripe.CardError) if is_refused else nullcontext():
            changed(client, made, price=dear.id, **how)
        now = client.v1.subscriptions.retrieve(made.id)
        outcome[behavior] = (now.status, item(now).price.unit_amount, now.pending_update is not None)

    assert outcome == {
        "allow_incomplete": ("past_due", 9000, False),
        "default_incomplete": ("past_due", 9000, False),
        "error_if_incomplete": ("active", 1000, False),
        "pending_if_incomplete": ("active", 1000, True),
    }


def test_items_have_urls_of_their_own(client: stripe.StripeClient, controls: Controls) -> None:
    """They take the same way as a subscription's update."""
    made = half_way(client, controls, price(client, 1000))
    other = price(client, 3000)

    added = client.v1.subscription_items.create({"subscription": made.id, "price": other.id, "quantity": 2})
    assert abs(waiting(client)[0][1] - 3000) <= 1
    client.v1.subscription_items.update(added.id, {"quantity": 1, "proration_behavior": "none"})
    assert client.v1.subscription_items.retrieve(added.id).quantity == 1
    assert [one.id for one in client.v1.subscription_items.list({"subscription": made.id}).data] == [
        added.id,
        item(made).id,
    ]
    gone = client.v1.subscription_items.delete(added.id)

    assert gone.deleted
    assert len(client.v1.subscriptions.retrieve(made.id)["items"].data) == 1


def test_an_incomplete_subscription_waits_for_its_first_payment(client: stripe.StripeClient) -> None:
    """Nothing that would be billed can be changed before."""
    made = subscribed(client, customer(client, "pm_card_chargeCustomerFail"))

    with refused("incomplete"):
        changed(client, made, quantity=2)

    noted = client.v1.subscriptions.update(made.id, {"metadata": {"seen": "yes"}})
    assert noted.metadata is not None
    assert noted.metadata["seen"] == "yes"
