"""Stripe's customer portal: where people see to their cards, plans and invoices themselves.

A link works for a few minutes and without signing in: it is made when
somebody clicks, and kept nowhere.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from paydesk.billing.attempts import KEY_PREFIX
from paydesk.billing.catalog_portal import FRONT, find_configurations, switching_in
from paydesk.billing.plans import MAIN_SLOT
from paydesk.errors import NothingToManage, PortalRefused, StripeRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.billing.customers import Customers, Payer
    from paydesk.billing.stripe_api import StripeApi
    from paydesk.billing.subscriptions import HeldSubscription, Subscriptions

Destination = Literal["card", "cancel", "switch"]

# Long enough that a click costs no extra call, short enough that a new configuration is noticed.
REMEMBERED_SECONDS = 300.0


class Portals:
    """Opens the portal for a user."""

    def __init__(
        self,
        stripe_api: StripeApi,
        customers: Customers,
        subscriptions: Subscriptions,
        *,
        return_url: str,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stripe_api = stripe_api
        self._customers = customers
        self._subscriptions = subscriptions
        self._return_url = return_url
        self._now_seconds = now_seconds
        self._configurations: tuple[dict[str, str], float] | None = None
        self._lock = threading.Lock()

    def url(self, user: Payer, destination: Destination | None = None, slot: str = MAIN_SLOT) -> str:
        """Where to send the user now: to the portal's front page, or straight to one thing of what is in that slot.

        Raises NothingToManage, PortalRefused, StripeRefused or StripeUnavailable.
        """
        customer_id = self._customers.known_id(user)
        if customer_id is None:
            raise NothingToManage(str(user.id))
        params: dict[str, Any] = {"customer": customer_id, "return_url": self._return_url}
        ours = self._our_configurations()
        if (configuration := (destination == "switch" and ours.get(switching_in(slot))) or ours.get(FRONT)) is not None:
            params["configuration"] = configuration
        if destination is not None:
            subscription = self._subscriptions.of(user, slot)
            params["flow_data"] = _flow(destination, subscription, str(user.id), self._return_url)
        try:
            with self._customers.asked_about(customer_id):
                return self._open(params)
        except StripeRefused as refusal:
            if refusal.code == "resource_missing" and refusal.param == "customer":
                raise NothingToManage(str(user.id)) from refusal
            if refusal.status == 400:
                self._forget()
                raise PortalRefused(refusal.message) from refusal
            raise

    def _open(self, params: Any) -> str:
        # Nothing is lost if this is never finished, so it is no attempt; the key keeps a retry from making two.
        key = f"{KEY_PREFIX}portal_{secrets.token_urlsafe(18)}"
        session = self._stripe_api.write(
            "to open the portal",
            key,
            lambda client, options: client.v1.billing_portal.sessions.create(params, options),
        )
        return session.url

    def _our_configurations(self) -> dict[str, str]:
        """Those that the catalog was pushed to, by what each is for; without one, the account's own goes."""
        with self._lock:
            known = self._configurations
        if known is not None and self._now_seconds() - known[1] < REMEMBERED_SECONDS:
            return known[0]
        found = self._stripe_api.read("to look up the portal's configuration", find_configurations)
        ours = {name: each.id for name, each in found.items()}
        with self._lock:
            self._configurations = (ours, self._now_seconds())
        return ours

    def _forget(self) -> None:
        with self._lock:
            self._configurations = None


def _flow(
    destination: Destination, subscription: HeldSubscription | None, user_id: str, return_url: str
) -> dict[str, Any]:
    """Straight to one thing, and back when it is done."""
    back = {"after_completion": {"type": "redirect", "redirect": {"return_url": return_url}}}
    if destination == "card":
        return {"type": "payment_method_update", **back}
    if subscription is None or not subscription.is_live:
        raise NothingToManage(user_id)
    kind = "subscription_cancel" if destination == "cancel" else "subscription_update"
    return {"type": kind, kind: {"subscription": subscription.id}, **back}
