"""The mirror of invoices, and what is told of them: paid, renewed, failed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.facts import PaymentFailed, SubscriptionRenewed
from tests.billing.shop import CREATED, Shop, customer
from tests.billing.subscribed import MONTH, invoice, paid_invoice, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn


@pytest.fixture(params=["test", "live"])
def shop(request: pytest.FixtureRequest, store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """In test mode every object is read; in live mode a payload is believed where it is certainly newer."""
    opened = Shop(store, stripe_stand_in, clock, livemode=request.param == "live")
    stripe_stand_in.put(customer(), subscription())
    yield opened
    opened.inbox.close()


def row(shop: Shop, number: int = 1) -> dict[str, Any]:
    return shop.row(shop.store.tables.invoices, id=f"in_{number}")


def test_an_invoice_is_a_row_people_can_query(shop: Shop, stripe_stand_in: StandIn) -> None:
    """What for, how much, paid or not, and where to see it; its subscription and customer come with it."""
    stripe_stand_in.put(paid_invoice())

    shop.deliver("invoice.paid", paid_invoice())
    shop.work()

    found = row(shop)
    assert (found["status"], found["total_minor"], found["amount_paid_minor"]) == ("paid", 2900, 2900)
    assert (found["subscription_id"], found["customer_id"], found["number"]) == ("sub_1", "cus_1", "ABC-0001")
    assert found["period_end"].timestamp() == CREATED + MONTH
    assert shop.row(shop.store.tables.subscriptions)["status"] == "active"
    assert shop.row(shop.store.tables.customers)["email"] == "ada@example.com"
    assert shop.facts() == ["subscription.started:sub_1", "invoice.paid:in_1"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_s2_an_invoice_ends_paid_whatever_is_heard_last(
    shop: Shop, stripe_stand_in: StandIn, order: tuple[int, ...]
) -> None:
    """Finalized, updated, paid: three events of one second."""
    stripe_stand_in.put(paid_invoice())
    told = [("invoice.finalized", invoice()), ("invoice.updated", invoice()), ("invoice.paid", paid_invoice())]

    for kind, payload in (told[place] for place in order):
        shop.deliver(kind, payload)
        shop.work()

    assert row(shop)["status"] == "paid"
    assert [fact for fact in shop.facts() if fact.startswith("invoice")] == ["invoice.paid:in_1"]


def test_a_renewal_is_told_once_with_the_period_it_pays_for(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Two events say that an invoice was paid; one period is given. The first invoice is no renewal."""
    renewed: list[Any] = []

    def extend(fact: SubscriptionRenewed) -> None:
        renewed.append((fact.invoice.id, fact.invoice.period_end))

    shop.on(SubscriptionRenewed, extend)

    for number in (1, 2):
        stripe_stand_in.put(paid_invoice(number))
        for kind in ("invoice.payment_succeeded", "invoice.paid"):
            shop.deliver(kind, paid_invoice(number), created=CREATED + number * MONTH)
            shop.work()

    assert [(number, end.timestamp()) for number, end in renewed] == [("in_2", CREATED + 2 * MONTH)]


def test_each_failed_try_is_told_once(shop: Shop, stripe_stand_in: StandIn) -> None:
    """With when Stripe tries next, and where the customer can pay."""
    told: list[PaymentFailed] = []

    def warn(failed: PaymentFailed) -> None:
        told.append(failed)

    shop.on(PaymentFailed, warn)

    for count in (1, 2):
        failing = invoice(2, attempted=True, attempt_count=count, next_payment_attempt=CREATED + MONTH + count)
        stripe_stand_in.put(failing)
        for kind in ("invoice.payment_failed", "invoice.updated", "invoice.payment_failed"):
            shop.deliver(kind, failing, created=CREATED + MONTH + count * 60)
            shop.work()

    assert [(each.invoice.attempt_count, each.needs_action) for each in told] == [(1, False), (2, False)]
    assert told[0].invoice.next_attempt_at is not None
    assert told[0].invoice.hosted_invoice_url == "http://pay.localhost/i/2"
    assert told[0].subscription is not None
    assert told[0].subscription.plan == "pro"


def test_a_payment_that_waits_for_the_customer_says_so(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The bank wants to ask: Stripe counts no try, and will not try again by itself."""
    waiting = invoice(2, attempted=True)
    stripe_stand_in.put(waiting)

    for kind in ("invoice.payment_failed", "invoice.payment_action_required"):
        shop.deliver(kind, waiting)
        shop.work()

    assert [fact for fact in shop.facts() if fact.startswith("payment")] == ["payment.failed:in_2:0"]
    assert shop.row(shop.store.tables.facts, type="payment.failed")["body"]["needs_action"] is True


def test_a_failure_that_is_heard_of_late_is_told_if_it_still_holds(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Something newer is known of the invoice already; that it failed is news all the same, unless it is paid."""
    failing = invoice(2, attempted=True, attempt_count=1)
    stripe_stand_in.put(failing)
    shop.deliver("invoice.updated", failing, created=CREATED + 600)
    shop.work()
    shop.deliver("invoice.payment_failed", failing, created=CREATED)
    shop.work()
    assert "payment.failed:in_2:1" in shop.facts()

    stripe_stand_in.put(paid_invoice(3))
    shop.deliver("invoice.paid", paid_invoice(3), created=CREATED + 600)
    shop.work()
    shop.deliver("invoice.payment_failed", invoice(3, attempted=True, attempt_count=1), created=CREATED)
    shop.work()

    assert "payment.failed:in_3:1" not in shop.facts()
    assert row(shop, 3)["status"] == "paid"


def test_a_bank_debit_under_way_is_no_failure(shop: Shop, stripe_stand_in: StandIn) -> None:
    """It was tried and is not paid, for days. Nobody is warned of that."""
    under_way = invoice(2, attempted=True, attempt_count=1)
    stripe_stand_in.put(under_way)

    shop.deliver("invoice.updated", under_way)
    shop.work()

    assert [fact for fact in shop.facts() if fact.startswith("payment")] == []


def test_a_deleted_draft_leaves_a_tombstone(shop: Shop, stripe_stand_in: StandIn) -> None:
    """No late event revives it."""
    draft = invoice(status="draft")
    shop.deliver("invoice.deleted", draft, created=CREATED + 60)
    shop.work()

    shop.deliver("invoice.created", draft, created=CREATED)
    shop.work()

    assert row(shop)["deleted_at"] == shop.clock()
    assert set(shop.event_states()) == {"applied"}


def test_an_invoice_that_is_still_to_come_is_not_looked_for(shop: Shop, stripe_stand_in: StandIn) -> None:
    """It has no id that Stripe would answer to, and no row; an app may listen to the event."""
    heard: list[object] = []

    def listen(event: object) -> None:
        heard.append(event)

    shop.on("invoice.upcoming", listen)

    shop.deliver("invoice.upcoming", invoice(id="upcoming_in_1"))
    nameless = invoice()
    del nameless["id"]
    shop.deliver("invoice.upcoming", nameless)
    shop.work()

    assert len(heard) == 2
    assert stripe_stand_in.calls == []
    assert shop.rows(shop.store.tables.invoices) == []


def test_p6_an_error_while_an_invoice_is_looked_up_costs_nothing_but_time(shop: Shop, stripe_stand_in: StandIn) -> None:
    """It stays there, and is looked up again."""
    stripe_stand_in.put(paid_invoice())
    stripe_stand_in.fail("invoice", "in_1", times=1, status=400)
    stripe_stand_in.fail("customer", "cus_1", times=4, status=500)

    for _ in range(3):
        shop.deliver("invoice.updated", paid_invoice(), event_id="evt_1")
        shop.work()
        shop.clock.advance(minutes=5)
    shop.work()

    assert row(shop)["status"] == "paid"
    assert shop.event_states() == ["applied"]
