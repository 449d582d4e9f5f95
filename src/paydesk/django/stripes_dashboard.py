"""Where Stripe's own dashboard shows an object of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.settings import STRIPE_API_BASE

if TYPE_CHECKING:
    from paydesk.billing.settings import Settings

DASHBOARD = "https://dashboard.stripe.com"

# By the beginning of an id, which says of what kind it is.
PLACES = {
    "cus": "customers",
    "du": "disputes",
    "evt": "events",
    "in": "invoices",
    "pi": "payments",
    "ch": "payments",
    "price": "prices",
    "prod": "products",
    "sub": "subscriptions",
}


def page_of(stripe_id: str | None, settings: Settings, *, livemode: bool | None) -> str | None:
    """The address of its page; None where there is none, as at a local Stripe."""
    if not stripe_id or settings.stripe_api_base != STRIPE_API_BASE:
        return None
    place = PLACES.get(stripe_id.partition("_")[0])
    if place is None:
        return None
    mode = "" if (settings.livemode if livemode is None else livemode) else "/test"
    return f"{DASHBOARD}{mode}/{place}/{stripe_id}"
