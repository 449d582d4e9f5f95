"""Portal configurations: which switches customers find on the portal."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import before, refused
from tests.emulator.paying import events

OFF: Any = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "feedback_options": None,
            "options": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {"interval_options": [{"interval": "month", "interval_count": 1}], "type": "interval_options"},
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


def made(client: stripe.StripeClient, features: Any = None, **more: Any) -> stripe.billing_portal.Configuration:
    """A configuration with these features."""
    given: Any = {"features": features or {"invoice_history": {"enabled": True}}, **more}
    return client.v1.billing_portal.configurations.create(given)


def plan(client: stripe.StripeClient, product: stripe.Product, interval: str = "month", **more: Any) -> stripe.Price:
    """A recurring price of a product."""
    given: Any = {
        "product": product.id,
        "currency": "usd",
        "unit_amount": 1900,
        "recurring": {"interval": interval},
        **more,
    }
    return client.v1.prices.create(given)


def switchable(*products: Any, **more: Any) -> Any:
    """Features that let subscriptions be switched to these."""
    return {
        "payment_method_update": {"enabled": True},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "products": list(products),
            **more,
        },
    }


def test_what_is_not_asked_for_is_off(client: stripe.StripeClient) -> None:
    """Every switch is there; only the one that was asked for is on."""
    configuration = made(client, business_profile={"headline": "Ada's shop"}, name="Plain", metadata={"a": "1"})

    shown = configuration.to_dict()
    assert shown["features"] == OFF | {"invoice_history": {"enabled": True}}
    assert (shown["active"], shown["is_default"], shown["livemode"], shown["application"]) == (True, False, False, None)
    assert shown["business_profile"]["headline"] == "Ada's shop"
    assert (shown["name"], shown["metadata"], shown["default_return_url"]) == ("Plain", {"a": "1"}, None)
    assert events(client) == ["billing_portal.configuration.created"]


def test_an_update_changes_what_it_names(client: stripe.StripeClient) -> None:
    """The rest of a feature stays; lists are replaced; the event tells what was before."""
    configuration = made(
        client,
        {
            "subscription_cancel": {"enabled": True, "mode": "immediately", "proration_behavior": "create_prorations"},
            "customer_update": {"enabled": True, "allowed_updates": ["email", "address"]},
        },
    )

    changed = client.v1.billing_portal.configurations.update(
        configuration.id,
        {
            "features": {
                "subscription_cancel": {"cancellation_reason": {"enabled": True, "options": ["unused"]}},
                "customer_update": {"allowed_updates": ["name"]},
            },
            "default_return_url": "https://example.com/account",
        },
    )

    cancel = changed.features.subscription_cancel
    assert (cancel.enabled, cancel.mode, cancel.proration_behavior) == (True, "immediately", "create_prorations")
    assert (cancel.cancellation_reason.enabled, cancel.cancellation_reason.options) == (True, ["unused"])
    assert changed.features.customer_update.allowed_updates == ["name"]
    previous = before(client, "billing_portal.configuration.updated")
    assert previous["default_return_url"] is None
    assert previous["features"]["customer_update"] == {"allowed_updates": ["email", "address"]}


def test_an_update_of_nothing_is_no_event(client: stripe.StripeClient) -> None:
    """Whoever sets a switch as it stands tells nobody."""
    configuration = made(client)

    client.v1.billing_portal.configurations.update(
        configuration.id, {"features": {"invoice_history": {"enabled": True}}}
    )

    assert events(client) == ["billing_portal.configuration.created"]


def test_products_are_shown_to_who_expands_them(client: stripe.StripeClient) -> None:
    """What subscriptions may be switched to, each with its prices; changing them is an event too."""
    product = client.v1.products.create({"name": "Pro"})
    monthly, yearly = plan(client, product), plan(client, product, "year", unit_amount=19000)
    path = "features.subscription_update.products"
    wanted = {
        "product": product.id,
        "prices": [monthly.id, yearly.id],
        "adjustable_quantity": {"enabled": True, "minimum": 2, "maximum": 9},
    }
    configuration = made(client, switchable(wanted), expand=[path])

    plain = client.v1.billing_portal.configurations.retrieve(configuration.id)
    changed = client.v1.billing_portal.configurations.update(
        configuration.id,
        {
            "features": {"subscription_update": {"products": [{"product": product.id, "prices": [yearly.id]}]}},
            "expand": [path],
        },
    )

    assert configuration.features.subscription_update.to_dict()["products"] == [wanted]
    assert "products" not in plain.features.subscription_update
    assert changed.features.subscription_update.to_dict()["products"][0]["prices"] == [yearly.id]
    assert events(client)[-1] == "billing_portal.configuration.updated"


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (
            {"subscription_update": {"enabled": True, "default_allowed_updates": ["price"], "products": []}},
            "Cannot enable subscription updates while payment method update is disabled.",
        ),
        ({"subscription_cancel": {"enabled": True, "proration_behavior": "create_prorations"}}, "period"),
        (
            {"subscription_cancel": {"enabled": True, "mode": "immediately", "proration_behavior": "always_invoice"}},
            "create_prorations",
        ),
        ({"subscription_pause": {"enabled": True, "duration": {"type": "interval_options"}}}, "interval_options"),
        (
            {
                "subscription_pause": {
                    "duration": {
                        "type": "interval_options",
                        "interval_options": [{"interval": "month", "interval_count": 37}],
                    }
                }
            },
            "36",
        ),
        (switchable({"product": "prod_x", "prices": ["price_x"]}), "No such product: 'prod_x'"),
        (switchable(*({"product": "prod_x", "prices": ["price_x"]} for _ in range(11))), "exceeded maximum 10"),
    ],
)
def test_features_that_do_not_go_together_are_refused(
    client: stripe.StripeClient, features: Any, sentence: str
) -> None:
    """400, and there is no configuration."""
    with refused(sentence):
        made(client, features)

    assert client.v1.billing_portal.configurations.list().data == []


def test_an_update_is_held_to_the_same_rules(client: stripe.StripeClient) -> None:
    """Payment methods cannot be switched off under a change of plan."""
    configuration = made(client, switchable())

    with refused("Cannot enable subscription updates while payment method update is disabled"):
        client.v1.billing_portal.configurations.update(
            configuration.id, {"features": {"payment_method_update": {"enabled": False}}}
        )


def test_a_product_offers_its_own_recurring_prices_one_for_each_interval(client: stripe.StripeClient) -> None:
    """Whose price it is, whether it recurs, and whether a customer could tell it from the others."""
    product, other = (client.v1.products.create({"name": name}) for name in ("Pro", "Other"))
    monthly = plan(client, product)
    once = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 100})

    for prices, sentence in (
        ([plan(client, other).id], "does not belong"),
        ([once.id], "`type=recurring`"),
        ([monthly.id, plan(client, product).id], "same billing interval"),
    ):
        with refused(sentence):
            made(client, switchable({"product": product.id, "prices": prices}))


def test_saving_the_settings_makes_the_default(client: stripe.StripeClient, controls: Controls) -> None:
    """As in the Dashboard: once; it cancels and does not switch plans; what the API makes is never the default."""
    made(client)

    saved, again = controls.post("/settings/portal"), controls.post("/settings/portal")

    (default,) = client.v1.billing_portal.configurations.list({"is_default": True}).data
    assert saved["id"] == again["id"] == default.id
    assert default.features.subscription_cancel.enabled
    assert not default.features.subscription_update.enabled
    assert len(client.v1.billing_portal.configurations.list({"is_default": False}).data) == 1


def test_a_configuration_is_switched_off_unless_it_is_the_default(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """There is no deleting; lists tell the active ones."""
    configuration, default = made(client), controls.post("/settings/portal")

    client.v1.billing_portal.configurations.update(configuration.id, {"active": False})
    with refused("default"):
        client.v1.billing_portal.configurations.update(default["id"], {"active": False})

    listed = client.v1.billing_portal.configurations.list({"active": True}).data
    assert [one.id for one in listed] == [default["id"]]


@pytest.mark.parametrize(
    "given",
    [
        {"default_return_url": "account"},
        {"business_profile": {"privacy_policy_url": "example.com/privacy"}},
        {"business_profile": {"terms_of_service_url": "javascript://x"}},
    ],
)
def test_addresses_are_addresses(client: stripe.StripeClient, given: Any) -> None:
    """Nobody's browser is sent where it cannot go."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        made(client, **given)

    assert refusal.value.code == "url_invalid"
