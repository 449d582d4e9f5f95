"""What a user subscribes to, and changing it: from the mirror, and back into it at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.errors import ChangeRefused, IntervalRefused, SeatsRefused, StripeUnavailable, UnknownPlan
from tests.billing.subscriber import ADA, Subscriber

if TYPE_CHECKING:
    import stripe

    from tests.billing.till import Till
    from tests.emulator.controls import Controls


@pytest.fixture
def ada(till: Till, client: stripe.StripeClient) -> Subscriber:
    return Subscriber(till, client)


def test_who_has_nothing_has_no_subscription(till: Till) -> None:
    """And one that never began is none."""
    assert till.desk.subscription(ADA) is None


def test_a_subscription_says_how_it_stands(ada: Subscriber) -> None:
    """From the database alone: plan, seats, state, and what comes next."""
    ada.subscribes("pro_yearly", quantity=3)

    sub = ada.subscription

    assert (sub.plan, sub.seats, sub.status, sub.billed_every) == ("pro", 3, "active", "year")
    assert (sub.active, sub.on_trial, sub.ending, sub.past_due, sub.ended) == (True, False, False, False, False)
    assert sub.renews_at == sub.current_period_end is not None
    assert sub.ends_at is None


def test_the_live_one_goes_before_those_that_are_over(ada: Subscriber) -> None:
    """Whoever came back has what they have now; whoever left has what they had."""
    first = ada.subscribes("starter")
    ada.client.v1.subscriptions.cancel(first)
    ada.hears()
    assert (ada.subscription.id, ada.subscription.ended) == (first, True)

    second = ada.subscribes("pro")
    ada.client.v1.subscriptions.update(first, {"metadata": {"seen": "late"}})
    ada.hears()

    assert (ada.subscription.id, ada.subscription.active) == (second, True)


def test_swapping_changes_the_plan_here_and_there(ada: Subscriber) -> None:
    """One item, no second one; what comes back is what Stripe made of it."""
    ada.subscribes("starter")

    after = ada.subscription.swap("pro", seats=2)

    assert (after.plan, after.seats, after.amount_minor) == ("pro", 2, 5800)
    assert ada.is_mirrored()
    assert len(ada.at_stripe()["items"].data) == 1
    assert ada.till.rows(ada.till.desk.store.tables.facts)[-1]["type"] == "subscription.changed"


@pytest.mark.parametrize(("prorate", "invoices"), [("next", 1), ("now", 2), ("none", 1)])
def test_the_difference_is_settled_as_asked(ada: Subscriber, prorate: Any, invoices: int) -> None:
    """With the next invoice, now, or not at all."""
    ada.subscribes("starter")

    after = ada.subscription.swap("pro", prorate=prorate)

    made = ada.client.v1.invoices.list({"subscription": after.id}).data
    pending = ada.client.v1.invoice_items.list({"customer": ada.customer.id, "pending": True}).data
    assert len(made) == invoices
    assert bool(pending) == (prorate == "next")


def test_a_preview_is_what_the_change_then_costs(ada: Subscriber) -> None:
    """To the cent, and nothing is changed by asking."""
    ada.subscribes("starter")

    preview = ada.subscription.preview("pro", seats=3, prorate="now")
    assert ada.subscription.plan == "starter"
    ada.subscription.swap("pro", seats=3, prorate="now")

    invoice = ada.client.v1.invoices.retrieve(str(ada.at_stripe().latest_invoice))
    assert (preview.amount_due_minor, preview.currency) == (invoice.amount_paid, "usd")
    assert preview.proration_minor == preview.amount_due_minor
    assert sum(amount for _, amount in preview.lines) == invoice.total


def test_who_pays_by_the_year_goes_on_paying_by_the_year(ada: Subscriber) -> None:
    """More seats, another plan: the rhythm stays where the plan has it, and can be changed by name."""
    ada.subscribes("pro_yearly")

    more = ada.subscription.set_seats(4)
    assert (more.billed_every, more.seats, more.amount_minor) == ("year", 4, 4 * 29000)

    monthly = more.swap("pro", interval="month")
    assert (monthly.billed_every, monthly.seats) == ("month", 4)


def test_more_seats_keep_the_price_somebody_bought_at(ada: Subscriber) -> None:
    """The catalog's price went up meanwhile; that is no reason to charge an old customer more."""
    ada.subscribes("pro")
    old = ada.subscription.price_id
    current = ada.client.v1.prices.retrieve(str(old))
    dearer: Any = {
        "product": str(current.product),
        "currency": "usd",
        "unit_amount": 3900,
        "recurring": {"interval": "month"},
        "lookup_key": "pro",
        "transfer_lookup_key": True,
    }
    ada.client.v1.prices.create(dearer)

    after = ada.subscription.set_seats(2)

    assert (after.price_id, after.plan, after.amount_minor) == (old, "pro", 5800)


def test_cancelling_ends_it_when_what_is_paid_for_is_over(ada: Subscriber) -> None:
    """And until then it can be taken back."""
    ada.subscribes()

    ending = ada.subscription.cancel()
    assert (ending.active, ending.ending, ending.renews_at) == (True, True, None)
    assert ending.ends_at == ending.current_period_end

    back = ending.resume()
    assert (back.ending, back.ends_at) == (False, None)
    assert back.renews_at == back.current_period_end
    assert ada.is_mirrored()
    assert ada.at_stripe().cancel_at_period_end is False


def test_a_cancellation_made_in_the_portal_can_be_taken_back_too(ada: Subscriber) -> None:
    """There a moment is set, and the flag is not."""
    made = ada.subscribes()
    ada.client.v1.subscriptions.update(made, {"cancel_at": "min_period_end"})
    ada.hears()
    assert ada.subscription.ending

    assert not ada.subscription.resume().ending


def test_cancelling_at_once_is_the_end(ada: Subscriber) -> None:
    """The row stays, and says so."""
    ada.subscribes()

    over = ada.subscription.cancel(at_once=True)

    assert (over.status, over.ended, over.active) == ("canceled", True, False)
    assert over.ends_at == over.ended_at is not None
    assert ada.is_mirrored()


def test_a_pause_rests_until_it_is_resumed(ada: Subscriber) -> None:
    """Nothing is provided meanwhile."""
    ada.subscribes()

    resting = ada.subscription.pause()
    assert (resting.paused, resting.active, resting.renews_at) == (True, False, None)

    back = resting.resume()
    assert (back.paused, back.active) == (False, True)
    assert ada.is_mirrored()


def test_what_cannot_be_done_is_refused_with_the_reason(ada: Subscriber) -> None:
    """Before Stripe is asked where that is known, and in Stripe's words where it is not."""
    made = ada.subscribes()
    sub = ada.subscription

    with pytest.raises(ChangeRefused, match="it is neither cancelled nor paused"):
        sub.resume()
    with pytest.raises(UnknownPlan):
        sub.swap("gold")
    with pytest.raises(IntervalRefused):
        sub.swap("starter", interval="year")
    with pytest.raises(SeatsRefused):
        sub.set_seats(0)
    ada.client.v1.subscriptions.cancel(made)
    with pytest.raises(ChangeRefused, match="canceled"):
        sub.cancel()  # nobody here has heard of the end yet

    assert ada.subscription.ended  # but whoever was refused has
    with pytest.raises(ChangeRefused, match="it is canceled"):
        ada.subscription.cancel()


def test_a_payment_that_fails_leaves_everything_as_it_was(ada: Subscriber) -> None:
    """The plan too, here and there; the reason is Stripe's."""
    ada.subscribes("starter")
    declined = ada.client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.customer.id})
    ada.client.v1.customers.update(ada.customer.id, {"invoice_settings": {"default_payment_method": declined.id}})

    with pytest.raises(ChangeRefused) as refusal:
        ada.subscription.swap("pro", prorate="now")

    assert refusal.value.code == "card_declined"
    assert (ada.subscription.plan, ada.subscription.status) == ("starter", "active")
    assert ada.is_mirrored()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_crash_in_the_middle_changes_once(ada: Subscriber, cut: str) -> None:
    """Stripe was not reached, or its answer was lost: the worker finishes it under the same key."""
    ada.subscribes("starter")
    getattr(ada.till.wire, f"cut_{cut}")("POST /v1/subscriptions/")

    with pytest.raises(StripeUnavailable):
        ada.subscription.swap("pro", prorate="now")
    ada.till.wire.mend()
    ada.till.clock.advance(minutes=2)
    ada.till.desk.work()
    ada.hears()

    assert ada.subscription.plan == "pro"
    assert {row["state"] for row in ada.till.attempts} == {"done"}
    assert len(ada.client.v1.invoices.list({"subscription": ada.subscription.id}).data) == 2


def test_asking_again_after_a_lost_answer_joins_it(ada: Subscriber) -> None:
    """The same wish, the same key, one change; another wish comes after it."""
    ada.subscribes("starter")
    ada.till.wire.cut_after("POST /v1/subscriptions/")
    with pytest.raises(StripeUnavailable):
        ada.subscription.swap("pro", prorate="now")
    ada.till.wire.mend()

    after = ada.subscription.set_seats(5)

    assert (after.plan, after.seats) == ("pro", 5)
    assert [row["state"] for row in ada.till.attempts] == ["done", "done"]


def test_many_changes_at_once_are_done_one_after_the_other(ada: Subscriber, second_till: Till) -> None:
    """Two machines, six clicks, and webhooks in between: no key is used twice, and the mirror ends as Stripe is."""
    ada.subscribes("pro")
    subs = [ada.subscription, second_till.desk.subscription(ADA)] * 3
    ada.till.desk.start()

    with ThreadPoolExecutor(8) as pool:
        changes = [pool.submit(sub.set_seats, seats) for seats, sub in enumerate(subs, 2) if sub is not None]
        for _ in range(3):
            ada.till.deliver(ada.client, "customer.subscription.updated")
        results = [change.result(timeout=60) for change in changes]
    ada.till.desk.stop()
    ada.hears()

    assert len(results) == 6
    assert ada.is_mirrored()
    assert ada.subscription.seats in range(2, 8)
    assert {row["state"] for row in ada.till.attempts} == {"done"}
    assert len({row["key"] for row in ada.till.attempts}) == len(ada.till.attempts)


def test_every_verb_is_there_for_coroutines(ada: Subscriber) -> None:
    """The same functions, in a thread."""
    ada.subscribes("starter")
    aio = ada.till.desk.aio

    async def story() -> list[str | int | bool | None]:
        sub = await aio.subscription(ADA)
        assert sub is not None
        pro = await aio.swap(sub, "pro")
        more = await aio.set_seats(pro, 2)
        paused = await aio.pause(more)
        resumed = await aio.resume(paused)
        over = await aio.cancel(resumed, at_once=True)
        return [pro.plan, more.seats, paused.paused, resumed.active, over.ended]

    assert asyncio.run(story()) == ["pro", 2, True, True, True]


def test_grace_runs_out_where_only_the_sandboxs_clock_is_pushed(ada: Subscriber, controls: Controls) -> None:
    """The app's own clock stands at the day of the first payment, and the plan is on hold when Stripe's says so."""
    ada.subscribes()
    (card,) = ada.client.v1.payment_methods.list({"customer": ada.customer.id}).data
    controls.post(f"/payment_methods/{card.id}/behave", **{"as": "pm_card_chargeCustomerFail"})
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[3, 5, 7], subscription_at_end="past_due")

    allowed = []
    for days in (31, 4, 5):
        controls.push(days * 86_400 + 7200)
        ada.hears()
        allowed.append(ada.till.desk.allows(ADA, "export"))

    assert ada.subscription.past_due
    assert allowed == [True, True, False]
    assert ada.till.desk.access(ADA).is_on_hold("export")
