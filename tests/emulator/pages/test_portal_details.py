"""Billing details on the portal: the customer's own update, told as the API tells it."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import before, customer
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import events
from tests.emulator.portal import RETURN_URL, configured, path, session
from tests.emulator.wire import Wire


def updatable(client: stripe.StripeClient, *allowed: str) -> str:
    """A configuration under which customers may change these."""
    return configured(client, {"customer_update": {"enabled": True, "allowed_updates": list(allowed)}})


def test_details_are_changed_as_by_the_api(client: stripe.StripeClient, visitor: Wire) -> None:
    """Every field at once, one `customer.updated` with what was before."""
    owner = customer(client, None)
    at = session(client, owner)

    answer = post(
        visitor,
        at,
        "/details",
        email="countess@example.com",
        name="Augusta Ada King",
        phone="+44 20 7946 0000",
        address_line1="12 St James's Square",
        address_city="London",
        address_postal_code="SW1Y 4JH",
        address_country="GB",
        shipping_name="Ada",
        shipping_line1="Ashley Combe",
        shipping_country="GB",
    )

    changed = client.v1.customers.retrieve(owner.id).to_dict()
    assert answer.status == 303
    assert answer.headers["location"] == path(at, "?told=details")
    assert (changed["email"], changed["name"]) == ("countess@example.com", "Augusta Ada King")
    assert changed["address"]["line1"] == "12 St James's Square"
    assert (changed["address"]["line2"], changed["address"]["country"]) == (None, "GB")
    assert (changed["shipping"]["name"], changed["shipping"]["address"]["line1"]) == ("Ada", "Ashley Combe")
    assert events(client, "billing_portal.session.created") == ["customer.updated"]
    assert before(client, "customer.updated")["email"] == "ada@example.com"
    assert "Your details were saved." in show(visitor, at, "?told=details")


def test_a_form_sent_as_it_was_changes_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """No event, and no address made of empty lines."""
    owner = customer(client, None)
    at = session(client, owner)

    post(visitor, at, "/details", email="ada@example.com", name="Ada Lovelace")

    assert client.v1.customers.retrieve(owner.id).address is None
    assert events(client, "billing_portal.session.created") == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "ada@"}, "Your email address is incomplete."),
        ({"email": ""}, "Enter your email address"),
        ({"email": "ada@example.com", "address_country": "ZZ"}, "Choose a country."),
        ({"email": "ada@example.com", "shipping_line1": "Dock 5"}, "Enter who receives"),
    ],
)
def test_a_mistake_is_named_beside_its_field(
    client: stripe.StripeClient, visitor: Wire, typed: dict[str, str], sentence: str
) -> None:
    """422, nothing saved, everything typed still there."""
    owner = customer(client, None)
    at = session(client, owner)

    answer = post(visitor, at, "/details", name="Somebody else", **typed)

    page = answer.body.decode()
    assert answer.status == 422
    assert sentence in page
    assert 'value="Somebody else"' in page
    assert client.v1.customers.retrieve(owner.id).name == "Ada Lovelace"


def test_what_may_not_change_does_not_whatever_is_sent(client: stripe.StripeClient, visitor: Wire) -> None:
    """The form has no field for it, and a hand-made one is not read."""
    owner = customer(client, None)
    at = session(client, owner, configuration=updatable(client, "phone"))

    form = show(visitor, at, "/details")
    post(visitor, at, "/details", phone="123", email="eve@example.com", name="Eve", balance="-99999")

    changed = client.v1.customers.retrieve(owner.id)
    assert 'name="email"' not in form
    assert (changed.phone, changed.email, changed.name, changed.balance) == (
        "123",
        "ada@example.com",
        "Ada Lovelace",
        0,
    )


@pytest.mark.parametrize(
    ("ending", "location"),
    [
        (
            {"type": "redirect", "redirect": {"return_url": "https://example.com/done?x=1"}},
            "https://example.com/done?x=1",
        ),
        ({"type": "portal_homepage"}, "?told=details"),
        ({"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "See you soon"}}, ""),
    ],
)
def test_a_flow_ends_where_it_was_told_to(
    client: stripe.StripeClient, visitor: Wire, ending: Any, location: str
) -> None:
    """Until then the one room is all there is; afterwards what the seller chose."""
    at = session(client, customer(client, None), flow_data={"type": "customer_update", "after_completion": ending})
    led_to = {place: visitor.get(path(at, place)).headers.get("location") for place in ("", "/card", "/invoices")}

    answer = post(visitor, at, "/details", email="ada@example.com", name="Ada King")

    assert set(led_to.values()) == {path(at, "/details")}
    assert answer.status == 303
    assert answer.headers["location"] == (location if "://" in location else path(at, location))
    after = show(visitor, at, "/details" if ending["type"] == "portal_homepage" else "/card")
    if ending["type"] != "portal_homepage":
        assert "You are all set" in after
        assert ("See you soon" in after) == (ending["type"] == "hosted_confirmation")
        assert (RETURN_URL in after) == (ending["type"] == "hosted_confirmation")


def test_a_tax_id_comes_changes_and_goes(client: stripe.StripeClient, visitor: Wire) -> None:
    """Each time with the events of the API; a number that cannot be one is refused beside its field."""
    owner = customer(client, None)
    at = session(client, owner, configuration=updatable(client, "tax_id"))

    wrong = post(visitor, at, "/details", tax_type="eu_vat", tax_value="DE12")
    for value in ("DE123456789", "DE123456789", "ATU12345678", ""):
        post(visitor, at, "/details", tax_type="eu_vat", tax_value=value)

    assert wrong.status == 422
    assert b'id="tax_value-wrong"' in wrong.body
    assert client.v1.customers.tax_ids.list(owner.id).data == []
    assert events(client, "billing_portal.session.created") == [
        "customer.tax_id.created",
        "customer.tax_id.deleted",
        "customer.tax_id.created",
        "customer.tax_id.deleted",
    ]


def test_a_tax_id_is_shown(client: stripe.StripeClient, visitor: Wire) -> None:
    """By what people call it."""
    owner = customer(client, None)
    client.v1.customers.tax_ids.create(owner.id, {"type": "gb_vat", "value": "GB123456789"})
    at = session(client, owner)

    assert "GB VAT" in show(visitor, at)
    assert 'value="GB123456789"' in show(visitor, at, "/details")
