"""Deep links for subscriptions, walked through: one thing to do, and on to where the seller wants the customer."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import events
from tests.emulator.portal import configured, path, session, switchable
from tests.emulator.subscribing import item, price, subscribed
from tests.emulator.wire import Wire

DONE = "https://example.com/done"


def led(client: stripe.StripeClient, kind: str, given: Any = None, **asked: Any) -> Any:
    """A subscription, the plan it may become, and a session that leads to one thing and then to the shop."""
    owner, pro = customer(client), price(client, 5000)
    subscription = subscribed(client, owner, **(given or {}))
    if kind == "subscription_update_confirm":
        asked["items"] = [{"id": item(subscription).id, "price": pro.id}]
    features = switchable(pro, proration_behavior="always_invoice") | {"subscription_pause": {"enabled": True}}
    flow = {
        "type": kind,
        kind: {"subscription": subscription.id, **asked},
        "after_completion": {"type": "redirect", "redirect": {"return_url": DONE}},
    }
    at = session(client, owner, configuration=configured(client, features), flow_data=flow)
    return subscription, pro, at


@pytest.mark.parametrize(
    ("kind", "room", "form", "field", "value"),
    [
        ("subscription_cancel", "/cancel", {}, "cancel_at_period_end", True),
        ("subscription_pause", "/pause", {"length": "1 month"}, "status", "paused"),
    ],
)
def test_a_flow_does_its_one_thing(
    client: stripe.StripeClient, visitor: Wire, kind: str, room: str, form: dict[str, str], field: str, value: Any
) -> None:
    """The home page leads there, no other room is open, and afterwards the shop is next."""
    subscription, _, at = led(client, kind)

    entered = visitor.get(path(at))
    elsewhere = visitor.get(path(at, "/details"))
    answer = post(visitor, at, room, **form)

    assert {entered.headers["location"], elsewhere.headers["location"]} == {path(at, room)}
    assert (answer.status, answer.headers["location"]) == (303, DONE)
    assert client.v1.subscriptions.retrieve(subscription.id).to_dict()[field] == value
    assert DONE in show(visitor, at)


def test_a_change_is_confirmed_in_one_step(client: stripe.StripeClient, visitor: Wire) -> None:
    """What it becomes is the seller's choice: a customer who asks for something else gets the same."""
    subscription, pro, at = led(client, "subscription_update_confirm")

    entered = visitor.get(path(at))
    page = show(visitor, at, "/confirm?quantity=9&price=price_x")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = post(visitor, at, "/confirm", **(fields | {"quantity": "9"}))

    held: Any = item(client.v1.subscriptions.retrieve(subscription.id))
    assert entered.headers["location"] == path(at, "/confirm")
    assert "Choose again" not in page
    assert answer.headers["location"] == DONE
    assert (held.price.id, held.quantity) == (pro.id, 1)


def test_a_plan_is_chosen_and_confirmed(client: stripe.StripeClient, visitor: Wire) -> None:
    """Two steps, and a card between them that does not end the flow."""
    subscription, pro, at = led(client, "subscription_update")

    card = post(visitor, at, "/card", test_card="5555555555554444")
    page = show(visitor, at, f"/confirm?price={pro.id}")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = post(visitor, at, "/confirm", **fields)

    held: Any = item(client.v1.subscriptions.retrieve(subscription.id))
    assert card.headers["location"] == path(at, "/update")
    assert answer.headers["location"] == DONE
    assert held.price.id == pro.id


def test_an_offer_keeps_the_customer(client: stripe.StripeClient, visitor: Wire) -> None:
    """The coupon is the subscription's, beside what it had; it is not canceled; the flow is over."""
    for name, percent in (("STAY", 30), ("OLD", 10)):
        client.v1.coupons.create({"id": name, "percent_off": percent, "duration": "repeating", "duration_in_months": 3})
    subscription, _, at = led(
        client,
        "subscription_cancel",
        given={"discounts": [{"coupon": "OLD"}]},
        retention={"type": "coupon_offer", "coupon_offer": {"coupon": "STAY"}},
    )

    page = show(visitor, at, "/cancel")
    answer = post(visitor, at, "/cancel", do="stay")

    held = client.v1.subscriptions.retrieve(subscription.id, {"expand": ["discounts"]}).to_dict()
    assert "30% off for 3 months" in page
    assert answer.headers["location"] == DONE
    assert [one["source"]["coupon"] for one in held["discounts"]] == ["OLD", "STAY"]
    assert held["cancel_at"] is None
    assert events(client, "billing_portal.session.created") == [
        "customer.discount.created",
        "customer.subscription.updated",
    ]


def test_an_offer_that_is_over_is_not_made(client: stripe.StripeClient, visitor: Wire) -> None:
    """Whoever clicks on it late is told; leaving is still possible."""
    client.v1.coupons.create({"id": "STAY", "percent_off": 30})
    subscription, _, at = led(
        client, "subscription_cancel", retention={"type": "coupon_offer", "coupon_offer": {"coupon": "STAY"}}
    )
    client.v1.coupons.delete("STAY")

    late = post(visitor, at, "/cancel", do="stay")
    page = show(visitor, at, "/cancel")

    assert late.status == 409
    assert "30% off" not in page
    assert client.v1.subscriptions.retrieve(subscription.id).discounts == []


def test_a_flow_that_came_too_late_says_so(client: stripe.StripeClient, visitor: Wire) -> None:
    """The subscription ended in between: there is nothing left to do, and a way back."""
    subscription, _, at = led(client, "subscription_cancel")
    client.v1.subscriptions.cancel(subscription.id)

    answer = visitor.get(path(at, "/cancel"))

    assert answer.status == 410
    assert b"nothing left to do" in answer.body
    assert at.return_url is not None
    assert at.return_url.encode() in answer.body
