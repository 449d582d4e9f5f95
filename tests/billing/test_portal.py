"""The customer portal: opened for who has something in it, as the catalog wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.customers import User
from paydesk.errors import NothingToManage, PortalRefused
from tests.billing.subscriber import ADA, Subscriber

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.portal import Destination
    from tests.billing.till import Till


@pytest.fixture
def ada(till: Till, client: stripe.StripeClient) -> Subscriber:
    return Subscriber(till, client)


PLANS = """
[plans.starter]
name = "Starter"
price = "$9/mo"

[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
seats_max = 50
"""
SUPPORT = """
[plans.telephone]
name = "Telephone"
price = "$99/mo"
slot = "support"

[plans.visits]
name = "Visits"
price = "$499/mo"
slot = "support"
"""


def configurations(client: stripe.StripeClient) -> list[stripe.billing_portal.Configuration]:
    expand = ["data.features.subscription_update.products"]
    return client.v1.billing_portal.configurations.list({"limit": 100, "expand": expand}).data


def purpose_of(configuration: stripe.billing_portal.Configuration) -> str | None:
    metadata = configuration.metadata
    return metadata["paydesk"] if metadata and "paydesk" in metadata else None


def configuration_for(client: stripe.StripeClient, purpose: str) -> stripe.billing_portal.Configuration:
    """Ours, by what its metadata says it is for."""
    (found,) = [each for each in configurations(client) if purpose_of(each) == purpose]
    return found


def test_the_portal_opens_for_a_customer(ada: Subscriber) -> None:
    """At Stripe, for this customer, with our configuration, and back to the account page."""
    ada.subscribes()

    url = ada.till.desk.portal(ADA)

    (call,) = ada.till.wire.sent("POST /v1/billing_portal/sessions")
    ours = configuration_for(ada.client, "portal")
    assert url.startswith("http")
    assert call.body == (
        f"customer={ada.customer.id}&return_url=https%3A%2F%2Fshop.example%2Faccount&configuration={ours.id}"
    )
    assert call.key is not None
    assert call.key.startswith("pdk_portal_")


@pytest.mark.parametrize(
    ("to", "flow"),
    [("card", "payment_method_update"), ("cancel", "subscription_cancel"), ("switch", "subscription_update")],
)
def test_a_link_leads_straight_to_one_thing(ada: Subscriber, to: Destination, flow: str) -> None:
    """The card, the end, another plan: of the subscription they have."""
    made = ada.subscribes()

    ada.till.desk.portal(ADA, to=to)

    (told,) = ada.client.v1.events.list({"type": "billing_portal.session.created"}).data
    session: Any = told.data.to_dict()["object"]
    assert session["flow"]["type"] == flow
    assert session["flow"]["after_completion"]["redirect"]["return_url"] == "https://shop.example/account"
    if to != "card":
        assert session["flow"][flow]["subscription"] == made


def test_who_has_nothing_is_told_so(ada: Subscriber) -> None:
    """No purchase yet, nothing to cancel any more; Stripe is not asked to invent a customer."""
    with pytest.raises(NothingToManage):
        ada.till.desk.portal(User("grace"))
    with pytest.raises(NothingToManage):
        ada.till.desk.portal(ADA, to="cancel")

    assert ada.till.wire.sent("POST") == []


def test_a_customer_deleted_at_stripe_has_nothing(ada: Subscriber) -> None:
    """Nobody here had heard of it; the next purchase makes a new one."""
    ada.client.v1.customers.delete(ada.customer.id)

    with pytest.raises(NothingToManage):
        ada.till.desk.portal(ADA)
    with pytest.raises(NothingToManage):
        ada.till.desk.portal(ADA)

    assert len(ada.till.wire.sent("POST")) == 1


def test_a_portal_nobody_has_set_up_says_what_to_do(unstocked_till: Till, client: stripe.StripeClient) -> None:
    """The catalog was never pushed, and nobody saved the settings in the Dashboard."""
    Subscriber(unstocked_till, client)

    with pytest.raises(PortalRefused, match=r"No configuration provided.*The catalog's push makes"):
        unstocked_till.desk.portal(ADA)


def test_the_configuration_is_looked_up_once_in_a_while(ada: Subscriber) -> None:
    """A click costs one call."""
    for _ in range(3):
        ada.till.desk.portal(ADA)

    assert len(ada.till.wire.sent("GET /v1/billing_portal/configurations")) == 1


def test_pushing_makes_one_configuration_for_the_plans(client: stripe.StripeClient) -> None:
    """Every price of every plan, seats where there are seats; and a second push changes nothing."""
    catalog = Catalog.parse(PLANS)
    catalog.push(client)
    catalog.push(client)

    (ours,) = configurations(client)
    update: Any = ours.features.subscription_update
    offered = {product.product: product for product in update.products}
    assert update.enabled
    assert set(offered) == {"paydesk_starter", "paydesk_pro"}
    assert len(offered["paydesk_pro"].prices) == 2
    assert offered["paydesk_pro"].adjustable_quantity.maximum == 50
    assert not offered["paydesk_starter"].adjustable_quantity.enabled
    assert ours.features.subscription_cancel.mode == "at_period_end"
    assert ours.features.payment_method_update.enabled
    assert ours.features.invoice_history.enabled


def test_a_changed_catalog_changes_the_same_configuration(client: stripe.StripeClient) -> None:
    """What the file says is what the portal does; what somebody set up by hand beside it is left alone."""
    Catalog.parse(PLANS).push(client)
    by_hand = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    (before,) = [each for each in configurations(client) if each.id != by_hand.id]
    changed = Catalog.parse(
        """
Pro: $29/mo → STRIPE_PRICE_PRO
[portal]
headline = "Your plan"
privacy_url = "https://shop.example/privacy"
cancel = "no"
switch = false
"""
    )

    changed.push(client)

    after = {each.id: each for each in configurations(client)}
    assert set(after) == {before.id, by_hand.id}
    assert after[before.id].business_profile.headline == "Your plan"
    assert not after[before.id].features.subscription_cancel.enabled
    assert not after[before.id].features.subscription_update.enabled
    assert after[by_hand.id].features.invoice_history.enabled


def test_a_plan_beside_the_main_one_is_changed_for_its_like(client: stripe.StripeClient) -> None:
    """Somebody with a plan and a telephone could otherwise make two plans of them: the front page offers to no one."""
    Catalog.parse(PLANS + SUPPORT).push(client)

    offered = {
        purpose_of(each): {product.product for product in each.features.subscription_update.products or ()}
        for each in configurations(client)
    }
    assert offered == {
        "portal": set(),
        "portal:main": {"paydesk_starter", "paydesk_pro"},
        "portal:support": {"paydesk_telephone", "paydesk_visits"},
    }


def test_a_slot_that_is_given_up_leaves_no_configuration_in_use(client: stripe.StripeClient) -> None:
    """Back to one slot, the front page offers the plans again; and there and back makes nothing twice."""
    for text in (PLANS + SUPPORT, PLANS, PLANS + SUPPORT, PLANS):
        Catalog.parse(text).push(client)

    active = [each for each in configurations(client) if each.active]
    assert len(configurations(client)) == 3
    assert [purpose_of(each) for each in active] == ["portal"]
    assert active[0].features.subscription_update.enabled


@pytest.mark.parametrize("to", ["cancel", "switch"])
def test_a_link_leads_to_the_subscription_of_its_slot(ada: Subscriber, to: Destination) -> None:
    """Whoever has a plan and a telephone cancels the one they clicked on."""
    Catalog.parse(PLANS + SUPPORT).push(ada.client)
    ada.subscribes()
    telephone = ada.subscribes("support")

    ada.till.desk.portal(ADA, to=to, slot="support")

    (told,) = ada.client.v1.events.list({"type": "billing_portal.session.created"}).data
    session: Any = told.data.to_dict()["object"]
    assert session["flow"][f"subscription_{'update' if to == 'switch' else to}"]["subscription"] == telephone
    assert (
        session["configuration"] == configuration_for(ada.client, "portal:support" if to == "switch" else "portal").id
    )
