"""April 2030, lived by one subscription: a month in which a day of a $30.00 plan is $1.00."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import stripe

from tests.emulator.clocks import advance, clock_at
from tests.emulator.invoicing import customer
from tests.emulator.subscribing import DAY, item, price, subscribed, waiting

APRIL = int(datetime(2030, 4, 1, tzinfo=UTC).timestamp())
MAY = APRIL + 30 * DAY
FEBRUARY = APRIL - 46 * DAY


class Month:
    """April 2030, lived on a test clock by one subscription."""

    def __init__(self, client: stripe.StripeClient, *prices: stripe.Price, **more: Any) -> None:
        self.client = client
        self.clock = clock_at(client, APRIL)
        self.owner = customer(client, test_clock=self.clock.id)
        self.made = subscribed(client, self.owner, *(prices or (price(client, 3000),)), **more)

    def goes(self, days: float) -> None:
        """It is so many days after the first of April."""
        advance(self.client, self.clock, APRIL + int(days * DAY))

    def now(self) -> stripe.Subscription:
        """The subscription as it is."""
        return self.client.v1.subscriptions.retrieve(self.made.id)

    def updates(self, **given: Any) -> stripe.Subscription:
        """The subscription after this update."""
        told: Any = given
        return self.client.v1.subscriptions.update(self.made.id, told)

    def sells(self, place: int = 0, **given: Any) -> stripe.Subscription:
        """The subscription after one of its items was changed."""
        how = {name: given.pop(name) for name in ("proration_behavior", "proration_date", "discounts") if name in given}
        return self.updates(items=[{"id": item(self.made, place).id, **given}], **how)

    def waits(self) -> list[tuple[str, int]]:
        """What waits for the next invoice."""
        return waiting(self.client)

    def balance(self) -> int | None:
        """What the customer owes, or (below zero) has left."""
        return self.client.v1.customers.retrieve(self.owner.id).balance


def coupon(client: stripe.StripeClient, **terms: Any) -> list[dict[str, str]]:
    """`discounts` of one coupon, for good."""
    given: Any = {"duration": "forever", **({"currency": "usd"} if "amount_off" in terms else {}), **terms}
    return [{"coupon": client.v1.coupons.create(given).id}]
