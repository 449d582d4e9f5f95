"""Portal sessions: an address for one customer, and for a short while."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.portal import RETURN_URL, configured, session


def test_a_session_is_an_address_for_a_customer(client: stripe.StripeClient) -> None:
    """It names what it is for; the address is long, and told to nobody but who asked for it and its listeners."""
    owner, configuration = customer(client, None), configured(client)

    opened = session(client, owner, configuration=configuration)

    assert (opened.customer, opened.configuration, opened.return_url) == (owner.id, configuration, RETURN_URL)
    assert (opened.flow, opened.locale, opened.on_behalf_of, opened.livemode) == (None, None, None, False)
    assert "/p/session/test_" in opened.url
    assert len(opened.url.rpartition("test_")[2]) > 60
    assert events(client)[-1] == "billing_portal.session.created"
    assert session(client, owner, configuration=configuration).url != opened.url


def test_without_a_default_a_session_must_name_its_configuration(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """What the API made is no default; saving the settings is what makes one."""
    owner = customer(client, None)
    configured(client)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.billing_portal.sessions.create({"customer": owner.id, "return_url": RETURN_URL})

    default = controls.post("/settings/portal")
    opened = client.v1.billing_portal.sessions.create({"customer": owner.id, "return_url": RETURN_URL})

    assert str(refusal.value.user_message) == (
        "No configuration provided and your test mode default configuration has not been created. Provide a "
        "configuration or create your default by saving your customer portal settings in test mode at "
        "https://dashboard.stripe.com/test/settings/billing/portal."
    )
    assert opened.configuration == default["id"]


def test_the_configuration_may_know_the_way_back(client: stripe.StripeClient) -> None:
    """`return_url` is needed where the configuration has no `default_return_url`."""
    owner = customer(client, None)
    knows, knows_not = configured(client, default_return_url="https://example.com/me"), configured(client)

    opened = client.v1.billing_portal.sessions.create({"customer": owner.id, "configuration": knows})
    with refused("return_url"):
        client.v1.billing_portal.sessions.create({"customer": owner.id, "configuration": knows_not})

    assert opened.return_url == "https://example.com/me"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"customer": "cus_x"}, "No such customer: 'cus_x'"),
        ({"customer": ""}, "customer"),
        ({"configuration": "bpc_x"}, "bpc_x"),
        ({"return_url": "account"}, "Invalid URL"),
        ({"on_behalf_of": "acct_x"}, "on_behalf_of"),
        ({"flow_data": {"type": "nonsense"}}, "flow_data"),
        ({"flow_data": {"type": "payment_method_update", "after_completion": {"type": "redirect"}}}, "redirect"),
        (
            {
                "flow_data": {
                    "type": "payment_method_update",
                    "after_completion": {"type": "redirect", "redirect": {"return_url": "x"}},
                }
            },
            "Invalid URL",
        ),
        (
            {"flow_data": {"type": "customer_update", "subscription_cancel": {"subscription": "sub_x"}}},
            "subscription_cancel",
        ),
    ],
)
def test_what_cannot_become_a_session_is_refused(client: stripe.StripeClient, changes: Any, sentence: str) -> None:
    """400, and nobody is told of a session."""
    owner = customer(client, None)

    with refused(sentence):
        session(client, owner, **changes)

    assert "billing_portal.session.created" not in events(client)


def test_a_configuration_that_is_switched_off_opens_nothing(client: stripe.StripeClient) -> None:
    """400."""
    configuration = configured(client)
    client.v1.billing_portal.configurations.update(configuration, {"active": False})

    with refused("not active"):
        session(client, customer(client, None), configuration=configuration)


def test_a_flow_is_kept_with_where_it_ends(client: stripe.StripeClient) -> None:
    """The customer is sent to do one thing."""
    owner = customer(client, None)

    plain = session(client, owner, flow_data={"type": "payment_method_update"})
    confirmed = session(
        client,
        owner,
        flow_data={
            "type": "customer_update",
            "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Thanks"}},
        },
    )

    assert plain.flow is not None
    assert plain.flow.to_dict()["after_completion"] == {
        "hosted_confirmation": None,
        "redirect": None,
        "type": "portal_homepage",
    }
    assert confirmed.flow is not None
    assert confirmed.flow.type == "customer_update"
    assert confirmed.flow.after_completion.hosted_confirmation is not None
    assert confirmed.flow.after_completion.hosted_confirmation.custom_message == "Thanks"


@pytest.mark.parametrize("kind", ["payment_method_update", "customer_update"])
def test_a_flow_needs_its_feature(client: stripe.StripeClient, kind: str) -> None:
    """400 where the configuration has it switched off."""
    configuration = configured(client, {"invoice_history": {"enabled": True}})

    with refused("feature in the portal configuration is disabled"):
        session(client, customer(client, None), configuration=configuration, flow_data={"type": kind})


def test_a_session_shows_its_configuration_to_who_expands_it(client: stripe.StripeClient) -> None:
    """The way there is as long as four steps."""
    opened = session(client, customer(client, None), expand=["configuration"])

    assert isinstance(opened.configuration, stripe.billing_portal.Configuration)
