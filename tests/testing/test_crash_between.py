"""Crashes: the app dies where it hurts, is started again, and everything is as if it had not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk import User
from paydesk.testing import HandlerFailed

if TYPE_CHECKING:
    from paydesk.testing import Billing
    from tests.testing.shop import Shop

ADA = User("ada", "ada@example.com")


@pytest.mark.parametrize(
    ("before", "after"), [("receive", "apply"), ("apply", "effect"), ("effect", "commit"), ("call", "commit")]
)
def test_the_worker_goes_on_after_a_crash(billing: Billing, shop: Shop, before: str, after: str) -> None:
    """Wherever it was, what is written in the database is written once."""
    checkout = billing.desk.checkout("ebook", user=ADA) if before != "call" else None

    with billing.crash_between(before, after):
        billing.pay(checkout or billing.desk.checkout("ebook", user=ADA))
    if checkout is None:
        billing.pay(billing.desk.checkout("ebook", user=ADA))

    assert shop.shelf() == ["ebook"]
    assert billing.desk.verify().is_true


def test_an_outside_effect_may_come_twice(billing: Billing, shop: Shop) -> None:
    """What a handler did elsewhere before the crash it does again: that is what its idempotency key is for."""
    with billing.crash_between("effect", "commit"):
        billing.subscribe("ada", "pro")

    assert shop.mails == ["customer.subscription.created"] * 2


def test_a_call_that_nobody_noted_is_not_made_again(billing: Billing) -> None:
    """Money goes back once, whoever asks again."""
    order = billing.buy("ada", "ebook")

    with billing.crash_between("call", "commit", "POST /v1/refunds"):
        billing.desk.refund(order)

    assert billing.desk.order(order.id).status == "refunded"
    assert len(billing.stripe.client.v1.refunds.list().data) == 1


def test_a_crash_in_a_request_reaches_no_customer(billing: Billing) -> None:
    """The app's own route dies with the process."""
    with billing.crash_between("call", "commit", "POST /v1/checkout/sessions"):
        billing.client.post("/checkout", json={"sku": "ebook"}, headers={"x-user": "ada"})

    assert len(billing.desk.orders(ADA)) == 1
    assert len(billing.stripe.client.v1.checkout.sessions.list().data) == 1


def test_a_handler_that_fails_fails_the_test(billing: Billing, shop: Shop) -> None:
    """With its own error as the cause; what it wrote is undone."""
    shop.breaks = ValueError("the printer is on fire")

    with pytest.raises(HandlerFailed, match=r"_deliver failed for fact:order\.paid") as failed:
        billing.buy("ada", "ebook")

    assert failed.value.__cause__ is shop.breaks
    assert shop.shelf() == []


def test_a_handler_may_fail_and_is_tried_again(billing: Billing, shop: Shop) -> None:
    """Where the test says so, as in production: later, and until it succeeds."""
    shop.breaks = ValueError("the printer is on fire")

    with billing.failures_allowed():
        billing.pay(billing.desk.checkout("ebook", user=ADA))
        billing.advance("10 minutes")
    shop.breaks = None
    billing.advance("1 hour")

    assert shop.shelf() == ["ebook"]


def test_stripe_fails_and_is_asked_again(billing: Billing, shop: Shop) -> None:
    """Without anybody waiting: the pauses in between are not slept."""
    billing.stripe.fail_next("POST /v1/checkout/sessions", status=500, times=2)
    billing.stripe.fail_next("POST /v1/checkout/sessions", "timeout_after")

    billing.buy("ada", "ebook")

    assert shop.shelf() == ["ebook"]
    assert len(billing.stripe.client.v1.checkout.sessions.list().data) == 1
