"""Pending updates: a change that waits for its payment, and the subscription that goes on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.clocks import advance
from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer, intent_of, refused
from tests.emulator.months import APRIL, Month
from tests.emulator.paying import answer_bank, events
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed, waiting
from tests.emulator.test_subscription_renewal import replace_card

HOW: Any = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}


def awaiting(client: stripe.StripeClient, **more: Any) -> Month:
    """On the tenth of April somebody asked for $60 instead of $30 a month, and their card was declined."""
    april = Month(client)
    april.goes(10)
    replace_card(client, april.owner.id, "pm_card_chargeCustomerFail")
    april.updates(**(more or {"items": [{"id": item(april.made).id, "price": price(client, 6000).id}]}), **HOW)
    return april


def pays(april: Month) -> stripe.Subscription:
    """The subscription once its latest invoice is paid with another card."""
    good = april.client.v1.payment_methods.attach("pm_card_visa", {"customer": april.owner.id})
    april.client.v1.invoices.pay(latest(april.client, april.made).id, {"payment_method": good.id})
    return april.now()


def test_a_change_that_waits_can_be_seen(client: stripe.StripeClient) -> None:
    """What it would be, until when it waits, and for which invoice; nothing else has changed."""
    april = awaiting(client)

    seen = april.now()

    pending: Any = seen.pending_update
    assert [one.price.unit_amount for one in pending.subscription_items] == [6000]
    assert pending.expires_at == APRIL + 10 * DAY + 23 * HOUR
    assert (seen.status, item(seen).price.unit_amount, seen.latest_invoice) == ("active", 3000, latest(client, seen).id)
    assert set(before(client, "customer.subscription.updated")) == {"latest_invoice", "pending_update"}
    assert waiting(client) == []


def test_a_change_is_made_once_it_is_paid(client: stripe.StripeClient) -> None:
    """With the invoice that was waiting; nothing is billed twice."""
    april = awaiting(client)

    made = pays(april)

    assert (item(made).price.unit_amount, made.pending_update) == (6000, None)
    assert events(client).count("customer.subscription.pending_update_applied") == 1
    assert waiting(client) == []


def test_a_change_waits_for_23_hours(client: stripe.StripeClient) -> None:
    """Then its invoice is void, and everything is as it was."""
    april = awaiting(client)

    april.goes(11)

    now = april.now()
    assert (now.status, item(now).price.unit_amount, now.pending_update) == ("active", 3000, None)
    assert latest(client, april.made).status == "void"
    assert "customer.subscription.pending_update_expired" in events(client)


def test_what_was_paid_for_is_what_a_later_change_gives_back(client: stripe.StripeClient) -> None:
    """Once it is made, a change that waited is like any other: also one that began a period."""
    anew = awaiting(client, billing_cycle_anchor={"type": "now"})
    moved = pays(anew)
    anew.goes(25)

    anew.sells(price=price(client, 9000).id)

    assert (moved.pending_update, moved.billing_cycle_anchor) == (None, APRIL + 10 * DAY)
    assert period(moved) == (APRIL + 10 * DAY, APRIL + 40 * DAY)
    assert [amount for _, amount in waiting(client)] == [-1500, 4500]


def test_a_change_waits_no_longer_than_its_period(client: stripe.StripeClient) -> None:
    """The renewal comes first: then the invoice is void, and the old price is billed."""
    april = Month(client)
    april.goes(29.5)
    replace_card(client, april.owner.id, "pm_card_chargeCustomerFail")
    asked = april.updates(items=[{"id": item(april.made).id, "price": price(client, 6000).id}], **HOW)
    replace_card(client, april.owner.id, "pm_card_visa")

    assert asked.pending_update is not None
    assert asked.pending_update.expires_at == APRIL + 30 * DAY
    april.goes(30.1)
    assert [(status, total) for _, status, total in invoices(client, april.made)] == [
        ("paid", 3000),
        ("void", 50),
        ("paid", 3000),
    ]
    assert april.now().pending_update is None


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [
        ({"metadata": {"seen": "yes"}}, True),
        ({"cancel_at_period_end": True}, True),
        ({"billing_cycle_anchor": {"type": "unchanged"}, "description": "still"}, False),
        ({"trial_end": APRIL + 20 * DAY}, False),
        ({"items": "anything"}, False),
    ],
)
def test_whoever_asks_for_something_else_waits_no_more(
    client: stripe.StripeClient, more: dict[str, Any], is_kept: bool
) -> None:
    """A change of what is sold, or when, takes the place of the one that waits: its invoice is void."""
    april = awaiting(client)
    first = latest(client, april.made).id
    replace_card(client, april.owner.id, "pm_card_visa")
    if "items" in more:
        more = {"items": [{"id": item(april.made).id, "quantity": 2}]}

    now = april.updates(**more)

    assert (now.pending_update is not None) is is_kept
    assert client.v1.invoices.retrieve(first).status == ("open" if is_kept else "void")
    assert events(client).count("customer.subscription.pending_update_expired") == (not is_kept)


def test_an_end_can_wait_with_a_change(client: stripe.StripeClient) -> None:
    """Whoever asks for another price until the end of the period gets both, or neither."""
    april = Month(client)
    april.goes(10)
    replace_card(client, april.owner.id, "pm_card_chargeCustomerFail")
    items = [{"id": item(april.made).id, "quantity": 2}]

    waits = april.updates(items=items, cancel_at_period_end=True, **HOW)

    assert waits.pending_update is not None
    assert (waits.cancel_at, waits.pending_update.cancel_at_period_end) == (None, True)
    made = pays(april)
    assert (made.cancel_at, made.cancel_at_period_end, item(made).quantity) == (period(made)[1], True, 2)


def test_what_is_sold_once_with_a_change_waits_with_it(client: stripe.StripeClient) -> None:
    """It is on the same invoice, and gone with it."""
    extra = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Set-up"}})
    april = Month(client)
    april.goes(10)
    replace_card(client, april.owner.id, "pm_card_chargeCustomerFail")
    more = [{"id": item(april.made).id, "quantity": 2}]

    april.updates(items=more, add_invoice_items=[{"price": extra.id}], **HOW)

    assert [amount for _, amount in lines(latest(client, april.made))] == [900, -2000, 4000]
    advance(client, april.clock, APRIL + 12 * DAY)
    assert (latest(client, april.made).status, waiting(client)) == ("void", [])


def test_a_bank_that_asks_decides(client: stripe.StripeClient, controls: Controls) -> None:
    """The change is made as soon as the customer has confirmed."""
    made = subscribed(client, customer(client), price(client, 1000))
    controls.push(10 * DAY)
    replace_card(client, str(made.customer), "pm_card_authenticationRequired")
    more: Any = {"items": [{"id": item(made).id, "price": price(client, 9000).id}], **HOW}
    asked = client.v1.subscriptions.update(made.id, more)
    intent = intent_of(client, latest(client, made))

    answer_bank(client.v1.payment_intents.confirm(intent.id, {"return_url": "http://127.0.0.1:9/"}), "complete")

    now = client.v1.subscriptions.retrieve(made.id)
    assert (asked.pending_update is not None, intent.status) == (True, "requires_action")
    assert (item(now).price.unit_amount, now.pending_update, now.status) == (9000, None, "active")


def test_an_end_calls_a_change_off(client: stripe.StripeClient) -> None:
    """Its invoice is void with it."""
    april = awaiting(client)

    client.v1.subscriptions.cancel(april.made.id)

    assert (april.now().pending_update, latest(client, april.made).status) == (None, "void")


@pytest.mark.parametrize("given", [{"metadata": {"a": "b"}}, {"description": "For ada"}, {"discounts": ""}])
def test_only_what_is_billed_can_wait(client: stripe.StripeClient, given: dict[str, Any]) -> None:
    """What is written on a subscription costs nothing."""
    april = Month(client)

    with refused("payment_behavior"):
        april.updates(**given, payment_behavior="pending_if_incomplete")


def test_what_is_paid_by_invoice_cannot_wait(client: stripe.StripeClient) -> None:
    """Nothing is collected with the change."""
    made = subscribed(client, collection_method="send_invoice", days_until_due=5)
    more: Any = {"items": [{"id": item(made).id, "quantity": 2}], **HOW}

    with refused("charge_automatically"):
        client.v1.subscriptions.update(made.id, more)
