"""One long life, as it has to go: from a trial to an upgrade, a card that fails, a customer who mends it, and the end.

It goes so whatever SDK drives it, and whatever clock it is lived by. The upgrade is Stripe's own example
of a proration: from $10 to $20 just half-way through a month of thirty days is 500 back and 1000 due.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.stories.local_stripe.story import Bill, Chapter, Line, Standing, Told

START: Final = "2030-03-18 12:00"
HALF_WAY: Final = "2030-04-16 12:00"
TRIAL: Final = (START, "2030-04-01 12:00")
_APRIL: Final = ("2030-04-01 12:00", "2030-05-01 12:00")
_REST_OF_APRIL: Final = (HALF_WAY, "2030-05-01 12:00")
_MAY: Final = ("2030-05-01 12:00", "2030-06-01 12:00")

_FREE: Final = Bill(
    "subscription_create", "paid", 0, 0, 0, 0, None, lines=(Line("Free trial for 1 × Basic", 0, *TRIAL),)
)
_FOR_APRIL: Final = Line("1 × Basic (at $10.00 / month)", 1000, *_APRIL)
_FOR_MAY: Final = Line("1 × Pro (at $20.00 / month)", 2000, *_MAY)
_MAY_PAID: Final = Bill("subscription_cycle", "paid", 2000, 2000, 2000, 1, None, lines=(_FOR_MAY,))


def _paid(amount: int, next_attempt: str) -> Told:
    """An invoice that is paid by its first attempt."""
    before = {
        "amount_paid": 0,
        "amount_remaining": amount,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "next_payment_attempt": next_attempt,
        "status": "open",
        "status_transitions": {"paid_at": None},
    }
    return Told("invoice.updated", before)


LIFE: Final = (
    Chapter(
        "A trial begins",
        Standing("trialing", 1000, *TRIAL),
        _FREE,
        told=(
            Told("customer.updated", {"currency": None}),
            Told("customer.subscription.created"),
            Told("invoice.created"),
            Told("invoice.finalized"),
            Told("invoice.paid"),
            Told("invoice.payment_succeeded"),
        ),
    ),
    Chapter(
        "It is about to end",
        Standing("trialing", 1000, *TRIAL),
        _FREE,
        told=(Told("invoice.upcoming"), Told("customer.subscription.trial_will_end")),
    ),
    Chapter(
        "April is billed",
        Standing("active", 1000, *_APRIL),
        Bill("subscription_cycle", "draft", 1000, 1000, 0, 0, "2030-04-01 13:00", lines=(_FOR_APRIL,)),
        told=(
            Told("invoice.created"),
            Told(
                "customer.subscription.updated",
                {"items": [[1000, *TRIAL]], "latest_invoice": "in", "status": "trialing"},
            ),
        ),
    ),
    Chapter(
        "April is paid",
        Standing("active", 1000, *_APRIL),
        Bill("subscription_cycle", "paid", 1000, 1000, 1000, 1, None, lines=(_FOR_APRIL,)),
        told=(
            Told("payment_intent.created"),
            Told("payment_intent.succeeded"),
            Told("charge.succeeded"),
            Told("invoice.finalized"),
            _paid(1000, "2030-04-01 13:00"),
            Told("invoice.paid"),
            Told("invoice.payment_succeeded"),
            Told("invoice_payment.paid"),
        ),
    ),
    Chapter(
        "Half-way through April she wants more",
        Standing("active", 2000, *_APRIL),
        Bill(
            "subscription_update",
            "paid",
            500,
            500,
            500,
            1,
            None,
            lines=(
                Line("Unused time on Basic after 16 Apr 2030", -500, *_REST_OF_APRIL),
                Line("Remaining time on Pro after 16 Apr 2030", 1000, *_REST_OF_APRIL),
            ),
        ),
        told=(
            Told("charge.succeeded"),
            Told(
                "customer.subscription.updated",
                {"items": [[1000, *_APRIL]], "latest_invoice": "in", "plan": 1000},
            ),
            Told("payment_intent.created"),
            Told("payment_intent.succeeded"),
            Told("invoiceitem.created"),
            Told("invoiceitem.created"),
            Told("invoice.created"),
            Told("invoice.finalized"),
            _paid(500, "2030-04-16 13:00"),
            Told("invoice.paid"),
            Told("invoice.payment_succeeded"),
            Told("invoice_payment.paid"),
        ),
    ),
    Chapter(
        "May cannot be collected",
        Standing("past_due", 2000, *_MAY),
        Bill("subscription_cycle", "open", 2000, 2000, 0, 1, "2030-05-02 21:00", lines=(_FOR_MAY,)),
        told=(
            Told("payment_method.attached"),
            Told("customer.updated", {"invoice_settings": {"default_payment_method": "pm"}}),
            Told("invoice.upcoming"),
            Told("invoice.created"),
            Told("customer.subscription.updated", {"items": [[2000, *_APRIL]], "latest_invoice": "in"}),
            Told("payment_intent.created"),
            Told("invoice.finalized"),
            Told("charge.failed"),
            Told("payment_intent.payment_failed"),
            Told("invoice.payment_failed"),
            Told(
                "invoice.updated",
                {"attempt_count": 0, "attempted": False, "next_payment_attempt": "2030-05-01 13:00"},
            ),
            Told("customer.updated", {"delinquent": False}),
            Told("customer.subscription.updated", {"status": "active"}),
        ),
    ),
    Chapter(
        "She leaves another card, which changes nothing yet",
        Standing("past_due", 2000, *_MAY),
        Bill("subscription_cycle", "open", 2000, 2000, 0, 1, "2030-05-02 21:00", lines=(_FOR_MAY,)),
        told=(
            Told("billing_portal.session.created"),
            Told("setup_intent.created"),
            Told("payment_method.attached"),
            Told("setup_intent.succeeded"),
            Told("customer.updated", {"invoice_settings": {"default_payment_method": "pm"}}),
        ),
    ),
    Chapter(
        "She pays what is open",
        Standing("active", 2000, *_MAY),
        _MAY_PAID,
        told=(
            Told("charge.succeeded"),
            Told("payment_method.attached"),
            Told("payment_intent.succeeded"),
            Told(
                "invoice.updated",
                {
                    "amount_paid": 0,
                    "amount_remaining": 2000,
                    "auto_advance": True,
                    "next_payment_attempt": "2030-05-02 21:00",
                    "status": "open",
                    "status_transitions": {"paid_at": None},
                },
            ),
            Told("invoice.paid"),
            Told("invoice.payment_succeeded"),
            Told("customer.updated", {"delinquent": True}),
            Told("invoice_payment.paid"),
            Told("customer.subscription.updated", {"status": "past_due"}),
        ),
    ),
    Chapter(
        "She will leave at the end of May",
        Standing("active", 2000, *_MAY, cancel_at=_MAY[1]),
        _MAY_PAID,
        told=(
            Told("billing_portal.session.created"),
            Told(
                "customer.subscription.updated",
                {
                    "cancel_at": None,
                    "cancel_at_period_end": False,
                    "canceled_at": None,
                    "cancellation_details": {"feedback": None, "reason": None},
                },
            ),
        ),
    ),
    Chapter(
        "It is over",
        Standing("canceled", 2000, *_MAY, cancel_at=_MAY[1], ended_at=_MAY[1]),
        _MAY_PAID,
        told=(Told("customer.subscription.deleted"),),
    ),
    Chapter(
        "Nothing comes after",
        Standing("canceled", 2000, *_MAY, cancel_at=_MAY[1], ended_at=_MAY[1]),
        _MAY_PAID,
        told=(),
    ),
)


def goes_as_from_checkout(chapters: Iterator[Chapter]) -> None:
    """A life that began in Checkout: it differs in how it begins, and in that the card is the subscription's own."""
    begun = next(chapters)
    assert (begun.standing, begun.bill) == (LIFE[0].standing, LIFE[0].bill)
    assert {
        "checkout.session.completed",
        "customer.subscription.created",
        "setup_intent.succeeded",
        "invoice.paid",
    } <= {told.type for told in begun.told}
    for told, must in zip(chapters, LIFE[1:], strict=True):
        assert (told.title, told.standing, told.bill) == (must.title, must.standing, must.bill)
        if "payment_method.attached" not in {news.type for news in must.told}:
            assert told == must
