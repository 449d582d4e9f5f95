"""A changed catalog: what older subscriptions are called from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.billing.catalog import Catalog
from paydesk.billing.mirror.labels import relabel
from paydesk.billing.plans import PlanFinder
from tests.billing.shop import CREATED, Shop, customer
from tests.billing.subscribed import item, recurring_price, subscription

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn


def finder(text: str, **named: str) -> PlanFinder:
    return PlanFinder(Catalog.parse(text).plans, named)


def mirror(shop: Shop, stripe: StandIn, price: dict[str, Any], number: int) -> None:
    made = subscription(item(price, number=number), number=number)
    stripe.put(customer(), made)
    shop.deliver("customer.subscription.created", made, created=CREATED + number)
    shop.work()


def plans(shop: Shop) -> dict[str, tuple[str | None, str]]:
    return {row["id"]: (row["plan"], row["slot"]) for row in shop.rows(shop.store.tables.subscriptions)}


def test_a_catalog_that_names_a_price_names_what_was_bought_at_it(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Somebody subscribed before the plan stood in the file, or before its Secret was set."""
    for number in (1, 2):
        mirror(shop, stripe_stand_in, recurring_price("old", lookup_key=None), number)
    mirror(shop, stripe_stand_in, recurring_price("else"), 3)
    assert plans(shop)["sub_1"] == (None, "main")

    changed = relabel(shop.store, finder("Old: $9/mo → STRIPE_PRICE_OLD", OLD="price_old"))

    assert changed == 2
    assert plans(shop) == {"sub_1": ("old", "main"), "sub_2": ("old", "main"), "sub_3": (None, "main")}
    assert {row["plan"] for row in shop.rows(shop.store.tables.subscription_items)} == {"old", None}
    assert [fact for fact in shop.facts() if "changed" in fact] == []


def test_a_plan_that_left_the_catalog_is_no_plan_any_more(shop: Shop, stripe_stand_in: StandIn) -> None:
    """What it allowed, nobody knows any longer; the price says what it was."""
    mirror(shop, stripe_stand_in, recurring_price("starter", 900), 1)
    assert plans(shop)["sub_1"][0] == "starter"

    relabel(shop.store, finder("Pro: $29/mo → STRIPE_PRICE_PRO"))

    assert plans(shop)["sub_1"][0] is None


def test_a_plan_that_moved_to_another_slot_takes_its_subscriptions_along(shop: Shop, stripe_stand_in: StandIn) -> None:
    """And doing it again changes nothing."""
    mirror(shop, stripe_stand_in, recurring_price("pro"), 1)
    moved = finder('[plans.pro]\nname = "Pro"\nprice = "$29/mo"\nslot = "beside"')

    assert relabel(shop.store, moved) == 1
    assert plans(shop)["sub_1"] == ("pro", "beside")
    assert relabel(shop.store, moved) == 0
