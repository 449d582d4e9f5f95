"""What customers may do for themselves in Stripe's portal: the `[portal]` table of the catalog.

    [portal]
    headline = "FlareX: your plan and your invoices"
    cancel = "at_period_end"        # or "immediately", "no"
    switch = true                   # between the plans of this catalog

It is kept at Stripe as configurations of our own, beside whatever else the
account has, and found again by their metadata.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import stripe

    from paydesk.billing.catalog_file import Entry
    from paydesk.billing.plans import Plan

# Under these keys a configuration says what of ours it is for, and what it was made from.
OURS_KEY, MADE_FROM_KEY = "paydesk", "paydesk_made_from"
FRONT = "portal"

NO_SWITCHING: Mapping[str, Any] = MappingProxyType({"enabled": False})

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
    ours, wanted = find_configurations(client, is_active=None), _wanted(client, portal, [*plans])
    for name, terms in wanted.items():
        _push(client, name, terms, ours.get(name))
    for name, left in ours.items():
        if name not in wanted and left.active:
            client.v1.billing_portal.configurations.update(left.id, {"active": False})


def _push(client: stripe.StripeClient, name: str, terms: Any, ours: stripe.billing_portal.Configuration | None) -> None:
    made_from = hashlib.sha256(json.dumps([name, terms], sort_keys=True).encode()).hexdigest()[:40]
    terms["metadata"] = {OURS_KEY: name, MADE_FROM_KEY: made_from}
    changed: Any = {**terms, "active": True}
    if ours is None:
        # One key for one content: two machines that start at once make one configuration.
        client.v1.billing_portal.configurations.create(terms, {"idempotency_key": f"pdk_portal_{made_from}"})
    elif _noted(ours, MADE_FROM_KEY) != made_from or not ours.active:
        client.v1.billing_portal.configurations.update(ours.id, changed)


def find_configurations(
    client: stripe.StripeClient, *, is_active: bool | None = True
) -> dict[str, stripe.billing_portal.Configuration]:
    """The configurations that are ours, by what each is for: the oldest that is in use, should there be several."""
    params: Any = {"limit": 100} if is_active is None else {"active": is_active, "limit": 100}
    listed = client.v1.billing_portal.configurations.list(params).auto_paging_iter()
    ours: dict[str, stripe.billing_portal.Configuration] = {}
    for each in sorted(listed, key=lambda each: (not each.active, each.created, each.id)):
        if (name := _noted(each, OURS_KEY)) is not None:
            ours.setdefault(name, each)
    return ours


def has_choice(plans: Sequence[Plan]) -> bool:
    """Whether somebody who has one of these plans could go over to anything there: a plan, a rhythm, more seats."""
    plain = [plan for plan in plans if not plan.usage]
    return sum(len(plan.offers) for plan in plain) > 1 or any(plan.seats_max > plan.seats_min for plan in plain)


def switching_in(slot: str) -> str:
    """What the configuration is for in which one goes over to another plan of this slot."""
    return f"{FRONT}:{slot}"


def _noted(configuration: stripe.billing_portal.Configuration, key: str) -> str | None:
    metadata = configuration.metadata
    return metadata[key] if metadata and key in metadata else None


def _wanted(client: stripe.StripeClient, portal: Portal, plans: Sequence[Plan]) -> dict[str, Any]:
    """Each configuration, by what it is for.

    A configuration offers its plans to every subscription that it shows. So where people can have several side by side,
    the front page offers none, and each slot has a configuration that a deep link leads to.
    """
    slots = {plan.slot for plan in plans} if portal.switch else set()
    if len(slots) <= 1:
        return {FRONT: _terms(portal, _switching(client, plans) if portal.switch else NO_SWITCHING)}
    wanted = {FRONT: _terms(portal, NO_SWITCHING)}
    for slot in sorted(slots):
        theirs = [plan for plan in plans if plan.slot == slot]
        if has_choice(theirs):
            wanted[switching_in(slot)] = _terms(portal, _switching(client, theirs))
    return wanted


def _terms(portal: Portal, switching: Mapping[str, Any]) -> dict[str, Any]:
    features: dict[str, Any] = {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "address", "phone", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": portal.cancel != "no"},
        "subscription_update": dict(switching),
    }
    if portal.cancel != "no":
        features["subscription_cancel"]["mode"] = portal.cancel
    profile = {
        "headline": portal.headline,
        "privacy_policy_url": portal.privacy_url,
        "terms_of_service_url": portal.terms_url,
    }
    return {"features": features, "business_profile": {name: value for name, value in profile.items() if value}}


def _switching(client: stripe.StripeClient, plans: Iterable[Plan]) -> Mapping[str, Any]:
    """Every price of these plans, and seats where a plan has them.

    Stripe's portal changes no subscription that is charged by use: it would give it away, or leave it on.
    """
    products: list[dict[str, Any]] = []
    for plan in plans:
        if plan.usage:
            continue
        keys = [offer.lookup_key for offer in plan.offers]
        found = client.v1.prices.list({"lookup_keys": keys, "active": True}).data
        if found:
            prices = sorted(found, key=lambda price: keys.index(str(price.lookup_key)))
            seats: dict[str, Any] = {"enabled": plan.seats_max > 1}
            if plan.seats_max > 1:
                seats |= {"minimum": plan.seats_min, "maximum": plan.seats_max}
            entry = {"product": str(prices[0].product), "prices": [price.id for price in prices]}
            products.append({**entry, "adjustable_quantity": seats})
    if not products:
        return NO_SWITCHING
    has_seats = any(product["adjustable_quantity"]["enabled"] for product in products)
    return {
        "enabled": True,
        "default_allowed_updates": ["price", "promotion_code", *(["quantity"] if has_seats else [])],
        "products": products[:SWITCHABLE_PRODUCTS_MAX],
        "proration_behavior": "create_prorations",
    }
