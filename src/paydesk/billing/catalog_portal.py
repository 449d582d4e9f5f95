"""What customers may do for themselves in Stripe's portal: the `[portal]` table of the catalog.

    [portal]
    headline = "FlareX: your plan and your invoices"
    cancel = "at_period_end"        # or "immediately", "no"
    switch = true                   # between the plans of this catalog

It is kept at Stripe as a configuration of our own, beside whatever else the
account has, and found again by its metadata.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.billing.plans import MAIN_SLOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import stripe

    from paydesk.billing.catalog_file import Entry
    from paydesk.billing.plans import Plan

# Under these keys a configuration says that it is ours, and what it was made from.
OURS_KEY, MADE_FROM_KEY = "paydesk", "paydesk_made_from"

CANCEL = ("at_period_end", "immediately", "no")
SWITCHABLE_PRODUCTS_MAX = 10


@dataclass(frozen=True)
class Portal:
    """How the portal looks and what it offers."""

    headline: str | None = None
    privacy_url: str | None = None
    terms_url: str | None = None
    cancel: str = "at_period_end"
    switch: bool = True


def read_portal(entry: Entry) -> Portal:
    """The portal that stands in the file; its mistakes are noted."""
    portal = Portal(
        headline=entry.text("headline", default=None, length_max=60),
        privacy_url=entry.text("privacy_url", default=None),
        terms_url=entry.text("terms_url", default=None),
        cancel=entry.choice("cancel", CANCEL, default="at_period_end"),
        switch=entry.flag("switch", default=True),
    )
    entry.refuse_unknown()
    return portal


def push_portal(client: stripe.StripeClient, portal: Portal, plans: Iterable[Plan]) -> None:
    """Make the portal offer this. Doing it again changes nothing; raises stripe.StripeError."""
    wanted = _wanted(client, portal, plans)
    made_from = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:40]
    wanted["metadata"] = {OURS_KEY: "portal", MADE_FROM_KEY: made_from}
    ours = find_configuration(client)
    if ours is None:
        # One key for one content: two machines that start at once make one configuration.
        client.v1.billing_portal.configurations.create(wanted, {"idempotency_key": f"pdk_portal_{made_from}"})
    elif _noted(ours, MADE_FROM_KEY) != made_from:
        client.v1.billing_portal.configurations.update(ours.id, wanted)


def find_configuration(client: stripe.StripeClient) -> stripe.billing_portal.Configuration | None:
    """The oldest configuration that is ours and in use."""
    listed = client.v1.billing_portal.configurations.list({"active": True, "limit": 100}).auto_paging_iter()
    ours = [each for each in listed if _noted(each, OURS_KEY)]
    return min(ours, key=lambda each: (each.created, each.id), default=None)


def _noted(configuration: stripe.billing_portal.Configuration, key: str) -> str | None:
    metadata = configuration.metadata
    return metadata[key] if metadata and key in metadata else None


def _wanted(client: stripe.StripeClient, portal: Portal, plans: Iterable[Plan]) -> Any:
    features: dict[str, Any] = {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "address", "phone", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": portal.cancel != "no"},
        "subscription_update": _switching(client, plans) if portal.switch else {"enabled": False},
    }
    if portal.cancel != "no":
        features["subscription_cancel"]["mode"] = portal.cancel
    profile = {
        "headline": portal.headline,
        "privacy_policy_url": portal.privacy_url,
        "terms_of_service_url": portal.terms_url,
    }
    return {"features": features, "business_profile": {name: value for name, value in profile.items() if value}}


def _switching(client: stripe.StripeClient, plans: Iterable[Plan]) -> dict[str, Any]:
    """Every price of the plans of which somebody has one, and seats where a plan has them."""
    products: list[dict[str, Any]] = []
    for plan in plans:
        keys = [offer.lookup_key for offer in plan.offers]
        found = client.v1.prices.list({"lookup_keys": keys, "active": True}).data
        if plan.slot == MAIN_SLOT and found:
            prices = sorted(found, key=lambda price: keys.index(str(price.lookup_key)))
            seats: dict[str, Any] = {"enabled": plan.seats_max > 1}
            if plan.seats_max > 1:
                seats |= {"minimum": plan.seats_min, "maximum": plan.seats_max}
            entry = {"product": str(prices[0].product), "prices": [price.id for price in prices]}
            products.append({**entry, "adjustable_quantity": seats})
    if not products:
        return {"enabled": False}
    has_seats = any(product["adjustable_quantity"]["enabled"] for product in products)
    return {
        "enabled": True,
        "default_allowed_updates": ["price", "promotion_code", *(["quantity"] if has_seats else [])],
        "products": products[:SWITCHABLE_PRODUCTS_MAX],
        "proration_behavior": "create_prorations",
    }
