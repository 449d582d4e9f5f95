"""Arrears: since when a payment is missing, by Stripe's clock, in whatever order its events are heard."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.billing.shop import CREATED, Shop, customer
from tests.billing.subscribed import DAY, MONTH, invoice, item, subscription

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn

UPDATED = "customer.subscription.updated"
FAILED = "invoice.payment_failed"

# It renewed after a month; an hour later the card was refused.
ASKED_AT = CREATED + MONTH + 3600


def behind(number: int = 2, **changes: Any) -> dict[str, Any]:
    """The subscription, whose latest invoice nobody has paid."""
    renewed = item(current_period_start=CREATED + MONTH, current_period_end=CREATED + 2 * MONTH)
    return subscription(renewed, status="past_due", latest_invoice=f"in_{number}", **changes)


def unpaid(number: int = 2, asked_at: int = ASKED_AT, **changes: Any) -> dict[str, Any]:
    asked = {"status_transitions": {"finalized_at": asked_at, "paid_at": None}, "attempt_count": 1, "attempted": True}
    return invoice(number, **(asked | changes))


def seconds(shop: Shop, column: str) -> int:
    return int(shop.row(shop.store.tables.subscriptions)[column].timestamp())


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_a_payment_is_missing_since_its_invoice_asked_for_it(
    shop: Shop, stripe_stand_in: StandIn, order: tuple[int, ...], together: bool
) -> None:
    """Not since we heard of it, which may be days later; and the month after changes nothing about it."""
    stripe_stand_in.put(customer(), behind(), unpaid())
    told = [
        ("invoice.finalized", unpaid(attempt_count=0), ASKED_AT),
        (FAILED, unpaid(), ASKED_AT + 1),
        (UPDATED, behind(), ASKED_AT + 2),
    ]
    shop.clock.advance(days=90)

    for kind, payload, stamp in (told[place] for place in order):
        shop.deliver(kind, payload, created=stamp)
        if not together:
            shop.work()
    shop.work()
    assert seconds(shop, "past_due_since") == ASKED_AT

    stripe_stand_in.put(behind(3), unpaid(3, ASKED_AT + MONTH))
    shop.deliver(FAILED, unpaid(3, ASKED_AT + MONTH), created=ASKED_AT + MONTH)
    shop.deliver(UPDATED, behind(3), created=ASKED_AT + MONTH)
    shop.work()
    assert seconds(shop, "past_due_since") == ASKED_AT


def test_an_invoice_that_was_sent_is_missing_since_it_was_due(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Whoever has thirty days to pay is not late on the first."""
    sent = unpaid(due_date=ASKED_AT + 30 * DAY, attempt_count=0)
    stripe_stand_in.put(customer(), behind(), sent)

    shop.deliver("invoice.overdue", sent, created=ASKED_AT + 30 * DAY)
    shop.deliver(UPDATED, behind(), created=ASKED_AT + 30 * DAY)
    shop.work()

    assert seconds(shop, "past_due_since") == ASKED_AT + 30 * DAY


def test_an_older_invoice_that_was_never_paid_costs_nobody_their_grace(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Only the one that made the subscription past due says since when it is."""
    stripe_stand_in.put(customer(), behind(), unpaid(1, CREATED), unpaid())

    for number, asked_at in ((2, ASKED_AT), (1, CREATED)):
        shop.deliver(FAILED, unpaid(number, asked_at), created=ASKED_AT)
        shop.deliver(UPDATED, behind(), created=ASKED_AT)
        shop.work()

    assert seconds(shop, "past_due_since") == ASKED_AT


def test_each_try_that_stripe_tells_of_says_what_time_it_is(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The subscription itself is silent while its invoice is tried again."""
    stripe_stand_in.put(customer(), behind(), unpaid())
    shop.deliver(UPDATED, behind(), created=ASKED_AT)
    shop.work()

    for day in (3, 8, 5):
        shop.deliver(FAILED, unpaid(attempt_count=2), created=ASKED_AT + day * DAY)
        shop.work()

    assert seconds(shop, "heard_at") == ASKED_AT + 8 * DAY
