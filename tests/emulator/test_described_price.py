"""Described prices: what is sold once, without a price of its own kept for it."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


def test_a_price_described_in_a_checkout_is_for_that_one_use(client: stripe.StripeClient) -> None:
    """It exists, but cannot be bought again; it does not hold its product back from being deleted."""
    product = client.v1.products.create({"name": "E-book"}).id

    client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.com/thanks",
            "line_items": [
                {"price_data": {"currency": "usd", "unit_amount": 1900, "product": product}, "quantity": 1},
                {
                    "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Gift"}},
                    "quantity": 1,
                },
            ],
        }
    )

    prices = client.v1.prices.list({"expand": ["data.product"]}).data
    gift = prices[0].product
    assert isinstance(gift, stripe.Product)
    assert ([price.active for price in prices], gift.active) == ([False, False], False)
    assert client.v1.products.delete(product).deleted is True


def test_a_description_says_what_it_is_for(client: stripe.StripeClient) -> None:
    """The refusal names where in the request it stands."""
    line: Any = {"price_data": {"currency": "usd", "unit_amount": -1, "product_data": {"name": "Gift"}}, "quantity": 1}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(
            {"mode": "payment", "success_url": "https://example.com/thanks", "line_items": [line]}
        )

    assert refused.value.param == "line_items[0][price_data][unit_amount]"
    assert client.v1.products.list().data == []
