"""Orders: whatever Stripe says, however often and in whatever order, the ledger ends up right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.mirror.orders import outcome_of
from tests.billing.shop import Shop, dispute, paid_session, payment, refund, session

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn


def test_a_paid_session_makes_its_order_paid(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The seller sees who paid what, and when."""
    order_id = shop.order()
    stripe_stand_in.put(paid_session(order_id, amount_total=1500, customer="cus_1"))

    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()

    row = shop.row(shop.store.tables.orders, id=order_id)
    assert row["status"] == "paid"
    assert (row["amount_minor"], row["email"], row["customer_id"]) == (1500, "ada@example.com", "cus_1")
    assert row["paid_at"] == shop.clock()
    assert row["object"]["id"] == row["session_id"]
    assert shop.facts() == [f"order.paid:{order_id}"]
    assert shop.event_states() == ["applied"]


def test_a_page_that_closed_unpaid_makes_its_order_expired(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Nobody paid in time, and the app can tell the customer so."""
    order_id = shop.order()
    stripe_stand_in.put(session(order_id, status="expired", url=None))

    shop.deliver("checkout.session.expired", session(order_id, status="expired"))
    shop.work()

    assert shop.status(order_id) == "expired"
    assert shop.facts() == [f"order.expired:{order_id}"]


def test_a_debit_that_is_refused_days_later_makes_its_order_failed(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A slow method is neither paid nor lost until the bank has spoken."""
    order_id = shop.order()
    processing = {"id": "pi_1", "object": "payment_intent", "status": "processing"}
    refused = {**processing, "status": "requires_payment_method", "last_payment_error": {"message": "No funds."}}

    stripe_stand_in.put(session(order_id, status="complete", payment_intent=processing))
    shop.deliver("checkout.session.completed", session(order_id))
    shop.work()
    assert shop.status(order_id) == "pending"

    stripe_stand_in.put(session(order_id, status="complete", payment_intent=refused))
    shop.deliver("checkout.session.async_payment_failed", session(order_id))
    shop.work()

    assert shop.status(order_id) == "failed"
    assert shop.row(shop.store.tables.facts)["body"]["reason"] == "No funds."


@pytest.mark.parametrize("given_up", ["expired", "failed"])
def test_y5_a_payment_that_comes_late_is_never_refused(shop: Shop, stripe_stand_in: StandIn, given_up: str) -> None:
    """The money is captured: an order we had given up is paid, and delivered, all the same."""
    order_id = shop.order(status=given_up)
    stripe_stand_in.put(paid_session(order_id))

    shop.deliver("checkout.session.async_payment_succeeded", paid_session(order_id))
    shop.work()

    assert shop.status(order_id) == "paid"
    assert shop.facts() == [f"order.paid:{order_id}"]


def test_an_order_is_found_by_the_id_its_session_carries(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A crash between Stripe's answer and our commit leaves an order that does not know its session."""
    order_id = shop.order(session_id=None)
    stripe_stand_in.put(paid_session(order_id))

    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()

    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["status"], row["session_id"]) == ("paid", paid_session(order_id)["id"])


def test_y4_c6_p5_b6_a_session_whose_order_is_not_here_yet_waits_for_it(shop: Shop, stripe_stand_in: StandIn) -> None:
    """An event that overtakes the row it is about is kept and tried again, not forgotten behind a 200."""
    order_id = "ord_000000000000000000077777"
    stripe_stand_in.put(paid_session(order_id))
    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()
    assert shop.event_states() == ["parked"]

    shop.order(id=order_id, session_id="cs_test_77777")
    shop.clock.advance(seconds=2)
    shop.work()

    assert shop.status(order_id) == "paid"
    assert shop.event_states() == ["applied"]


def test_a_session_that_is_not_ours_leaves_nothing(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Another part of the business may sell through the same account."""
    theirs = paid_session("ord_000000000000000000000009") | {"metadata": {}, "client_reference_id": "their-own-77"}
    stripe_stand_in.put(theirs)

    shop.deliver("checkout.session.completed", theirs)
    shop.work()

    assert shop.event_states() == ["applied"]
    assert shop.facts() == []


def test_a_payment_link_pays_no_order_of_ours(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Whoever opens one may write any reference into its address, such as that of their own, dearer order here."""
    order_id = shop.order(amount_minor=50_000)
    cheap = paid_session("ord_000000000000000000000009", amount_total=100) | {
        "metadata": {},
        "client_reference_id": order_id,
    }
    stripe_stand_in.put(cheap)

    shop.deliver("checkout.session.completed", cheap)
    shop.work()

    assert shop.status(order_id) == "pending"
    assert shop.facts() == []


def test_p7_a_guest_checkout_takes_nothing_from_the_order(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A session without a customer does not erase the customer we know."""
    order_id = shop.order(customer_id="cus_9", email="ada@example.com")
    stripe_stand_in.put(paid_session(order_id, customer=None, customer_details=None))

    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()

    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["customer_id"], row["email"]) == ("cus_9", "ada@example.com")


def test_refunds_add_up_until_the_order_is_refunded(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Each refund is a fact of its own, and the last says that nothing is left."""
    order_id = shop.order(status="paid", payment_intent_id=None)
    first, second = refund(order_id, 1, 900), refund(order_id, 2, 1000)

    stripe_stand_in.put(payment(order_id, refunds=[first]))
    shop.deliver("refund.created", first)
    shop.work()
    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["status"], row["amount_refunded_minor"]) == ("paid", 900)

    stripe_stand_in.put(payment(order_id, refunds=[second, first]))
    shop.deliver("charge.refunded", payment(order_id)["latest_charge"])
    shop.deliver("refund.created", second)
    shop.work()

    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["status"], row["amount_refunded_minor"]) == ("refunded", 1900)
    bodies = [row["body"] for row in shop.rows(shop.store.tables.facts)]
    assert [(body["amount_minor"], body["is_full"]) for body in bodies] == [(900, False), (1000, True)]
    assert len(shop.rows(shop.store.tables.refunds)) == 2


def test_a_refund_that_fails_later_gives_the_order_its_money_back(shop: Shop, stripe_stand_in: StandIn) -> None:
    """A bank may send a refund back; then the order is paid again."""
    order_id = shop.order(status="paid")
    made = refund(order_id, 1, 1900)
    stripe_stand_in.put(payment(order_id, refunds=[made]))
    shop.deliver("refund.created", made)
    shop.work()
    assert shop.status(order_id) == "refunded"

    stripe_stand_in.put(payment(order_id, refunds=[{**made, "status": "failed"}]))
    shop.deliver("refund.failed", made)
    shop.work()

    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["status"], row["amount_refunded_minor"]) == ("paid", 0)


def test_a_refund_heard_of_before_its_payment_counts_once_it_is_paid(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Events arrive in any order; the app hears paid first, then refunded."""
    order_id = shop.order()
    made = refund(order_id, 1, 1900)
    stripe_stand_in.put(payment(order_id, refunds=[made]), paid_session(order_id))
    shop.deliver("refund.created", made)
    shop.work()
    assert shop.facts() == []

    shop.deliver("checkout.session.completed", paid_session(order_id))
    shop.work()

    assert shop.status(order_id) == "refunded"
    assert shop.facts() == [f"order.paid:{order_id}", f"order.refunded:{made['id']}"]


def test_a_dispute_is_told_when_it_opens_and_when_it_closes(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The app can stop delivery, and knows by when to answer; the order stays marked."""
    order_id = shop.order(status="paid")
    stripe_stand_in.put(payment(order_id), dispute(order_id))
    shop.deliver("payment_intent.succeeded", payment(order_id))
    shop.deliver("charge.dispute.created", dispute(order_id))
    shop.work()
    row = shop.row(shop.store.tables.orders, id=order_id)
    assert (row["status"], row["disputed"]) == ("paid", True)

    stripe_stand_in.put(dispute(order_id, status="won"))
    shop.deliver("charge.dispute.closed", dispute(order_id, status="won"))
    shop.work()

    number = dispute(order_id)["id"]
    assert shop.facts() == [f"dispute.opened:{number}", f"dispute.closed:{number}"]
    assert shop.row(shop.store.tables.facts, type="dispute.closed")["body"]["status"] == "won"


def test_every_refund_is_found_where_a_charge_has_more_than_ten(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Stripe shows only the newest ten with a charge; the others are fetched."""
    order_id = shop.order(status="paid", amount_minor=1900)
    refunds = [refund(order_id, number, 100) for number in range(12)]
    shown = payment(order_id, refunds=refunds[:10])
    shown["latest_charge"]["refunds"]["has_more"] = True
    stripe_stand_in.put(shown)
    stripe_stand_in.put_list("/v1/refunds", refunds[10:])

    shop.deliver("charge.refunded", payment(order_id)["latest_charge"])
    shop.work()

    assert shop.row(shop.store.tables.orders, id=order_id)["amount_refunded_minor"] == 1200


@pytest.mark.parametrize(
    ("status", "said", "becomes"),
    [
        ("pending", {"status": "open", "payment_status": "unpaid"}, "pending"),
        ("pending", {"status": "complete", "payment_status": "paid"}, "paid"),
        ("pending", {"status": "complete", "payment_status": "no_payment_required"}, "paid"),
        # A session that only saves a card says from the start that no payment is required.
        ("pending", {"status": "open", "payment_status": "no_payment_required"}, "pending"),
        ("pending", {"status": "complete", "payment_status": "unpaid"}, "pending"),
        ("pending", {"status": "expired", "payment_status": "unpaid"}, "expired"),
        ("expired", {"status": "complete", "payment_status": "paid"}, "paid"),
        ("failed", {"status": "complete", "payment_status": "paid"}, "paid"),
        ("paid", {"status": "expired", "payment_status": "unpaid"}, "paid"),
        ("refunded", {"status": "complete", "payment_status": "paid"}, "refunded"),
    ],
)
def test_the_session_decides_but_nothing_takes_a_payment_back(status: str, said: dict[str, Any], becomes: str) -> None:
    """The whole table of what an order can become."""
    assert outcome_of(status, {"payment_intent": None, **said}) == becomes
