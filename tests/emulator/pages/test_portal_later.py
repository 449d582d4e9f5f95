"""Changes on the portal that wait for the end of the period: planned, made, called off."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.pages.switching import opened
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import events
from tests.emulator.portal import path
from tests.emulator.subscribing import DAY, latest
from tests.emulator.wire import Wire


@pytest.mark.parametrize(
    ("condition", "wish", "waits"),
    [
        ("decreasing_item_amount", {"quantity": "2"}, True),
        ("decreasing_item_amount", {"quantity": "4"}, False),
        ("shortening_interval", {"quantity": "2"}, False),
    ],
)
def test_less_may_wait_for_the_end_of_the_period(
    client: stripe.StripeClient, visitor: Wire, condition: str, wish: dict[str, str], waits: bool
) -> None:
    """`schedule_at_period_end`: a schedule makes the change then; until then everything is as it was."""
    shop = opened(client, visitor, schedule_at_period_end={"conditions": [{"type": condition}]})
    shop.change(quantity="3")

    page = shop.see(**wish)
    answer = shop.do(page)

    schedule = client.v1.subscriptions.retrieve(shop.subscription.id).schedule
    assert ("Your plan changes on" in page) == waits
    assert answer.headers["location"] == path(shop.at, "?told=planned" if waits else "?told=changed")
    assert (schedule is not None) == waits
    assert shop.has() == (shop.pro.id, 3 if waits else int(wish["quantity"]))
    told = [event for event in events(client) if event.startswith("subscription_schedule")]
    assert told == (["subscription_schedule.created", "subscription_schedule.updated"] if waits else [])


def test_a_change_that_waits_is_made_when_the_period_ends(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """From years to months: billed at the new price from then on, and nothing is given back."""
    shop = opened(client, visitor, schedule_at_period_end={"conditions": [{"type": "shortening_interval"}]})
    shop.change(price=shop.yearly.id)
    end = client.v1.subscriptions.retrieve(shop.subscription.id).to_dict()["items"]["data"][0]["current_period_end"]

    shop.change()
    home = show(visitor, shop.at)
    controls.push(366 * DAY)

    assert "Changes to Pro on" in home
    assert "Change plan" not in home
    assert shop.has() == (shop.pro.id, 1)
    made = latest(client, shop.subscription)
    assert (made.billing_reason, made.total) == ("subscription_cycle", 2000)
    assert made.lines.data[0].period.start == end


def test_after_a_change_that_waited_there_may_be_another(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """The schedule has done what it was made for, and lets go."""
    shop = opened(client, visitor, schedule_at_period_end={"conditions": [{"type": "decreasing_item_amount"}]})
    shop.change(quantity="3")
    shop.change(quantity="2")
    for _ in range(4):
        shop.later(controls)

    page = show(visitor, shop.at)
    shop.change(quantity="5")

    assert "Changes to" not in page
    assert "Don’t change" not in page
    assert shop.has() == (shop.pro.id, 5)
    assert client.v1.subscriptions.retrieve(shop.subscription.id).schedule is None


@pytest.mark.parametrize("room", ["/keep", "/cancel"])
def test_a_change_that_waits_is_called_off(client: stripe.StripeClient, visitor: Wire, room: str) -> None:
    """ "Don't change", or a cancellation: the schedule lets go of the subscription."""
    shop = opened(client, visitor, schedule_at_period_end={"conditions": [{"type": "decreasing_item_amount"}]})
    shop.change(quantity="3")
    shop.change(quantity="2")

    answer = post(visitor, shop.at, room, subscription=shop.subscription.id)

    held = client.v1.subscriptions.retrieve(shop.subscription.id)
    assert answer.status == 303
    assert held.schedule is None
    assert held.cancel_at_period_end == (room == "/cancel")
    assert "subscription_schedule.released" in events(client)
    assert shop.has() == (shop.pro.id, 3)


def test_a_schedule_of_the_sellers_leaves_nothing_to_change(client: stripe.StripeClient, visitor: Wire) -> None:
    """Neither the plan, nor its end."""
    shop = opened(client, visitor)
    client.v1.subscription_schedules.create({"from_subscription": shop.subscription.id})

    page = show(visitor, shop.at)

    assert "Renews on" in page
    assert all(words not in page for words in ("Change plan", "Cancel plan", "Don’t change"))
    assert post(visitor, shop.at, "/keep", subscription=shop.subscription.id).status == 409
