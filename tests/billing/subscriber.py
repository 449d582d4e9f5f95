"""Somebody who subscribes at a till, by Stripe's API and not through a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.billing.customers import User
from tests.emulator.invoicing import customer

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.subscriptions import HeldSubscription
    from tests.billing.till import Till

ADA = User(id="ada", email="ada@example.com")


class Subscriber:
    """Ada, at this till, with a card that works."""

    def __init__(self, till: Till, client: stripe.StripeClient) -> None:
        self.till = till
        self.client = client
        self.customer = customer(client)
        row = {"user_id": ADA.id, "stripe_id": self.customer.id, "livemode": False}
        times = {"created_at": till.clock(), "updated_at": till.clock()}
        with till.desk.store.write() as connection:
            connection.execute(till.desk.store.tables.customers.insert().values(**row, **times))

    def subscribes(self, key: str = "pro", quantity: int = 1, **more: Any) -> str:
        """A subscription made at Stripe, and heard of."""
        (price,) = self.client.v1.prices.list({"lookup_keys": [key]}).data
        given: Any = {"customer": self.customer.id, "items": [{"price": price.id, "quantity": quantity}], **more}
        made = self.client.v1.subscriptions.create(given)
        self.hears()
        return made.id

    def hears(self) -> None:
        self.till.deliver(self.client)
        self.till.desk.work()

    @property
    def subscription(self) -> HeldSubscription:
        found = self.till.desk.subscription(ADA)
        assert found is not None
        return found

    def at_stripe(self) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(self.subscription.id)

    def is_mirrored(self) -> bool:
        (row,) = self.till.rows(self.till.desk.store.tables.subscriptions)
        there: dict[str, Any] = self.at_stripe().to_dict(for_json=True)
        return bool(row["object"] == there)
