"""Subscribing: one page at a time, and never two subscriptions, whoever clicks what, where and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk.billing.customers import User
from paydesk.errors import (
    AlreadySubscribed,
    IntervalRefused,
    SeatsRefused,
    StripeUnavailable,
    UnknownPlan,
)
from tests.billing.paying import pay
from tests.billing.till import customers_at_stripe, sessions_at_stripe

if TYPE_CHECKING:
    import stripe

    from tests.billing.till import Till

ADA = User(id="ada", email="ada@example.com")


def subscriptions_at_stripe(client: stripe.StripeClient) -> list[stripe.Subscription]:
    return client.v1.subscriptions.list({"limit": 100, "status": "all"}).data


def signups(till: Till) -> list[dict[str, Any]]:
    return sorted(till.rows(till.desk.store.tables.signups), key=lambda row: row["created_at"])


def hear(till: Till, client: stripe.StripeClient) -> None:
    till.deliver(client)
    till.desk.work()


def later(till: Till) -> None:
    """Longer than any double click."""
    till.clock.advance(seconds=30)


def test_a_subscription_is_paid_for_on_a_page_at_stripe(till: Till, client: stripe.StripeClient) -> None:
    """For the user's own customer, at the catalog's price, with our id on it wherever it goes."""
    signup = till.desk.subscribe("pro", user=ADA, seats=3)

    (session,) = sessions_at_stripe(client)
    (row,) = signups(till)
    assert (signup.plan, signup.seats, signup.billed_every, signup.trial_days) == ("pro", 3, "month", None)
    assert (session.mode, session.url, session.client_reference_id) == ("subscription", signup.url, signup.id)
    assert session.amount_total == 3 * 2900
    assert session.success_url == "https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}"
    assert (row["status"], row["session_id"], row["customer_id"]) == ("open", session.id, session.customer)


def test_the_mirror_shows_it_once_it_is_paid(till: Till, client: stripe.StripeClient) -> None:
    """Under the user's id, with the plan and the seats; and the sign-up knows what came of it."""
    pay(till.desk.subscribe("pro", user=ADA, seats=3, interval="year").url)

    hear(till, client)

    sub = till.desk.subscription(ADA)
    assert sub is not None
    assert (sub.plan, sub.seats, sub.status, sub.billed_every) == ("pro", 3, "active", "year")
    (row,) = signups(till)
    assert (row["status"], row["subscription_id"]) == ("complete", sub.id)
    assert till.desk.allows(ADA, "export")
    facts = [row["type"] for row in till.rows(till.desk.store.tables.facts)]
    assert sorted(facts) == ["invoice.paid", "subscription.started"]


def test_the_thanks_page_knows_before_any_webhook(till: Till, client: stripe.StripeClient) -> None:
    """A customer who is quicker than the webhook, or whose webhook is lost, is welcomed all the same."""
    pay(till.desk.subscribe("pro", user=ADA).url)
    (session,) = sessions_at_stripe(client)

    progress = till.desk.look_up_signup(session.id)

    assert progress is not None
    assert (progress.user_id, progress.plan, progress.stage) == ("ada", "pro", "subscribed")
    assert progress.subscription is not None
    assert progress.subscription.active
    assert till.desk.look_up_signup("cs_test_of_nobody") is None


def test_a_page_that_is_not_used_yet_can_be_gone_back_to(till: Till, client: stripe.StripeClient) -> None:
    """Whoever left it finds it again, until it closes."""
    signup = till.desk.subscribe("pro", user=ADA)
    (session,) = sessions_at_stripe(client)
    progress = till.desk.look_up_signup(session.id)
    assert progress is not None
    assert (progress.stage, progress.pay_url) == ("open", signup.url)

    client.v1.checkout.sessions.expire(session.id)

    progress = till.desk.look_up_signup(session.id)
    assert progress is not None
    assert (progress.stage, progress.pay_url, progress.subscription) == ("expired", None, None)


def test_a_page_whose_time_is_over_is_offered_to_nobody(till: Till, client: stripe.StripeClient) -> None:
    """Nobody has told us that it closed, and Stripe does not answer just now: the link would lead nowhere."""
    signup = till.desk.subscribe("pro", user=ADA)
    (session,) = sessions_at_stripe(client)
    assert signup.expires_at == datetime.fromtimestamp(session.expires_at, UTC)
    till.clock.moment = signup.expires_at
    till.wire.cut_before("GET /v1/checkout/sessions")

    progress = till.desk.look_up_signup(session.id)

    assert progress is not None
    assert (progress.stage, progress.pay_url) == ("expired", None)
    till.wire.mend()
    assert till.desk.subscribe("pro", user=ADA).url != signup.url


def test_how_long_a_page_is_there_is_known_though_the_answer_was_lost(till: Till, client: stripe.StripeClient) -> None:
    """The webhook of the session, or a look at it, says so too."""
    signup = till.desk.subscribe("pro", user=ADA)
    (session,) = sessions_at_stripe(client)
    table = till.desk.store.tables.signups
    with till.desk.store.write() as connection:
        connection.execute(update(table).values(expires_at=None))

    till.desk.look_up_signup(session.id)

    assert [row["expires_at"] for row in signups(till)] == [signup.expires_at]


def test_what_the_catalog_does_not_have_is_not_sold(till: Till) -> None:
    """A browser can ask for anything; Stripe is not bothered with it."""
    with pytest.raises(UnknownPlan):
        till.desk.subscribe("gold", user=ADA)
    with pytest.raises(SeatsRefused):
        till.desk.subscribe("starter", user=ADA, seats=2)
    with pytest.raises(IntervalRefused):
        till.desk.subscribe("starter", user=ADA, interval="year")

    assert till.wire.calls == []


@pytest.mark.parametrize("seconds", [1, 3600])
def test_the_same_wish_gets_the_same_page(till: Till, client: stripe.StripeClient, seconds: int) -> None:
    """A double click, a second tab, somebody who comes back in an hour."""
    first = till.desk.subscribe("pro", user=ADA)
    till.clock.advance(seconds=seconds)

    second = till.desk.subscribe("pro", user=ADA)

    assert second == first
    assert len(sessions_at_stripe(client)) == len(signups(till)) == 1


WISHES: list[dict[str, Any]] = [{"plan": "starter"}, {"plan": "pro", "seats": 2}, {"plan": "pro", "interval": "year"}]


@pytest.mark.parametrize("other", WISHES)
def test_another_wish_closes_the_page_for_the_first(
    till: Till, client: stripe.StripeClient, other: dict[str, Any]
) -> None:
    """Nobody can pay on both: the first is expired before the second is opened."""
    till.desk.subscribe("pro", user=ADA)
    later(till)

    second = till.desk.subscribe(user=ADA, **other)

    states = {session.url: session.status for session in sessions_at_stripe(client)}
    assert states == {None: "expired", second.url: "open"}
    assert [row["status"] for row in signups(till)] == ["expired", "open"]


def test_a_page_that_was_just_used_wins_over_another_wish(till: Till, client: stripe.StripeClient) -> None:
    """Paid in one tab, another plan chosen in the next, and no webhook yet: there is one subscription."""
    pay(till.desk.subscribe("pro", user=ADA).url)
    later(till)

    with pytest.raises(AlreadySubscribed) as refusal:
        till.desk.subscribe("starter", user=ADA)

    (subscription,) = subscriptions_at_stripe(client)
    assert (refusal.value.subscription_id, refusal.value.plan) == (subscription.id, "pro")
    assert till.desk.subscription(ADA) is not None


def test_who_is_subscribed_is_not_sold_a_second_one(till: Till, client: stripe.StripeClient) -> None:
    """Not while it is live, cancelled or not; again once it is over."""
    pay(till.desk.subscribe("pro", user=ADA).url)
    hear(till, client)
    sub = till.desk.subscription(ADA)
    assert sub is not None
    with pytest.raises(AlreadySubscribed):
        till.desk.subscribe("pro", user=ADA)
    ending = sub.cancel()
    with pytest.raises(AlreadySubscribed):
        till.desk.subscribe("starter", user=ADA)

    ending.cancel(at_once=True)
    again = till.desk.subscribe("starter", user=ADA)

    assert again.plan == "starter"


def test_a_subscription_nobody_here_has_heard_of_counts_too(till: Till, client: stripe.StripeClient) -> None:
    """Its webhooks are lost, or it was made in the dashboard: Stripe is asked before a second one is sold."""
    till.desk.subscribe("pro", user=ADA)
    (session,) = sessions_at_stripe(client)
    client.v1.checkout.sessions.expire(session.id)
    later(till)
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": str(session.customer)})
    (price,) = client.v1.prices.list({"lookup_keys": ["starter"]}).data
    client.v1.subscriptions.create(
        {"customer": str(session.customer), "items": [{"price": price.id}], "default_payment_method": card.id}
    )

    with pytest.raises(AlreadySubscribed):
        till.desk.subscribe("pro", user=ADA)

    sub = till.desk.subscription(ADA)
    assert sub is not None
    assert sub.plan == "starter"


@pytest.mark.parametrize("plans", [["pro"] * 6, ["pro", "starter"] * 3])
def test_b7_many_tabs_on_two_machines_open_one_page(
    till: Till, second_till: Till, client: stripe.StripeClient, plans: list[str]
) -> None:
    """One customer, and one open page, whatever is clicked at once; whoever pays on it has one subscription."""
    desks = [till.desk, second_till.desk] * 3

    def click(number: int) -> str | None:
        try:
            return desks[number].subscribe(plans[number], user=ADA).url
        except StripeUnavailable:
            return None  # the others kept choosing other plans: told so, and free to click again

    with ThreadPoolExecutor(6) as pool:
        urls = list(pool.map(click, range(6)))

    pages = [session.url for session in sessions_at_stripe(client) if session.status == "open"]
    assert len(customers_at_stripe(client)) == 1
    assert len(pages) == 1
    assert pages[0] in urls
    assert [row["status"] for row in signups(till)].count("open") == 1


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("request_", ["POST /v1/customers", "POST /v1/checkout/sessions"])
def test_a_crash_while_the_page_is_opened_leaves_one_page(
    till: Till, client: stripe.StripeClient, cut: str, request_: str
) -> None:
    """The next click goes on where the last one died, under the same key."""
    getattr(till.wire, f"cut_{cut}")(request_)
    with pytest.raises(StripeUnavailable):
        till.desk.subscribe("pro", user=ADA)
    till.wire.mend()

    signup = till.desk.subscribe("pro", user=ADA)

    (session,) = sessions_at_stripe(client)
    assert session.url == signup.url
    assert len(customers_at_stripe(client)) == 1
    assert {row["state"] for row in till.attempts} == {"done"}


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_crash_while_a_page_is_closed_opens_no_second_one(till: Till, client: stripe.StripeClient, cut: str) -> None:
    """Another wish, and the line goes dead: when it is back, the first page is closed for sure."""
    till.desk.subscribe("pro", user=ADA)
    later(till)
    getattr(till.wire, f"cut_{cut}")(r"POST /v1/checkout/sessions/\w+/expire")
    with pytest.raises(StripeUnavailable):
        till.desk.subscribe("starter", user=ADA)
    till.wire.mend()

    till.desk.subscribe("starter", user=ADA)

    assert sorted(str(session.status) for session in sessions_at_stripe(client)) == ["expired", "open"]


def test_a_trial_is_given_once(till: Till, client: stripe.StripeClient) -> None:
    """Whoever had something in the slot before pays from the first day; and it can be left out, or given."""
    trial = till.desk.subscribe("pro", user=ADA, trial_days=14)
    pay(trial.url)
    hear(till, client)
    sub = till.desk.subscription(ADA)
    assert sub is not None
    assert (sub.on_trial, sub.trial_ends_at) == (True, sub.current_period_end)
    assert till.desk.allows(ADA, "export")

    sub.cancel(at_once=True)

    assert till.desk.subscribe("pro", user=ADA).trial_days is None


def test_a_customer_deleted_at_stripe_is_made_again(till: Till, client: stripe.StripeClient) -> None:
    """Nobody here had heard of it; the sign-up goes to a new customer of the same user."""
    till.desk.subscribe("pro", user=ADA)
    (session,) = sessions_at_stripe(client)
    client.v1.customers.delete(str(session.customer))
    later(till)

    signup = till.desk.subscribe("starter", user=ADA)

    (row,) = [row for row in signups(till) if row["id"] == signup.id]
    assert row["customer_id"] != session.customer
    assert row["status"] == "open"


def test_plans_of_different_slots_are_had_beside_each_other(till: Till, client: stripe.StripeClient) -> None:
    """A plan and something beside it: each is sold once."""
    pay(till.desk.subscribe("pro", user=ADA).url)
    hear(till, client)

    pay(till.desk.subscribe("support", user=ADA).url)
    hear(till, client)

    beside = till.desk.subscription(ADA, slot="support")
    assert beside is not None
    assert beside.plan == "support"
    with pytest.raises(AlreadySubscribed):
        till.desk.subscribe("support", user=ADA)
