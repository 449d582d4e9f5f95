"""Refunds and disputes of what an invoice brought: each told once, about whom and what, whichever is heard of last."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select, text

from paydesk.billing.facts import DisputeClosed, DisputeOpened, InvoiceRefunded, OrderRefunded
from paydesk.billing.mirror.refs import Ref
from tests.billing.shop import CREATED, Shop, customer, refund
from tests.billing.shop import dispute as dispute_of
from tests.billing.shop import payment as payment_of
from tests.billing.subscribed import paid_invoice, subscription
from tests.waiting import until

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store
    from tests.billing.stand_in import StandIn

Json = dict[str, Any]
# The helpers number objects as orders are numbered; here there is no order behind them.
NO_ORDER = "ord_000000000000000000000001"


def payment(*refunds: Json, is_linked: bool = True, is_disputed: bool = False, **changes: Any) -> Json:
    """The payment of in_1. It names its invoice, or its invoice names it."""
    made = payment_of(NO_ORDER, refunds=list(refunds), customer="cus_1", metadata={}, **changes)
    made["latest_charge"]["disputed"] = is_disputed
    if is_linked:
        made["payment_details"] = {"customer_reference": None, "order_reference": "in_1"}
    return made


def invoice(*, is_linked: bool = False, **changes: Any) -> Json:
    paid = paid_invoice(1, amount_paid=1900, total=1900, amount_due=1900, **changes)
    if is_linked:
        by = {"id": "inpay_1", "is_default": True, "status": "paid", "payment": {"payment_intent": "pi_1"}}
        paid["payments"] = {"object": "list", "data": [by], "has_more": False}
    return paid


def ada_is_the_customer(shop: Shop) -> None:
    times = {"created_at": shop.clock(), "updated_at": shop.clock()}
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.customers.insert().values(user_id="ada", stripe_id="cus_1", **times))


@pytest.mark.parametrize("linked_by", ["payment", "invoice"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_dispute_and_a_refund_of_a_plans_payment_are_told_once(
    shop: Shop, stripe_stand_in: StandIn, order: tuple[int, ...], linked_by: str
) -> None:
    """With whose they are, the invoice and the subscription, in whatever order the three are heard of."""
    ada_is_the_customer(shop)
    heard: list[Any] = []

    def hear_opened(fact: DisputeOpened) -> None:
        heard.append(fact)

    def hear_refunded(fact: InvoiceRefunded) -> None:
        heard.append(fact)

    shop.on(DisputeOpened, hear_opened)
    shop.on(InvoiceRefunded, hear_refunded)
    disputed = dispute_of(NO_ORDER)
    paid = payment(refund(NO_ORDER, 1, 500), is_linked=linked_by == "payment", is_disputed=True)
    asked = invoice(is_linked=linked_by == "invoice")
    stripe_stand_in.put(customer(), subscription(), asked, paid, disputed)
    told = [
        ("invoice.paid", asked),
        ("charge.refunded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}),
        ("charge.dispute.created", disputed),
    ]

    for _ in range(2):
        for kind, subject in (told[place] for place in order):
            shop.deliver(kind, subject)
            shop.work()
        assert sorted(fact.key for fact in heard) == ["dispute.opened:du_1", "invoice.refunded:re_1_1"]

    for fact in heard:
        assert (fact.invoice.id, fact.invoice.user_id, fact.subscription.plan) == ("in_1", "ada", "pro")
    (opened,) = [fact for fact in heard if isinstance(fact, DisputeOpened)]
    assert (opened.order, opened.user_id, opened.amount_minor, opened.currency) == (None, "ada", 1900, "usd")
    assert int(opened.evidence_due_at.timestamp() if opened.evidence_due_at else 0) == CREATED + 700_000


def test_a_dispute_about_a_plan_is_told_when_it_closes(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Won or lost, once."""
    heard: list[DisputeClosed] = []

    def hear(fact: DisputeClosed) -> None:
        heard.append(fact)

    shop.on(DisputeClosed, hear)
    stripe_stand_in.put(customer(), subscription(), invoice(), payment(is_disputed=True), dispute_of(NO_ORDER))
    for kind, subject in (("invoice.paid", invoice()), ("charge.dispute.created", dispute_of(NO_ORDER))):
        shop.deliver(kind, subject)
        shop.work()
    assert heard == []

    stripe_stand_in.put(dispute_of(NO_ORDER, status="lost"))
    shop.deliver("charge.dispute.closed", dispute_of(NO_ORDER, status="lost"))
    shop.work()

    assert [(fact.dispute_id, fact.status, fact.invoice.id if fact.invoice else None) for fact in heard] == [
        ("du_1", "lost", "in_1")
    ]


def test_the_refund_that_leaves_nothing_is_full(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Each is told with its own amount; one that failed gave nothing back."""
    stripe_stand_in.put(customer(), subscription(), invoice())
    shop.deliver("invoice.paid", invoice())
    refunds: list[Json] = []
    for number, (amount, status) in enumerate([(500, "succeeded"), (1400, "failed"), (1400, "succeeded")], 1):
        refunds.append(refund(NO_ORDER, number, amount, status))
        stripe_stand_in.put(payment(*refunds))
        shop.deliver("charge.refunded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"})
        shop.work()

    told = [row["body"] for row in shop.rows(shop.store.tables.facts) if row["type"] == InvoiceRefunded.type]
    assert [(body["refund_id"], body["amount_minor"], body["is_full"]) for body in told] == [
        ("re_1_1", 500, False),
        ("re_1_3", 1400, True),
    ]


def test_an_orders_money_is_told_of_with_its_order_alone(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Also where Checkout made an invoice for it: nobody takes one refund for two."""
    order_id = shop.order(status="paid", payment_intent_id="pi_1", paid_at=shop.clock())
    paid = payment(refund(NO_ORDER, 1, 1900))
    stripe_stand_in.put(customer(), invoice(parent=None, billing_reason="manual"), paid)
    shop.deliver("invoice.paid", invoice(parent=None, billing_reason="manual"))
    shop.deliver("charge.refunded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"})
    shop.work()

    types = (OrderRefunded.type, InvoiceRefunded.type)
    named = [row for row in shop.rows(shop.store.tables.facts) if row["type"] in types]
    assert [(row["type"], row["body"]["order"]["id"]) for row in named] == [("order.refunded", order_id)]


def test_a_dispute_waits_for_the_worker_who_is_writing_its_invoice(
    shop: Shop, store: Store, stripe_stand_in: StandIn
) -> None:
    """They are of two lanes, and may be written at once: whoever comes second sees what the first has written."""
    ada_is_the_customer(shop)
    stripe_stand_in.put(customer(), subscription(), payment(), invoice())
    shop.deliver("invoice.paid", invoice())
    shop.deliver("charge.succeeded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"})
    shop.work()
    invoices, customers = store.tables.invoices, store.tables.customers
    row = shop.row(invoices)
    with store.write() as connection:
        connection.execute(delete(invoices))
    stripe_stand_in.put(dispute_of(NO_ORDER))

    with ThreadPoolExecutor(1) as worker:
        gate = stripe_stand_in.hold_next("dispute", "du_1")
        looking = worker.submit(shop.inbox.refresh, Ref("dispute", "du_1"), lane="pi_1")
        assert gate.arrived.wait(30)
        with store.write() as connection:
            connection.execute(store.locked(select(customers).where(customers.c.stripe_id == "cus_1"))).all()
            connection.execute(invoices.insert().values(**row))
            gate.open()
            if store.is_postgresql:
                until(lambda: looking.done() or someone_waits(connection), "the worker to want the customer")
        looking.result()

    assert "dispute.opened:du_1" in shop.facts()


def someone_waits(connection: Connection) -> bool:
    """For a lock that another transaction has."""
    return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
