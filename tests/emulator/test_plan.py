"""Plans: recurring prices as older code knows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
import stripe

from tests.emulator.invoicing import refused
from tests.emulator.paying import events
from tests.emulator.test_meter import meter


def planned(client: stripe.StripeClient, **more: Any) -> stripe.Plan:
    """A plan of $29 a month."""
    given: Any = {"currency": "usd", "amount": 2900, "interval": "month", "product": {"name": "Pro"}, **more}
    return client.v1.plans.create(given)


def test_a_plan_is_a_price_under_the_same_id(client: stripe.StripeClient) -> None:
    """Made either way, it can be read both ways."""
    plan = planned(client, id="pro-monthly", interval_count=3, trial_period_days=14, nickname="Quarterly")
    price = client.v1.prices.retrieve("pro-monthly")
    made = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount_decimal": Decimal("0.5"),
            "product": str(plan.product),
            "recurring": {"interval": "year"},
            "transform_quantity": {"divide_by": 10, "round": "up"},
        }
    )
    other = client.v1.plans.retrieve(made.id, {"expand": ["product"]})

    assert (plan.id, plan.amount, plan.interval, plan.interval_count) == ("pro-monthly", 2900, "month", 3)
    assert (plan.trial_period_days, plan.nickname, plan.active, plan.usage_type) == (14, "Quarterly", True, "licensed")
    assert price.recurring is not None
    assert (price.unit_amount, price.recurring.interval_count, price.product) == (2900, 3, plan.product)
    assert (other.amount, str(other.amount_decimal), other.interval) == (None, "0.5", "year")
    assert other.transform_usage is not None
    assert other.transform_usage.to_dict() == {"divide_by": 10, "round": "up"}
    assert isinstance(other.product, stripe.Product)
    assert client.v1.products.retrieve(str(plan.product)).name == "Pro"


def test_a_plan_is_told_of_as_plan_and_as_price(client: stripe.StripeClient) -> None:
    """The plan first; an update that no plan shows is told of as a price alone."""
    plan = planned(client)
    client.v1.plans.update(plan.id, {"nickname": "Monthly", "metadata": {"a": "1"}, "trial_period_days": 7})
    client.v1.prices.update(plan.id, {"lookup_key": "pro"})
    client.v1.prices.update(plan.id, {"active": False})
    client.v1.plans.delete(plan.id)

    assert events(client, "product.created") == [
        "plan.created",
        "price.created",
        "plan.updated",
        "price.updated",
        "price.updated",
        "plan.updated",
        "price.updated",
        "plan.deleted",
        "price.deleted",
    ]
    told = [event.data.to_dict() for event in client.v1.events.list({"type": "plan.updated"}).data]
    assert [one["previous_attributes"] for one in told] == [
        {"active": True},
        {"metadata": {"a": None}, "nickname": None, "trial_period_days": None},
    ]
    assert [one["object"]["id"] for one in told] == [plan.id, plan.id]


def test_a_plan_with_tiers_shows_them_when_asked(client: stripe.StripeClient) -> None:
    """As prices do; and usage is metered by a meter."""
    counted = meter(client)
    plan = planned(
        client,
        amount=None,
        billing_scheme="tiered",
        tiers_mode="graduated",
        tiers=[{"up_to": 5, "unit_amount": 100}, {"up_to": "inf", "flat_amount": 900}],
        usage_type="metered",
        meter=counted.id,
    )

    shown = client.v1.plans.retrieve(plan.id, {"expand": ["tiers"]}).to_dict()
    (listed,) = client.v1.plans.list({"expand": ["data.tiers"]}).data

    assert ("tiers" in plan, plan.tiers_mode, plan.amount, plan.meter) == (False, "graduated", None, counted.id)
    assert [(tier["up_to"], tier["unit_amount"], tier["flat_amount"]) for tier in shown["tiers"]] == [
        (5, 100, None),
        (None, None, 900),
    ]
    assert listed.to_dict()["tiers"] == shown["tiers"]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"product": None}, "product", "parameter_missing"),
        ({"product": "prod_nothing"}, "product", "resource_missing"),
        ({"product": {"name": " "}}, "product[name]", "parameter_invalid_string_blank"),
        ({"amount": None}, "amount", "parameter_missing"),
        ({"amount": -1}, "amount", "parameter_invalid_integer"),
        ({"amount_decimal": "0.5"}, None, None),
        ({"interval_count": 37}, "interval_count", None),
        ({"usage_type": "metered"}, "usage_type", None),
        ({"usage_type": "metered", "meter": "mtr_nothing"}, "meter", "resource_missing"),
        ({"transform_usage": {"divide_by": 0, "round": "up"}}, "transform_usage", None),
        ({"id": "taken"}, "id", "resource_already_exists"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    client: stripe.StripeClient, more: dict[str, Any], param: str | None, code: str | None
) -> None:
    """As its price would be, by the plan's own names for things."""
    planned(client, id="taken")

    with pytest.raises(stripe.InvalidRequestError) as wrong:
        planned(client, **more)

    assert (wrong.value.http_status, wrong.value.param, wrong.value.code) == (400, param, code)
    assert len(client.v1.plans.list().data) == 1


def test_the_amount_of_a_plan_never_changes(client: stripe.StripeClient) -> None:
    """Nor its currency or interval: what somebody agreed to pay stays what it was."""
    plan = planned(client)

    with refused("Received unknown parameter: amount"):
        client.v1.plans.update(plan.id, cast("Any", {"amount": 1}))


def test_a_plan_can_move_to_another_product(client: stripe.StripeClient) -> None:
    """Which its price then belongs to."""
    plan = planned(client)
    product = client.v1.products.create({"name": "Pro, again"})

    moved = client.v1.plans.update(plan.id, {"product": product.id, "active": False})

    assert (moved.product, moved.active) == (product.id, False)
    assert [price.id for price in client.v1.prices.list({"product": product.id}).data] == [plan.id]


def test_a_deleted_plan_is_gone_as_a_price_too(client: stripe.StripeClient) -> None:
    """The stub is a plan's; afterwards nothing has that id, and the product can be deleted."""
    plan = planned(client)

    stub = client.v1.plans.delete(plan.id)

    assert stub.to_dict() == {"id": plan.id, "object": "plan", "deleted": True}
    with pytest.raises(stripe.InvalidRequestError, match=f"No such plan: '{plan.id}'") as gone:
        client.v1.plans.retrieve(plan.id)
    assert gone.value.http_status == 404
    with refused(f"No such price: '{plan.id}'"):
        client.v1.prices.retrieve(plan.id)
    assert client.v1.products.delete(str(plan.product)).deleted is True


def test_a_one_time_price_is_no_plan(client: stripe.StripeClient) -> None:
    """Plans recur."""
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"name": "E-book"}})

    with refused("No such plan"):
        client.v1.plans.retrieve(price.id)
    assert client.v1.plans.list().data == []


def test_lists_are_narrowed(client: stripe.StripeClient) -> None:
    """By product and state, newest first, a page at a time."""
    first, second = planned(client), planned(client, active=False)
    client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": str(first.product)})

    def ids(**narrowed: Any) -> list[str]:
        return [plan.id for plan in client.v1.plans.list(cast("Any", narrowed)).data]

    assert ids() == [second.id, first.id]
    assert (ids(active=True), ids(active=False)) == ([first.id], [second.id])
    assert ids(product=str(first.product)) == [first.id]
    assert ids(limit=1, starting_after=second.id) == [first.id]
    assert ids(created={"gt": second.created}) == []
