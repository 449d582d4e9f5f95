"""Cards that expire: looked at when Stripe tells that a subscription is about to renew.

Payment methods are not mirrored, and nothing happens at Stripe on the day a
card expires. So the card is read then, once for each renewal, and only where
somebody listens to `CardExpiring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import select

from paydesk.billing.facts import CardExpiring, StripeEvent, Subscription
from paydesk.billing.log import get_logger
from paydesk.billing.mirror import shapes
from paydesk.billing.mirror.mirrored import moment
from paydesk.billing.mirror.read import Ask
from paydesk.errors import StripeRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from paydesk.billing.inbox.effects import Effects
    from paydesk.billing.inbox.handlers import Handlers
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# The subscription's own card goes before its customer's.
EXPAND = ("default_payment_method", "customer.invoice_settings.default_payment_method", "customer.default_source")

HANDLER = "paydesk.cards"


@dataclass(frozen=True)
class Card:
    """What is known of a card that will be charged."""

    id: str
    brand: str
    last4: str | None
    exp_month: int
    exp_year: int

    def is_expired(self, at: datetime) -> bool:
        """A card is good until the end of its month."""
        return (self.exp_year, self.exp_month) < (at.year, at.month)


class Cards:
    """Looks at cards before they are charged."""

    def __init__(self, store: Store, stripe: Stripe, effects: Effects, handlers: Handlers) -> None:
        self._store = store
        self._stripe = stripe
        self._effects = effects
        self._handlers = handlers

    def watch(self) -> None:
        """Look from now on; doing it again changes nothing."""
        if HANDLER not in self._handlers.names:
            self._handlers.add("invoice.upcoming", self.look, name=HANDLER)

    def look(self, upcoming: StripeEvent) -> None:
        """Name the fact if the card that is to pay this invoice will have expired by then."""
        subscription_id = shapes.subscription_of(dict(upcoming.object))
        renews_at = moment(upcoming.object.get("next_payment_attempt") or upcoming.object.get("period_end"))
        if subscription_id is None or renews_at is None:
            return
        card = self._card_of(subscription_id)
        if card is None or not card.is_expired(renews_at):
            return
        with self._store.write() as connection:
            table = self._store.tables.subscriptions
            row = connection.execute(select(table).where(table.c.id == subscription_id)).mappings().one_or_none()
            if row is None:
                logger.info("a card of %s expires, which nobody here has heard of", subscription_id)
                return
            known = Subscription.from_row({**row})
            fact = CardExpiring(known, card.id, card.brand, card.last4, card.exp_month, card.exp_year)
            self._effects.of_facts(connection, [fact], lane=row["customer_id"], event_id=upcoming.id)

    def _card_of(self, subscription_id: str) -> Card | None:
        try:
            path = f"/v1/subscriptions/{quote(subscription_id, safe='')}"
            subscription = Ask(self._stripe).get(path, expand=EXPAND)
        except StripeRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        return card_of(subscription)


def card_of(subscription: Mapping[str, Any]) -> Card | None:
    """The card that will be charged, in a subscription read with what EXPAND names; None if it is no card."""
    customer = subscription.get("customer")
    customer = customer if isinstance(customer, dict) else {}
    settings = customer.get("invoice_settings") or {}
    for method in (
        subscription.get("default_payment_method"),
        subscription.get("default_source"),
        settings.get("default_payment_method"),
        customer.get("default_source"),
    ):
        if isinstance(method, dict):
            card = method.get("card") or method  # older sources are the card themselves
            if card.get("exp_year") and card.get("exp_month"):
                return Card(
                    method["id"], card.get("brand") or "card", card.get("last4"), card["exp_month"], card["exp_year"]
                )
            return None
    return None
