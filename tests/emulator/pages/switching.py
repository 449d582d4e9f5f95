"""A customer who may switch plans on the portal, as tests need one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.portal import configured, session, switchable
from tests.emulator.subscribing import DAY, item, price, subscribed
from tests.emulator.wire import Reply, Wire


@dataclass
class Shop:
    """A customer on the basic plan, $10.00 a month, who may have Pro for $20.00, or Pro for $200.00 a year."""

    client: stripe.StripeClient
    visitor: Wire
    owner: stripe.Customer
    pro: stripe.Price
    yearly: stripe.Price
    subscription: stripe.Subscription
    at: stripe.billing_portal.Session

    def see(self, **wish: str) -> str:
        """The page that confirms a wish."""
        asked = "&".join(f"{name}={value}" for name, value in self._wish(wish).items())
        return show(self.visitor, self.at, f"/confirm?{asked}")

    def do(self, page: str, **changes: str) -> Reply:
        """Press the button of that page."""
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return post(self.visitor, self.at, "/confirm", **(fields | changes))

    def change(self, **wish: str) -> Reply:
        """See and do."""
        return self.do(self.see(**wish))

    def has(self) -> tuple[str, int]:
        """The price and the quantity now."""
        held: Any = item(self.client.v1.subscriptions.retrieve(self.subscription.id))
        return held.price.id, held.quantity

    def later(self, controls: Controls) -> None:
        """Ten days on; the customer opens the portal anew."""
        controls.push(10 * DAY)
        self.at = session(self.client, self.owner, configuration=str(self.at.configuration))

    def _wish(self, wish: dict[str, str]) -> dict[str, str]:
        return {"subscription": self.subscription.id, "price": self.pro.id} | wish


def opened(
    client: stripe.StripeClient, visitor: Wire, card: str = "pm_card_visa", given: Any = None, **update: Any
) -> Shop:
    """The shop; `given` describes the subscription, `update` the feature."""
    owner = customer(client, card)
    basic = price(client, 1000, product_data={"name": "Basic"})
    pro = price(client, 2000)
    yearly = price(client, 20000, "year", product=pro.product, product_data=None)
    subscription = subscribed(client, owner, basic, **(given or {}))
    features = switchable(pro, yearly, **({"proration_behavior": "always_invoice"} | update))
    at = session(client, owner, configuration=configured(client, features))
    return Shop(client, visitor, owner, pro, yearly, subscription, at)
