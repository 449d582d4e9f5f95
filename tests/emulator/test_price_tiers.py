"""Prices in tiers: what a unit costs depends on how many are bought."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, drafted, refused
from tests.emulator.selling import SUCCESS, opened, payment


def tiered(client: stripe.StripeClient, mode: str, **more: Any) -> stripe.Price:
    """Web fonts: 7 dollars each up to 5, 6.50 up to 10, then 6, and 20 dollars on top from the eleventh on."""
    given: Any = {
        "currency": "usd",
        "product_data": {"name": "Web fonts"},
        "billing_scheme": "tiered",
        "tiers_mode": mode,
        "tiers": [
            {"up_to": 5, "unit_amount": 700},
            {"up_to": 10, "unit_amount": 650},
            {"up_to": "inf", "unit_amount": 600, "flat_amount": 2000},
        ],
    }
    return client.v1.prices.create(given | more)


@pytest.mark.parametrize(
    ("mode", "quantity", "cost"),
    [
        ("graduated", 5, 3500),
        ("graduated", 6, 4150),
        ("graduated", 12, 9950),
        ("volume", 5, 3500),
        ("volume", 6, 3900),
        ("volume", 12, 9200),
    ],
)
def test_tiers_are_sold_in_checkout(client: stripe.StripeClient, mode: str, quantity: int, cost: int) -> None:
    """Graduated: each unit at its own band. Volume: all of them at the band of the whole."""
    price = tiered(client, mode)

    session = opened(client, line_items=[{"price": price.id, "quantity": quantity}])

    (line,) = client.v1.checkout.sessions.line_items.list(session.id).data
    assert (session.amount_total, line.amount_subtotal, line.quantity) == (cost, cost, quantity)


def test_tiers_are_sold_in_each_currency(client: stripe.StripeClient) -> None:
    """A further currency has tiers of its own."""
    price = tiered(
        client, "graduated", currency_options={"eur": {"tiers": [{"up_to": "inf", "unit_amount_decimal": "99.5"}]}}
    )

    session = opened(client, currency="eur", line_items=[{"price": price.id, "quantity": 3}])

    assert (session.currency, session.amount_total) == ("eur", 299)


@pytest.mark.parametrize(("mode", "first", "then"), [("graduated", 3500, 4150), ("volume", 3500, 3900)])
def test_tiers_are_invoiced(client: stripe.StripeClient, mode: str, first: int, then: int) -> None:
    """An item costs what its quantity does, also when that changes; bands have no unit amount in common."""
    ada = customer(client)
    price = tiered(client, mode)
    draft = drafted(client, ada)

    item = client.v1.invoice_items.create(
        {"customer": ada.id, "invoice": draft.id, "pricing": {"price": price.id}, "quantity": 5}
    )
    more = client.v1.invoice_items.update(item.id, {"quantity": 6})

    assert (item.amount, more.amount, more.quantity) == (first, then, 6)
    assert client.v1.invoices.retrieve(draft.id).total == then


def test_packs_stay_packs_when_there_are_more_of_them(client: stripe.StripeClient) -> None:
    """A new quantity is charged as the first was: by the pack."""
    ada = customer(client)
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1000,
            "product_data": {"name": "Screws"},
            "transform_quantity": {"divide_by": 5, "round": "up"},
        }
    )

    item = client.v1.invoice_items.create({"customer": ada.id, "pricing": {"price": price.id}, "quantity": 5})
    more = client.v1.invoice_items.update(item.id, {"quantity": 11})

    assert (item.amount, more.amount) == (1000, 3000)


def test_an_amount_of_the_customers_own_choice_cannot_be_invoiced(client: stripe.StripeClient) -> None:
    """Nobody has chosen it. In Checkout, where Stripe asks for it, the refusal says what is missing here."""
    ada = customer(client)
    price = client.v1.prices.create(
        {"currency": "usd", "custom_unit_amount": {"enabled": True}, "product_data": {"name": "Gift"}}
    )

    with refused("custom_unit_amount"):
        client.v1.invoice_items.create({"customer": ada.id, "pricing": {"price": price.id}})
    with refused("The local Stripe does not model"):
        client.v1.checkout.sessions.create(payment(line_items=[{"price": price.id, "quantity": 1}]))


def test_described_prices_have_no_tiers(client: stripe.StripeClient) -> None:
    """Tiers belong to prices that are kept: `price_data` knows none."""
    line: Any = {"price_data": {"currency": "usd", "billing_scheme": "tiered"}, "quantity": 1}

    with refused("Received unknown parameter"):
        client.v1.checkout.sessions.create({"mode": "payment", "success_url": SUCCESS, "line_items": [line]})
