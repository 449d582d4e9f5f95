"""A second click at the very moment at which the first one's payment page is written down."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select

from paydesk.billing.attempts import Attempt, Attempts
from paydesk.billing.checkout import CreateSession
from paydesk.billing.customers import User
from paydesk.billing.stripe_api import StripeApi
from paydesk.errors import StripeUnavailable
from tests.billing.till import Till, sessions_at_stripe

if TYPE_CHECKING:
    import stripe

ADA = User("ada", "ada@example.com")

# How long the click is held up for the other one's sake. If that one waits for the click instead, it is in order too.
HELD_UP_SECONDS = 0.5


def finisher(till: Till) -> threading.Thread:
    """Somebody else who finishes the open attempt of the till's only order, as the first click or a worker would."""
    store = till.desk.store
    api = StripeApi(till.settings.stripe_secret_key, till.wire.stripe_url)
    attempts = Attempts(store, api, now=till.clock)
    attempts.register([CreateSession(store, till.clock)])
    with store.read() as connection:
        found = connection.execute(
            select(store.tables.attempts).where(store.tables.attempts.c.verb == "checkout")
        ).one()
    attempt = Attempt(found.key, found.verb, found.subject, found.params, found.created_at)
    return threading.Thread(target=attempts.finish, args=(attempt,))


def test_b7_a_click_joins_the_one_that_is_just_being_finished(
    till: Till, second_till: Till, client: stripe.StripeClient
) -> None:
    """Whatever it has read by then: the order has one payment page, so it cannot be paid twice."""
    till.wire.cut_after("POST /v1/checkout/sessions")
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    till.wire.mend()
    first = finisher(second_till)

    def finish_first(*asked: Any) -> None:
        if "FROM attempts" in asked[2] and first.ident is None:
            first.start()
            first.join(HELD_UP_SECONDS)

    event.listen(till.desk.store.engine, "before_cursor_execute", finish_first)
    checkout = till.desk.checkout("ebook", user=ADA)
    first.join()

    (session,) = sessions_at_stripe(client)
    assert checkout.url == session.url
    assert [row["session_id"] for row in till.orders] == [session.id]
    assert {attempt["state"] for attempt in till.attempts} == {"done"}
