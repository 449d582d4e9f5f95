"""Time: it stands still, passes when told to, and stops wherever something is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paydesk import User

if TYPE_CHECKING:
    from paydesk.testing import Billing
    from tests.testing.shop import Shop

ADA = User("ada", "ada@example.com")
BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_every_test_begins_at_the_same_moment(billing: Billing) -> None:
    """Today's tests are tomorrow's tests."""
    held = billing.subscribe("ada", "pro")

    assert billing.now == BEGINNING
    assert held.current_period_end == datetime(2026, 4, 2, 9, tzinfo=UTC)


def test_months_pass(billing: Billing) -> None:
    """Each renewal at its own time, heard of before the next."""
    billing.subscribe("ada", "pro")

    billing.advance("3 months 2 hours")

    assert billing.now == datetime(2026, 6, 2, 11, tzinfo=UTC)
    assert billing.facts.count("subscription.renewed") == 3
    assert len(billing.desk.invoices(ADA)) == 4
    assert billing.desk.verify().is_true


def test_the_app_may_be_down_while_time_passes(billing: Billing) -> None:
    """Then all of it comes at once, in any order."""
    billing.subscribe("ada", "pro")

    billing.advance("3 months 2 hours", settle=False)
    assert len(billing.desk.invoices(ADA)) == 1
    billing.deliver(shuffled=True, twice=True)
    billing.settle()

    assert len(billing.desk.invoices(ADA)) == 4
    assert billing.desk.verify().is_true


def test_time_passes_until_a_moment(billing: Billing) -> None:
    """Named by a date where that reads better."""
    billing.advance(datetime(2026, 12, 24, 18, tzinfo=UTC))

    assert billing.now == billing.stripe.now == datetime(2026, 12, 24, 18, tzinfo=UTC)


def test_an_open_checkout_runs_out(billing: Billing, shop: Shop) -> None:
    """What Stripe does by itself reaches the app, too."""
    checkout = billing.desk.checkout("ebook", user=ADA)

    billing.advance("25 hours")

    assert billing.desk.order(checkout.order.id).status == "expired"
    assert shop.shelf() == []
