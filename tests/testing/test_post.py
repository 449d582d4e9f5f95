"""The post: webhooks in any order, twice, late, or lost, and an app that does not take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk import User
from paydesk.testing import WebhookRefused

if TYPE_CHECKING:
    from paydesk.testing import Billing
    from tests.testing.shop import Shop

ADA = User("ada", "ada@example.com")


def test_nothing_reaches_the_app_by_itself(billing: Billing, shop: Shop) -> None:
    """What has happened waits until it is delivered, and what was delivered until the worker works."""
    billing.pay(billing.desk.checkout("ebook", user=ADA), settle=False)
    assert "checkout.session.completed" in billing.waiting

    delivered = billing.deliver()
    assert "checkout.session.completed" in delivered
    assert billing.waiting == []
    assert shop.shelf() == []

    billing.settle()
    assert shop.shelf() == ["ebook"]


def test_events_come_shuffled_and_twice(billing: Billing, shop: Shop) -> None:
    """Stripe promises neither order nor once; the app sees the effect once."""
    billing.pay(billing.desk.subscribe("pro", user=ADA), settle=False)
    happened = billing.waiting

    delivered = billing.deliver(shuffled=True, twice=True)
    billing.settle()

    assert sorted(delivered) == sorted(happened * 2)
    assert delivered != happened * 2
    assert shop.mails == ["customer.subscription.created"]
    assert billing.desk.verify().is_true


def test_some_types_are_delivered_before_others(billing: Billing) -> None:
    """The rest waits."""
    billing.pay(billing.desk.checkout("ebook", user=ADA), settle=False)

    assert billing.deliver("charge.succeeded") == ["charge.succeeded"]

    assert "charge.succeeded" not in billing.waiting
    assert "checkout.session.completed" in billing.waiting


def test_a_lost_webhook_is_found_by_the_sweep(billing: Billing, shop: Shop) -> None:
    """The worker looks for what never arrived every few minutes: time has to pass, and nothing else."""
    billing.lose_next("checkout.session.completed")
    billing.lose_next("payment_intent.succeeded")
    billing.lose_next("charge.succeeded")
    billing.pay(billing.desk.checkout("ebook", user=ADA))
    assert shop.shelf() == []

    billing.advance("10 minutes")

    assert shop.shelf() == ["ebook"]


def test_only_the_next_one_is_lost(billing: Billing) -> None:
    """The one after it comes."""
    billing.subscribe("ada", "pro")
    billing.lose_next("invoice.paid")

    billing.advance("2 months 2 hours", settle=False)

    assert billing.waiting.count("invoice.paid") == 1


def test_webhooks_take_the_apps_own_route(billing: Billing, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its middleware and checks: a route behind a login is found out here, and not in production."""

    async def login(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": []})  # type: ignore[operator] # an ASGI app
        await send({"type": "http.response.body", "body": b"Please sign in"})  # type: ignore[operator] # as above

    monkeypatch.setattr(shop.app, "middleware_stack", login)

    with pytest.raises(WebhookRefused, match=r"answered 403 to the webhook .* at POST /webhooks/stripe: 'Please sign"):
        billing.buy("ada", "ebook")

    assert "checkout.session.completed" in billing.waiting
