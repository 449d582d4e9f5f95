"""Misuse: whoever asks for what cannot be is told what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.testing import Misused

if TYPE_CHECKING:
    from paydesk.testing import Billing


def crash(billing: Billing, *between: str) -> None:
    with billing.crash_between(*between):
        pass


def pay_a_paid_one(billing: Billing) -> None:
    checkout = billing.desk.checkout("ebook")
    billing.pay(checkout)
    billing.pay(checkout)


MISUSES: list[tuple[Callable[[Billing], Any], str]] = [
    (lambda billing: billing.pay("https://example.com"), "no payment page of this test's Stripe"),
    (lambda billing: billing.pay(billing.desk), "pay\\(\\) needs a page"),
    (lambda billing: billing.pay(billing.client.get("/pricing")), "leads to no payment page. It said 200"),
    (lambda billing: billing.pay(billing.desk.checkout("ebook"), card="1234"), "'1234' is no test card"),
    (lambda billing: billing.pay(billing.desk.checkout("ebook"), bank="sleeps"), "passes, fails, is left"),  # type: ignore[arg-type] # the misuse
    (pay_a_paid_one, "Nobody can pay at .* any more: This order was already paid"),
    (lambda billing: billing.buy("ada", "ebook", card="4000000000009995"), "refused: .*insufficient.* pay yourself"),
    (lambda billing: billing.cancel("ada"), "ada subscribes to nothing"),
    (lambda billing: billing.refund(billing.desk.checkout("ebook").order), "is pending, so there is no money"),
    (lambda billing: billing.dispute(billing.buy("ada", "ebook"), "regret"), "fraudulent, product_not_received"),
    (lambda billing: billing.advance("a while"), "no span of time. Write it like '1 month'"),
    (lambda billing: billing.advance(datetime(2020, 1, 1, tzinfo=UTC)), "Time does not go back: it is 2026-03-02"),
    (lambda billing: billing.advance(datetime(2030, 1, 1)), "has no time zone"),  # noqa: DTZ001 - the misuse
    (lambda billing: billing.lose_next("invoice.payed"), r"no event 'invoice.payed'. Did you mean invoice.paid\?"),
    (lambda billing: billing.deliver("invoice.paid"), "No invoice.paid waits to be delivered. Waiting: nothing"),
    (lambda billing: crash(billing, "lunch", "dinner"), 'There is: crash_between\\("receive", "apply"\\)'),
    (lambda billing: crash(billing, "receive", "apply"), "Nothing crashed"),
    (lambda billing: crash(billing, "receive", "apply", "POST /v1/refunds"), "is about a request"),
    (lambda billing: billing.stripe.fail_next("POST /v1/refunds", "flood"), "There are: error, lock_timeout"),
    (lambda billing: billing.stripe.control("POST", "/clock/advance", {}), "by"),
]


@pytest.mark.parametrize(("misuse", "told"), MISUSES)
def test_a_mistake_is_told_in_a_sentence(billing: Billing, misuse: Callable[[Billing], Any], told: str) -> None:
    """As a failure of the test, not as an error inside paydesk."""
    with pytest.raises(Misused, match=f"(?s){told}"):
        misuse(billing)


def test_what_was_to_be_lost_must_come(billing: Billing) -> None:
    """A test that loses nothing tests nothing."""
    billing.lose_next("invoice.paid")

    with pytest.raises(Misused, match="waited in vain"):
        billing.close()

    billing.subscribe("ada", "pro")
    billing.close()
