"""Subscriptions on the portal: what the home page says of them, leaving, staying, and a pause."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, customer
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import events
from tests.emulator.portal import EVERYTHING, configured, path, session, switchable
from tests.emulator.subscribing import DAY, invoices, period, price, subscribed
from tests.emulator.wire import Wire


def day(moment: int) -> str:
    """A day as the page writes it."""
    date = datetime.fromtimestamp(moment, UTC)
    return f"{date:%B} {date.day}, {date.year}"


def leaving(client: stripe.StripeClient, owner: stripe.Customer, **feature: Any) -> stripe.billing_portal.Session:
    """A portal whose cancellation is as told."""
    features = EVERYTHING | {"subscription_cancel": {"enabled": True, **feature}}
    return session(client, owner, configuration=configured(client, features))


def now(client: stripe.StripeClient, subscription: stripe.Subscription) -> dict[str, Any]:
    """The subscription as it is now."""
    return client.v1.subscriptions.retrieve(subscription.id).to_dict()


def test_a_plan_is_shown_with_its_price_its_day_and_its_card(client: stripe.StripeClient, visitor: Wire) -> None:
    """What the customer has, until when, and what it is paid with."""
    owner = customer(client)
    subscription = subscribed(client, owner, items=[{"price": price(client, 2500).id, "quantity": 3}])

    page = show(visitor, session(client, owner))

    for words in (
        "Pro × 3",
        "$75.00 per month",
        f"Renews on {day(period(subscription)[1])}",
        "Paid with Visa •••• 4242",
    ):
        assert words in page
    assert "Cancel plan" in page
    assert "Change plan" not in page


def test_a_plan_that_nobody_can_buy_any_more_is_shown(client: stripe.StripeClient, visitor: Wire) -> None:
    """It was deleted, and whoever has it keeps it."""
    owner, sold = customer(client), price(client)
    subscribed(client, owner, sold)
    client.v1.plans.delete(sold.id)

    assert "$25.00 per month" in show(visitor, session(client, owner))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"trial_period_days": 14}, "Free trial until"),
        ({"collection_method": "send_invoice", "days_until_due": 30}, "You get an invoice for each period."),
        ({"cancel_at_period_end": True}, "Ends on"),
        ({"discounts": [{"coupon": "SPRING"}]}, "Spring sale: 20% off"),
    ],
)
def test_the_page_says_how_a_subscription_stands(
    client: stripe.StripeClient, visitor: Wire, more: Any, words: str
) -> None:
    """A trial, an end, a discount, an invoice."""
    client.v1.coupons.create({"id": "SPRING", "name": "Spring sale", "percent_off": 20, "duration": "forever"})
    owner = customer(client)
    subscribed(client, owner, **more)

    assert words in show(visitor, session(client, owner))


def test_what_is_owed_is_a_click_away(client: stripe.StripeClient, visitor: Wire) -> None:
    """A subscription whose first payment the bank wants to confirm."""
    owner = customer(client, "pm_card_threeDSecure2Required")
    subscription = subscribed(client, owner)

    page = show(visitor, session(client, owner))

    invoice = client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert "Waits for its first payment" in page
    assert f'href="{invoice.hosted_invoice_url}"' in page


def test_a_cancellation_waits_for_the_end_of_the_period(client: stripe.StripeClient, visitor: Wire) -> None:
    """As by the API, in one event, with what the customer had to say."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    reason = {"enabled": True, "options": ["too_expensive", "other"]}
    at = leaving(client, owner, cancellation_reason=reason)

    form = show(visitor, at, f"/cancel?subscription={subscription.id}")
    answer = post(
        visitor, at, f"/cancel?subscription={subscription.id}", feedback="too_expensive", comment="Too much for me"
    )

    ended = now(client, subscription)
    assert f"until {day(period(subscription)[1])}" in form
    assert (answer.status, answer.headers["location"]) == (303, path(at, "?told=canceled"))
    assert (ended["status"], ended["cancel_at_period_end"]) == ("active", True)
    assert ended["cancel_at"] == period(subscription)[1]
    assert ended["cancellation_details"] == {
        "comment": "Too much for me",
        "feedback": "too_expensive",
        "feedback_option": None,
        "reason": "cancellation_requested",
    }
    assert events(client, "billing_portal.session.created") == ["customer.subscription.updated"]
    assert before(client, "customer.subscription.updated")["cancel_at_period_end"] is False


def test_a_reason_nobody_offered_is_none(client: stripe.StripeClient, visitor: Wire) -> None:
    """Only what the configuration asks is kept."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    at = leaving(client, owner, cancellation_reason={"enabled": True, "options": ["unused"]})

    post(visitor, at, f"/cancel?subscription={subscription.id}", feedback="low_quality")

    assert now(client, subscription)["cancellation_details"]["feedback"] is None


@pytest.mark.parametrize(("proration", "items"), [("none", 0), ("create_prorations", 1)])
def test_a_cancellation_may_be_immediate(
    client: stripe.StripeClient, visitor: Wire, controls: Controls, proration: str, items: int
) -> None:
    """`customer.subscription.deleted`; what is left is credited where the configuration says so."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    controls.push(10 * DAY)
    at = leaving(client, owner, mode="immediately", proration_behavior=proration)

    post(visitor, at, f"/cancel?subscription={subscription.id}")

    assert now(client, subscription)["status"] == "canceled"
    assert events(client)[-1] == "customer.subscription.deleted"
    assert len(client.v1.invoice_items.list({"customer": owner.id, "pending": True}).data) == items
    assert "You have no plan at the moment." in show(visitor, at)


def test_a_customer_may_change_their_mind(client: stripe.StripeClient, visitor: Wire) -> None:
    """ "Don't cancel": everything is as before."""
    owner = customer(client)
    subscription = subscribed(client, owner, cancel_at_period_end=True)
    at = session(client, owner)

    page = show(visitor, at)
    post(visitor, at, "/keep", subscription=subscription.id)
    again = post(visitor, at, "/keep", subscription=subscription.id)

    kept = now(client, subscription)
    assert "Don’t cancel" in page
    assert "Cancel plan" not in page
    assert (kept["cancel_at"], kept["cancel_at_period_end"], kept["canceled_at"]) == (None, False, None)
    assert events(client, "billing_portal.session.created") == ["customer.subscription.updated"]
    assert again.status == 409


@pytest.mark.parametrize("room", ["/cancel", "/update", "/confirm", "/pause", "/keep", "/resume", "/card"])
def test_nobody_sees_to_anothers_subscription(client: stripe.StripeClient, visitor: Wire, room: str) -> None:
    """Whatever is asked for it, there is none."""
    secret = price(client, product_data={"name": "Secret plan"})
    theirs = subscribed(client, customer(client), secret, cancel_at_period_end=room == "/keep")
    features = switchable(price(client)) | {"subscription_pause": {"enabled": True}}
    at = session(client, customer(client), configuration=configured(client, features))
    was = now(client, theirs)

    answers = [
        visitor.get(path(at, f"{room}?subscription={theirs.id}")),
        post(visitor, at, f"{room}?subscription={theirs.id}", subscription=theirs.id, length="1 month"),
    ]

    assert all(b"Secret" not in answer.body for answer in answers)
    assert now(client, theirs) == was


@pytest.mark.parametrize(
    ("given", "may_change", "may_cancel"),
    [
        ({}, True, True),
        ({"trial_period_days": 5}, True, True),
        ({"collection_method": "send_invoice", "days_until_due": 3}, False, True),
        ({"cancel_at_period_end": True}, False, False),
    ],
)
def test_what_can_be_done_depends_on_how_it_stands(
    client: stripe.StripeClient, visitor: Wire, given: Any, may_change: bool, may_cancel: bool
) -> None:
    """Invoices that are sent, and an end that is set, leave less."""
    owner = customer(client)
    subscription = subscribed(client, owner, **given)
    at = session(client, owner, configuration=configured(client, switchable(price(client))))

    page = show(visitor, at)

    assert ("Change plan" in page) == may_change
    assert ("Cancel plan" in page) == may_cancel
    for room, is_open in (("/update", may_change), ("/cancel", may_cancel)):
        asked = visitor.get(path(at, f"{room}?subscription={subscription.id}"))
        assert asked.status == (200 if is_open else 404)


def test_several_products_and_usage_can_only_be_cancelled(client: stripe.StripeClient, visitor: Wire) -> None:
    """There is no telling which of them is meant."""
    owner = customer(client)
    subscribed(client, owner, price(client), price(client, 700))
    at = session(client, owner, configuration=configured(client, switchable(price(client))))

    page = show(visitor, at)

    assert "$7.00 per month" in page
    assert "Change plan" not in page
    assert "Cancel plan" in page


def test_a_pause_ends_by_itself(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """For as long as was chosen: then it is resumed, and billed anew."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    options = [{"interval": "week", "interval_count": 2}, {"interval": "month"}]
    feature = {"enabled": True, "duration": {"type": "interval_options", "interval_options": options}}
    at = session(client, owner, configuration=configured(client, EVERYTHING | {"subscription_pause": feature}))

    wrong = post(visitor, at, f"/pause?subscription={subscription.id}", length="9 years")
    post(visitor, at, f"/pause?subscription={subscription.id}", length="2 week")
    paused, page = now(client, subscription), show(visitor, at)
    controls.push(14 * DAY + 1)

    assert wrong.status == 422
    assert paused["status"] == "paused"
    assert "Paused until" in page
    assert "customer.subscription.paused" in events(client)
    assert "customer.subscription.resumed" in events(client)
    assert now(client, subscription)["status"] == "active"


def test_a_paused_plan_is_resumed_on_the_page(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """As by the API; the end of the pause that was planned is then no event any more."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    duration = {"type": "interval_options", "interval_options": [{"interval": "week"}]}
    feature = {"enabled": True, "duration": duration}
    at = session(client, owner, configuration=configured(client, EVERYTHING | {"subscription_pause": feature}))
    post(visitor, at, f"/pause?subscription={subscription.id}", length="1 week")

    post(visitor, at, "/resume", subscription=subscription.id)
    resumed = now(client, subscription)["status"]
    controls.push(8 * DAY)

    assert resumed == "active"
    assert events(client).count("customer.subscription.resumed") == 1


def test_the_card_of_one_subscription_is_changed_with_it(client: stripe.StripeClient, visitor: Wire) -> None:
    """One that has a card of its own is charged to the new one; so is everything else from now on."""
    owner = customer(client)
    own = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": owner.id})
    subscription = subscribed(client, owner, default_payment_method=own.id)
    at = session(client, owner)

    post(
        visitor,
        at,
        f"/card?subscription={subscription.id}",
        test_card="378282246310005",
    )

    chosen = str(now(client, subscription)["default_payment_method"])
    assert client.v1.payment_methods.retrieve(chosen).to_dict()["card"]["last4"] == "0005"
    assert events(client, "setup_intent.succeeded") == ["customer.updated", "customer.subscription.updated"]
    assert len(invoices(client, subscription)) == 1


def test_a_portal_lives_by_the_wall_and_its_customer_by_their_clock(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """A month on the customer's test clock: the portal is still open, and speaks of the customer's time."""
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1893456000})
    owner = customer(client, test_clock=clock.id)
    subscription = subscribed(client, owner)
    at = session(client, owner)
    first = show(visitor, at)

    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1893456000 + 40 * DAY})
    controls.settle()
    second = show(visitor, at)
    post(visitor, at, f"/cancel?subscription={subscription.id}")

    assert "Renews on February 1, 2030" in first
    assert "Renews on March 1, 2030" in second
    assert now(client, subscription)["canceled_at"] == 1893456000 + 40 * DAY
