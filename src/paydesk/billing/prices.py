"""Which price at Stripe is meant by what the catalog sells, and whether the two agree.

A price is named by STRIPE_PRICE_<CODE>, or else found by its lookup key, which
is the same in test and live mode. It is sold only if it asks for exactly what
the catalog promises.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from paydesk.billing.every import Every
from paydesk.billing.money import show
from paydesk.billing.settings import PRICE_PREFIX
from paydesk.errors import PriceMismatch, StripeRefused, UnknownPrice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import stripe

    from paydesk.billing.offer import Offer
    from paydesk.billing.stripe_api import StripeApi

# Long enough that a sale costs no extra call, short enough that an archived price is noticed.
REMEMBERED_SECONDS = 300.0


class Prices:
    """The prices of one Stripe account and mode. Safe to share between threads."""

    def __init__(
        self,
        stripe_api: StripeApi,
        ids_by_code: Mapping[str, str],
        *,
        livemode: bool,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stripe_api = stripe_api
        self._ids_by_code = ids_by_code
        self._livemode = livemode
        self._now_seconds = now_seconds
        self._found: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def id_of(self, offer: Offer) -> str:
        """The id of the price to charge. Asks Stripe at most every five minutes.

        Raises UnknownPrice where there is none, PriceMismatch where it is not what the catalog promises.
        """
        with self._lock:
            price_id, found_at = self._found.get(offer.code, ("", 0.0))
        if price_id and self._now_seconds() - found_at < REMEMBERED_SECONDS:
            return price_id
        price_id = self._look_up(offer)
        with self._lock:
            self._found[offer.code] = (price_id, self._now_seconds())
        return price_id

    def forget(self) -> None:
        """Look everything up again: Stripe has just said that something remembered is gone."""
        with self._lock:
            self._found.clear()

    def _look_up(self, offer: Offer) -> str:
        price = self._named(offer) or self._by_lookup_key(offer)
        differences = _differences(offer, price)
        if differences:
            raise PriceMismatch(offer.code, price.id, promised=str(offer), found=", ".join(differences))
        return price.id

    def _named(self, offer: Offer) -> stripe.Price | None:
        price_id = self._ids_by_code.get(offer.secret)
        if price_id is None:
            return None
        try:
            return self._stripe_api.read("to show the price", lambda client: client.v1.prices.retrieve(price_id))
        except StripeRefused as refusal:
            if refusal.code != "resource_missing":
                raise
            looked_for = f"{price_id}, which {PRICE_PREFIX}{offer.secret} names"
            raise UnknownPrice(offer.code, looked_for=looked_for, livemode=self._livemode) from refusal

    def _by_lookup_key(self, offer: Offer) -> stripe.Price:
        keys = [offer.lookup_key]
        found = self._stripe_api.read(
            "to look up the price", lambda client: client.v1.prices.list({"lookup_keys": keys}).data
        )
        if not found:
            looked_for = f"lookup key {offer.lookup_key!r} (and {PRICE_PREFIX}{offer.secret} is not set)"
            raise UnknownPrice(offer.code, looked_for=looked_for, livemode=self._livemode)
        return found[0]


def _differences(offer: Offer, price: stripe.Price) -> list[str]:
    """What Stripe's price is instead of what the catalog promises; nothing if they agree."""
    found: list[str] = []
    if not price.active:
        found.append("archived")
    if price.unit_amount is None:
        found.append("without one fixed amount")
    elif (price.unit_amount, price.currency) != (offer.money.amount_minor, offer.money.currency):
        found.append(show(price.unit_amount, price.currency))
    usage_type = price.recurring.usage_type if price.recurring is not None else "licensed"
    if (usage_type == "metered") != (offer.meter is not None):
        found.append("charged by use" if usage_type == "metered" else "not charged by use")
    units = price.transform_quantity.divide_by if price.transform_quantity is not None else 1
    if units != offer.units:
        found.append(f"charged by the {units}")
    rhythm = _rhythm(price)
    if rhythm != offer.every:
        if rhythm is None:
            found.append("sold once")
        else:
            found.append(f"charged every {rhythm}" if offer.every else "a subscription")
    return found


def _rhythm(price: stripe.Price) -> Every | None:
    recurring: Any = price.recurring
    return Every(recurring.interval, recurring.interval_count) if recurring is not None else None
