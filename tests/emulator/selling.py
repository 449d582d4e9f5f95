"""What tests of Checkout Sessions ask for again and again."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

SUCCESS = "http://127.0.0.1:9/thanks?session_id={CHECKOUT_SESSION_ID}"
CANCEL = "http://127.0.0.1:9/pricing"


def price(client: stripe.StripeClient, amount: int = 1900, **more: Any) -> stripe.Price:
    """A price of a product of its own."""
    given: Any = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Field journal"}, **more}
    return client.v1.prices.create(given)


def line(amount: int = 1900, quantity: int = 1, **more: Any) -> Any:
    """A line item that describes its price."""
    described = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Field journal"}}
    return {"price_data": described, "quantity": quantity, **more}


def payment(**more: Any) -> Any:
    """The parameters of a session that can be paid."""
    return {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, "line_items": [line()], **more}


def opened(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    """A session that can be paid."""
    return client.v1.checkout.sessions.create(payment(**more))


def refusal(client: stripe.StripeClient, given: Any) -> stripe.InvalidRequestError:
    """How a session is refused."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(given)
    assert refused.value.http_status == 400
    return refused.value
