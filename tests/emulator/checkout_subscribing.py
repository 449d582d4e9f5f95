"""What tests of Checkout in mode subscription ask for again and again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import stripe

from tests.emulator.selling import SUCCESS, line
from tests.emulator.subscribing import price
from tests.emulator.wire import Reply, Wire


def asked(*lines: Any, **more: Any) -> Any:
    """The parameters of a session that sells these lines by subscription."""
    return {"mode": "subscription", "success_url": SUCCESS, "line_items": list(lines), **more}


def opened(client: stripe.StripeClient, *lines: Any, **more: Any) -> stripe.checkout.Session:
    """A session that sells these lines, or else one price of $25.00 a month."""
    sold = lines or ({"price": price(client).id, "quantity": 1},)
    return client.v1.checkout.sessions.create(asked(*sold, **more))


def confirm(wire: Wire, session: stripe.checkout.Session, method: str | None = "pm_card_visa", **more: Any) -> Reply:
    """Press the button."""
    given = {"email": "ada@example.com", **({} if method is None else {"payment_method": method}), **more}
    return wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(given))


def typed_in(number: str) -> dict[str, str]:
    """A card as the page's own URL takes it."""
    card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    return {
        "email": "ada@example.com",
        "payment_method_data[type]": "card",
        **{f"payment_method_data[card][{name}]": str(value) for name, value in card.items()},
    }


def finished(client: stripe.StripeClient, session: stripe.checkout.Session) -> Any:
    """The session as it is now, with all it has led to."""
    expand = ["subscription.latest_invoice.payments", "subscription.default_payment_method", "customer", "invoice"]
    return client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})


def nothing_begun(client: stripe.StripeClient) -> bool:
    """Whether there is no trace of a subscription, or of somebody who would pay for it."""
    lists: Any = (client.v1.customers.list(), client.v1.subscriptions.list(), client.v1.invoices.list())
    return not any(one.data for one in lists)


def sold(client: stripe.StripeClient) -> dict[str, Any]:
    """What can be sold, by name."""
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False}).id
    inside = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": True}).id
    meter = client.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    )
    in_packs: Any = {"transform_quantity": {"divide_by": 5, "round": "up"}}
    metered: Any = {"usage_type": "metered", "meter": meter.id}
    return {
        "plan": {"price": price(client).id, "quantity": 3},
        "yearly": {"price": price(client, 9901, "year").id, "quantity": 1},
        "taxed": {"price": price(client, 1999).id, "quantity": 1, "tax_rates": [vat]},
        "with tax in it": {"price": price(client, 1999).id, "quantity": 1, "tax_rates": [inside]},
        "tiered": {"price": in_tiers(client), "quantity": 5},
        "in packs": {"price": price(client, 700, **in_packs).id, "quantity": 11},
        "metered": {"price": price(client, 2, recurring=metered).id},
        "described": {
            "price_data": {
                "currency": "usd",
                "unit_amount": 1234,
                "product_data": {"name": "Made to measure"},
                "recurring": {"interval": "month"},
            },
            "quantity": 2,
        },
        "setup fee": line(4900),
        "taxed setup fee": line(1001, 3, tax_rates=[vat]),
    }


def in_tiers(client: stripe.StripeClient) -> str:
    """A price that has no amount of its own."""
    tiers: Any = [{"up_to": 2, "unit_amount": 1000, "flat_amount": 99}, {"up_to": "inf", "unit_amount": 333}]
    given: Any = {
        "currency": "usd",
        "recurring": {"interval": "month"},
        "product_data": {"name": "Seats"},
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": tiers,
    }
    return client.v1.prices.create(given).id
