"""Giving money back, exactly once for each time somebody means it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.customers import User
from paydesk.billing.facts import OrderRefunded
from paydesk.errors import NotRefundable, OrderNotFound, OutcomeUnknown, StripeUnavailable
from tests.billing.paying import pay

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.facts import Order
    from tests.billing.conftest import Clock
    from tests.billing.till import Till

ADA = User("ada", "ada@example.com")
REFUND = "POST /v1/refunds"


@pytest.fixture
def paid(till: Till) -> Order:
    """A paid order of two mugs, 25 euros."""
    checkout = till.desk.checkout("mug", user=ADA, quantity=2)
    pay(checkout.url)
    (row,) = till.orders
    return till.desk.look_up(row["session_id"]).order


@pytest.fixture
def returned(till: Till) -> list[tuple[int, bool]]:
    """What the app was told about money that went back."""
    told: list[tuple[int, bool]] = []

    @till.desk.on(OrderRefunded)
    def note(refunded: OrderRefunded) -> None:
        told.append((refunded.amount_minor, refunded.is_full))

    return told


def amounts_at_stripe(client: stripe.StripeClient) -> list[int]:
    return sorted(refund.amount for refund in client.v1.refunds.list().data)


def test_a_refund_gives_everything_back(
    till: Till, client: stripe.StripeClient, paid: Order, returned: list[tuple[int, bool]]
) -> None:
    """The answer already knows, before any webhook."""
    order = till.desk.refund(paid, reason="requested_by_customer")
    till.deliver(client)
    till.desk.work()

    assert (order.status, order.amount_refunded_minor) == ("refunded", 2500)
    assert amounts_at_stripe(client) == [2500]
    assert returned == [(2500, True)]


def test_partial_refunds_add_up(
    till: Till, client: stripe.StripeClient, paid: Order, returned: list[tuple[int, bool]]
) -> None:
    """Each is its own, and the last one makes it whole."""
    first = till.desk.refund(paid, amount_minor=500)
    second = till.desk.refund(paid.id, amount_minor=500)
    rest = till.desk.refund(paid)
    till.desk.work()

    assert [(order.status, order.amount_refunded_minor) for order in (first, second, rest)] == [
        ("paid", 500),
        ("paid", 1000),
        ("refunded", 2500),
    ]
    assert amounts_at_stripe(client) == [500, 500, 1500]
    assert returned == [(500, False), (500, False), (1500, True)]


def test_a_refund_is_known_as_our_own(till: Till, client: stripe.StripeClient, paid: Order) -> None:
    """At Stripe it names the order; its events carry our key."""
    till.desk.refund(paid)

    (refund,) = client.v1.refunds.list().data
    assert refund.metadata is not None
    assert refund.metadata.to_dict() == {"paydesk_order": paid.id}
    (event,) = client.v1.events.list({"type": "refund.created"}).data
    assert event.request is not None
    assert str(event.request.idempotency_key).startswith("pdk_refund_")


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_crash_in_the_middle_refunds_once(
    till: Till, client: stripe.StripeClient, clock: Clock, paid: Order, returned: list[tuple[int, bool]], place: str
) -> None:
    """Whether Stripe had done it or not when we died: the worker finishes it, and the money goes back once."""
    getattr(till.wire, f"cut_{place}")(REFUND)
    with pytest.raises(StripeUnavailable):
        till.desk.refund(paid, amount_minor=500)
    till.wire.mend()

    clock.advance(minutes=2)
    till.desk.work()
    till.deliver(client)
    till.desk.work()

    assert amounts_at_stripe(client) == [500]
    assert till.desk.order(paid.id).amount_refunded_minor == 500
    assert returned == [(500, False)]
    assert len({(call.key, call.body) for call in till.wire.sent(REFUND)}) == 1


def test_a_refused_key_leaves_the_promise_open(
    till: Till, client: stripe.StripeClient, clock: Clock, paid: Order
) -> None:
    """The money may be on its way already when the key is changed: what was begun is finished under the same key."""
    till.wire.cut_after(REFUND)
    with pytest.raises(StripeUnavailable):
        till.desk.refund(paid, amount_minor=500)
    till.wire.mend()
    till.wire.answer(REFUND, 401, b'{"error": {"type": "invalid_request_error", "message": "Expired API Key"}}')
    clock.advance(minutes=2)
    till.desk.work()

    till.desk.refund(paid, amount_minor=500)

    assert amounts_at_stripe(client) == [500]
    assert len({call.key for call in till.wire.sent(REFUND)}) == 1


def test_asking_again_after_a_crash_joins_the_first(till: Till, client: stripe.StripeClient, paid: Order) -> None:
    """Support clicks again when the page has failed; the customer gets the money once."""
    till.wire.cut_after(REFUND)
    with pytest.raises(StripeUnavailable):
        till.desk.refund(paid, amount_minor=500)
    till.wire.mend()

    order = till.desk.refund(paid, amount_minor=500)

    assert order.amount_refunded_minor == 500
    assert amounts_at_stripe(client) == [500]


def test_another_amount_is_a_refund_of_its_own(till: Till, client: stripe.StripeClient, paid: Order) -> None:
    """The first answer got lost; who then asks for all of it gets all of it, and no more."""
    till.wire.cut_after(REFUND)
    with pytest.raises(StripeUnavailable):
        till.desk.refund(paid, amount_minor=500)
    till.wire.mend()

    order = till.desk.refund(paid)

    assert (order.status, order.amount_refunded_minor) == ("refunded", 2500)
    assert amounts_at_stripe(client) == [500, 2000]


def test_a_refund_left_half_way_for_too_long_is_not_repeated(
    till: Till, client: stripe.StripeClient, clock: Clock, paid: Order
) -> None:
    """No worker ran meanwhile. After a day Stripe may have forgotten the key: asking again could pay twice."""
    till.wire.cut_after(REFUND)
    with pytest.raises(StripeUnavailable):
        till.desk.refund(paid, amount_minor=500)
    till.wire.mend()
    sent = len(till.wire.sent(REFUND))
    clock.advance(hours=24)

    with pytest.raises(OutcomeUnknown, match="pdk_refund_"):
        till.desk.refund(paid, amount_minor=500)
    assert len(till.wire.sent(REFUND)) == sent
    assert till.desk.order(paid.id).amount_refunded_minor == 500

    assert till.desk.refund(paid, amount_minor=500).amount_refunded_minor == 1000


def test_a_refund_that_a_refused_key_delays_is_not_called_impossible(
    till: Till, client: stripe.StripeClient, paid: Order
) -> None:
    """It is still promised: told otherwise, somebody would give the money back by hand as well."""
    till.wire.answer(REFUND, 401, b'{"error": {"type": "invalid_request_error", "message": "Expired API Key"}}')

    with pytest.raises(StripeUnavailable, match="Expired API Key"):
        till.desk.refund(paid, amount_minor=500)


def test_a_refund_is_made_though_the_answer_cannot_be_applied(
    till: Till, client: stripe.StripeClient, paid: Order
) -> None:
    """Stripe falls silent right after the refund: it is made, and the webhook tells the rest."""
    till.wire.cut_before("GET /v1/payment_intents")
    till.desk.refund(paid)
    till.wire.mend()

    till.deliver(client)
    till.desk.work()

    assert till.desk.order(paid.id).status == "refunded"


def test_a_refund_made_in_the_dashboard_is_noticed(
    till: Till, client: stripe.StripeClient, paid: Order, returned: list[tuple[int, bool]]
) -> None:
    """The ledger follows Stripe, whoever acts there."""
    client.v1.refunds.create({"payment_intent": str(paid.payment_intent_id), "amount": 700})
    till.deliver(client)
    till.desk.work()

    assert till.desk.order(paid.id).amount_refunded_minor == 700
    assert returned == [(700, False)]


@pytest.mark.parametrize("amount_minor", [0, -1, 2501])
def test_no_more_than_was_paid_goes_back(till: Till, paid: Order, amount_minor: int) -> None:
    """Stripe is not even asked."""
    with pytest.raises(NotRefundable, match=r"between nothing and €25\.00 can go back"):
        till.desk.refund(paid, amount_minor=amount_minor)

    assert till.wire.sent(REFUND) == []


def test_what_went_back_already_cannot_go_back_again(till: Till, paid: Order) -> None:
    """Nor can what was never paid."""
    till.desk.refund(paid)

    with pytest.raises(NotRefundable, match="all of it went back already"):
        till.desk.refund(paid)
    with pytest.raises(NotRefundable, match="it is pending, not paid"):
        till.desk.refund(till.desk.checkout("mug", user=User("bob")).order)
    with pytest.raises(OrderNotFound):
        till.desk.refund("ord_nothing")


def test_what_stripe_knows_better_is_said(till: Till, client: stripe.StripeClient, paid: Order) -> None:
    """Refunded in the dashboard a second ago, and no webhook yet."""
    client.v1.refunds.create({"payment_intent": str(paid.payment_intent_id)})

    with pytest.raises(NotRefundable, match="has already been refunded"):
        till.desk.refund(paid)
