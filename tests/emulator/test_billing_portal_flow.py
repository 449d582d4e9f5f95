"""Deep links for subscriptions: what a session is refused for, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, refused
from tests.emulator.portal import EVERYTHING, configured, session, switchable
from tests.emulator.subscribing import item, price, subscribed


@dataclass
class Shop:
    """A customer with a subscription, and a plan they may switch to."""

    client: stripe.StripeClient
    owner: stripe.Customer
    subscription: stripe.Subscription
    pro: stripe.Price
    configuration: str

    def flow(self, kind: str, **asked: Any) -> stripe.billing_portal.Session:
        """A session that leads to this one thing."""
        details: Any = {"subscription": self.subscription.id, **asked}
        return session(
            self.client,
            self.owner,
            configuration=self.configuration,
            flow_data={"type": kind, kind: details},
        )


@pytest.fixture
def shop(client: stripe.StripeClient) -> Shop:
    """Everything is switched on."""
    owner, pro = customer(client), price(client, 5000)
    features = switchable(pro) | {"subscription_pause": {"enabled": True}}
    return Shop(client, owner, subscribed(client, owner), pro, configured(client, features))


def test_each_flow_keeps_what_it_is_about(shop: Shop) -> None:
    """The subscription, the change, the offer; everything else is null."""
    coupon = shop.client.v1.coupons.create({"percent_off": 20, "duration": "once"})
    held = item(shop.subscription)

    cancel = shop.flow("subscription_cancel", retention={"type": "coupon_offer", "coupon_offer": {"coupon": coupon.id}})
    update = shop.flow("subscription_update")
    confirm = shop.flow("subscription_update_confirm", items=[{"id": held.id, "price": shop.pro.id, "quantity": 2}])
    pause = shop.flow("subscription_pause")

    about = {"subscription": shop.subscription.id}
    shown = [one.flow.to_dict() if one.flow is not None else {} for one in (cancel, update, confirm, pause)]
    assert shown[0]["subscription_cancel"] == about | {
        "retention": {"coupon_offer": {"coupon": coupon.id}, "type": "coupon_offer"}
    }
    assert shown[1]["subscription_update"] == about
    assert shown[2]["subscription_update_confirm"] == about | {
        "discounts": None,
        "items": [{"id": held.id, "price": shop.pro.id, "quantity": 2}],
    }
    assert shown[3]["subscription_pause"] == about
    assert shown[1]["subscription_cancel"] is None


@pytest.mark.parametrize(
    ("kind", "feature", "sentence"),
    [
        (
            "subscription_update",
            "subscription_update",
            "cannot be updated because the subscription update feature in the portal configuration is disabled.",
        ),
        ("subscription_update_confirm", "subscription_update", "subscription update feature"),
        ("subscription_cancel", "subscription_cancel", "feature in the portal configuration is disabled."),
        ("subscription_pause", "subscription_pause", "feature in the portal configuration is disabled."),
    ],
)
def test_a_flow_needs_its_feature(shop: Shop, kind: str, feature: str, sentence: str) -> None:
    """400 where the configuration has it switched off."""
    shop.configuration = configured(shop.client, EVERYTHING | {feature: {"enabled": False}})

    with refused(sentence):
        shop.flow(kind, **({"items": [{"id": item(shop.subscription).id}]} if "confirm" in kind else {}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cancel_at_period_end": True}, "The subscription is already set to be canceled at period end"),
        ({"cancel_at": 2000000000}, "This subscription is already set to be canceled"),
    ],
)
def test_an_end_that_is_set_is_not_set_again(shop: Shop, change: Any, sentence: str) -> None:
    """400, in words that tell the two ends apart."""
    shop.client.v1.subscriptions.update(shop.subscription.id, change)

    with refused(sentence):
        shop.flow("subscription_cancel")


def test_a_change_must_change_something(shop: Shop) -> None:
    """The same price and the same quantity: there is nothing to confirm."""
    held = item(shop.subscription)

    with refused("Cannot update the subscription because there are no changes to confirm."):
        shop.flow("subscription_update_confirm", items=[{"id": held.id, "price": held.price.id, "quantity": 1}])


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([], "items"),
        ([{"id": "si_x", "quantity": 2}], "Invalid subscription_item id: si_x"),
        ([{"id": "HELD", "price": "price_x"}], "price_x"),
        ([{"id": "HELD", "price": "PRO", "quantity": 21}], "20"),
        ([{"id": "HELD", "quantity": 2}, {"id": "HELD", "quantity": 3}], "subscription item"),
    ],
)
def test_a_change_is_one_that_the_configuration_offers(shop: Shop, items: list[Any], sentence: str) -> None:
    """Exactly one item, the subscription's own, at a price that is listed, in a quantity within its bounds."""
    known = {"HELD": item(shop.subscription).id, "PRO": shop.pro.id}
    asked = [{name: known.get(str(value), value) for name, value in one.items()} for one in items]

    with refused(sentence):
        shop.flow("subscription_update_confirm", items=asked)


@pytest.mark.parametrize("kind", ["subscription_cancel", "subscription_update", "subscription_pause"])
def test_a_flow_is_about_the_customers_own_subscription(shop: Shop, kind: str) -> None:
    """Another's is one that is not there."""
    theirs = subscribed(shop.client, customer(shop.client))

    with refused(f"No such subscription: '{theirs.id}'"):
        shop.flow(kind, subscription=theirs.id)


def test_several_products_cannot_be_changed_by_a_flow(shop: Shop) -> None:
    """Only cancelled."""
    shop.subscription = subscribed(shop.client, shop.owner, price(shop.client), price(shop.client, 700))

    with refused("cannot be updated"):
        shop.flow("subscription_update")
    assert shop.flow("subscription_cancel").flow is not None


def test_an_offer_is_of_a_coupon_that_can_be_had(shop: Shop) -> None:
    """400 for one that is not there, or is used up."""
    spent = shop.client.v1.coupons.create({"percent_off": 20, "max_redemptions": 1})
    subscribed(shop.client, customer(shop.client), discounts=[{"coupon": spent.id}])

    for coupon, sentence in (("NEVER", "No such coupon: 'NEVER'"), (spent.id, spent.id)):
        with refused(sentence):
            shop.flow("subscription_cancel", retention={"type": "coupon_offer", "coupon_offer": {"coupon": coupon}})
