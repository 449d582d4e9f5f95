"""The two doors to a subscription: the API, and Checkout. They differ in whose card it is paid with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import stripe

from tests.stories.local_stripe.clocks import moment
from tests.stories.local_stripe.long_life import TRIAL
from tests.stories.local_stripe.person import Person


class Door(Protocol):
    """How a customer comes to a plan."""

    def begin(self, client: stripe.StripeClient, person: Person, ada: str, plan: str) -> stripe.Subscription:
        """A trial of a plan."""

    def use(self, client: stripe.StripeClient, made: stripe.Subscription, method: str) -> None:
        """Make it be paid with this from now on."""


class Api:
    """The card is the customer's, for whatever they buy."""

    def begin(self, client: stripe.StripeClient, person: Person, ada: str, plan: str) -> stripe.Subscription:
        return client.v1.subscriptions.create(
            {"customer": ada, "items": [{"price": plan}], "trial_end": moment(TRIAL[1])}
        )

    def use(self, client: stripe.StripeClient, made: stripe.Subscription, method: str) -> None:
        client.v1.customers.update(str(made.customer), {"invoice_settings": {"default_payment_method": method}})


@dataclass(frozen=True)
class Checkout:
    """The card is the subscription's own. Afterwards the customer is led back to a shop."""

    shop: str = "http://127.0.0.1:9"

    def begin(self, client: stripe.StripeClient, person: Person, ada: str, plan: str) -> stripe.Subscription:
        given: Any = {
            "mode": "subscription",
            "customer": ada,
            "line_items": [{"price": plan, "quantity": 1}],
            "subscription_data": {"trial_end": moment(TRIAL[1])},
            "success_url": f"{self.shop}/thanks",
        }
        session = client.v1.checkout.sessions.create(given)
        person.subscribes(str(session.url))
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.status, done.payment_status) == ("complete", "no_payment_required")
        return client.v1.subscriptions.retrieve(str(done.subscription))

    def use(self, client: stripe.StripeClient, made: stripe.Subscription, method: str) -> None:
        client.v1.subscriptions.update(made.id, {"default_payment_method": method})
