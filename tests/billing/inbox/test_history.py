"""History: what happened before this app is known and told to nobody; what was only lost is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.facts import (
    InvoicePaid,
    OrderPaid,
    PaymentFailed,
    SubscriptionPastDue,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from tests.billing.shop import CREATED, Shop, customer, paid_session, payment
from tests.billing.subscribed import DAY, invoice, paid_invoice, subscription

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn

Json = dict[str, Any]
LONG_AGO = CREATED - 400 * DAY
UPDATED = "customer.subscription.updated"


@pytest.fixture
def told(shop: Shop) -> list[str]:
    """The keys of the facts that handlers were called with."""
    keys: list[str] = []

    def hear_started(fact: SubscriptionStarted) -> None:
        keys.append(fact.key)

    def hear_past_due(fact: SubscriptionPastDue) -> None:
        keys.append(fact.key)

    def hear_paid(fact: InvoicePaid) -> None:
        keys.append(fact.key)

    def hear_renewed(fact: SubscriptionRenewed) -> None:
        keys.append(fact.key)

    def hear_failed(fact: PaymentFailed) -> None:
        keys.append(fact.key)

    shop.on(SubscriptionStarted, hear_started)
    shop.on(SubscriptionPastDue, hear_past_due)
    shop.on(InvoicePaid, hear_paid)
    shop.on(SubscriptionRenewed, hear_renewed)
    shop.on(PaymentFailed, hear_failed)
    return keys


def history_begins(shop: Shop, at: int) -> None:
    """As the first sweep finds out."""
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.walks.insert().values(name="events", state="idle", since=at))


def test_nobody_is_welcomed_who_has_been_here_for_years(shop: Shop, stripe_stand_in: StandIn, told: list[str]) -> None:
    """The first webhook about an old subscription says what holds, and not that it has started."""
    history_begins(shop, CREATED)
    old = subscription(status="past_due", created=LONG_AGO)
    stripe_stand_in.put(customer(), old)

    shop.deliver(UPDATED, old)
    shop.work()

    assert shop.facts() == ["subscription.started:sub_1", "subscription.past_due:sub_1:1"]
    assert told == ["subscription.past_due:sub_1:1"]


def test_an_old_subscription_that_comes_with_its_new_invoice_is_not_new(
    shop: Shop, stripe_stand_in: StandIn, told: list[str]
) -> None:
    """The renewal of today is told, and paid for by somebody who is not welcomed again."""
    history_begins(shop, CREATED)
    renewal = paid_invoice(2, status_transitions={"paid_at": CREATED + DAY})
    stripe_stand_in.put(customer(), subscription(created=LONG_AGO), renewal)
    shop.clock.advance(days=1)

    shop.deliver("invoice.paid", renewal, created=CREATED + DAY)
    shop.work()

    assert "subscription.started:sub_1" in shop.facts()
    assert sorted(told) == ["invoice.paid:in_2", "subscription.renewed:in_2"]


def test_no_receipt_is_sent_for_what_was_paid_years_ago(shop: Shop, stripe_stand_in: StandIn, told: list[str]) -> None:
    """Something about an old invoice was changed; that it is paid is no news."""
    history_begins(shop, CREATED)
    paid = paid_invoice(2, created=LONG_AGO, status_transitions={"paid_at": LONG_AGO})
    stripe_stand_in.put(customer(), subscription(created=LONG_AGO), paid)

    shop.deliver("invoice.updated", paid)
    shop.work()

    assert {"invoice.paid:in_2", "subscription.renewed:in_2"} <= set(shop.facts())
    assert told == []


@pytest.mark.parametrize(("days", "is_told"), [(29, True), (400, False)])
def test_what_was_only_late_is_told(
    shop: Shop, stripe_stand_in: StandIn, told: list[str], days: int, is_told: bool
) -> None:
    """Whether anybody here was to hear of it decides, and not how long that took."""
    history_begins(shop, CREATED - 30 * DAY)
    began = CREATED - days * DAY
    stripe_stand_in.put(customer(), subscription(created=began))

    shop.deliver("customer.subscription.created", subscription(created=began), created=began)
    shop.work()

    assert (told == ["subscription.started:sub_1"]) == is_told


def test_without_a_sweep_history_begins_with_the_first_trace_of_us(
    shop: Shop, stripe_stand_in: StandIn, told: list[str]
) -> None:
    """A customer of ours is older than their subscription, though the update comes before all else."""
    times = {"created_at": shop.clock(), "updated_at": shop.clock()}
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.customers.insert().values(user_id="ada", stripe_id="cus_1", **times))
    stripe_stand_in.put(customer(), subscription(created=CREATED + 60))
    shop.clock.advance(days=3)

    shop.deliver(UPDATED, subscription(created=CREATED + 60), created=CREATED + 2 * DAY)
    shop.work()

    assert told == ["subscription.started:sub_1"]


def test_a_failure_of_today_is_told_of_an_invoice_of_yore(
    shop: Shop, stripe_stand_in: StandIn, told: list[str]
) -> None:
    """It happened today, whatever it happened to."""
    history_begins(shop, CREATED)
    failed = invoice(2, created=LONG_AGO, attempt_count=3)
    stripe_stand_in.put(customer(), subscription(created=LONG_AGO), failed)

    shop.deliver("invoice.payment_failed", failed)
    shop.work()

    assert told == ["payment.failed:in_2:3"]


def test_an_order_is_fulfilled_however_late_its_payment_is_found(shop: Shop, stripe_stand_in: StandIn) -> None:
    """An order is always ours: nothing about it is history."""
    paid: list[str] = []

    def deliver(fact: OrderPaid) -> None:
        paid.append(fact.order.id)

    shop.on(OrderPaid, deliver)
    history_begins(shop, CREATED + 60 * DAY)
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id), payment(order_id))
    shop.clock.advance(days=60)

    shop.deliver("checkout.session.completed", paid_session(order_id), created=CREATED)
    shop.work()

    assert paid == [order_id]
