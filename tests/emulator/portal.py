"""What tests of the customer portal ask for again and again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import stripe

RETURN_URL = "http://127.0.0.1:9/account"
EVERYTHING: Any = {
    "customer_update": {
        "enabled": True,
        "allowed_updates": ["email", "name", "address", "phone", "shipping", "tax_id"],
    },
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}


def switchable(*offered: stripe.Price, **more: Any) -> Any:
    """Features under which a subscription can become any of these, in any quantity from 1 to 20."""
    by_product: dict[str, list[str]] = {}
    for price in offered:
        by_product.setdefault(str(price.product), []).append(price.id)
    products = [
        {
            "product": product,
            "prices": prices,
            "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 20},
        }
        for product, prices in by_product.items()
    ]
    allowed = ["price", "quantity", "promotion_code"]
    update = {"enabled": True, "default_allowed_updates": allowed, "products": products, **more}
    return EVERYTHING | {"subscription_update": update}


def configured(client: stripe.StripeClient, features: Any = None, **more: Any) -> str:
    """The id of a configuration; everything that needs no plans is on unless `features` say otherwise."""
    given: Any = {"features": EVERYTHING if features is None else features, **more}
    return client.v1.billing_portal.configurations.create(given).id


def session(client: stripe.StripeClient, owner: stripe.Customer, **more: Any) -> stripe.billing_portal.Session:
    """A session for a customer; without a `configuration` it gets one with everything on."""
    given: Any = {"customer": owner.id, "return_url": RETURN_URL, **more}
    if "configuration" not in given:
        given["configuration"] = configured(client)
    return client.v1.billing_portal.sessions.create(given)


def path(opened: stripe.billing_portal.Session, below: str = "") -> str:
    """Where a page of a session is on its server."""
    return urlsplit(opened.url).path + below
