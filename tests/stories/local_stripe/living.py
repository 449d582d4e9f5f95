"""Living one long life through Stripe's official Python client, chapter by chapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.portal import EVERYTHING, configured, session
from tests.emulator.receiver import Receiver
from tests.emulator.subscribing import item, price
from tests.stories.local_stripe.clocks import Clock, OfTheSandbox, OfTheTest, moment
from tests.stories.local_stripe.doors import Api, Door
from tests.stories.local_stripe.long_life import HALF_WAY, START
from tests.stories.local_stripe.person import Person
from tests.stories.local_stripe.story import Chapter, Teller

VERSION: Final = "2026-10-28.endive"


@dataclass(frozen=True)
class Stage:
    """Where a life is lived: a sandbox, somebody who is delivered to, a clock, and the person whose life it is."""

    client: stripe.StripeClient
    controls: Controls
    receiver: Receiver
    clock: type[OfTheTest | OfTheSandbox]
    person: Person
    door: Door = field(default_factory=Api)


def live(stage: Stage) -> Iterator[Chapter]:
    """Go on to the next chapter each time one is taken."""
    client, person = stage.client, stage.person
    endpoint = client.v1.webhook_endpoints.create(
        {"url": stage.receiver.url, "enabled_events": ["*"], "api_version": VERSION}
    )
    clock: Clock = stage.clock(client, stage.controls, START)
    basic = price(client, 1000, product_data={"name": "Basic"})
    pro = price(client, 2000, product_data={"name": "Pro"})
    reasons = {"enabled": True, "options": ["too_expensive"]}
    settings = configured(
        client, EVERYTHING | {"subscription_cancel": {"enabled": True, "cancellation_reason": reasons}}
    )
    ada = customer(client, **clock.customer)
    teller = Teller(client, stage.controls, stage.receiver, str(endpoint.secret))
    teller.begin()

    made = stage.door.begin(client, person, ada.id, basic.id)
    yield teller.chapter("A trial begins", made)

    clock.go("2030-03-29 13:00")
    yield teller.chapter("It is about to end", made)

    clock.go("2030-04-01 12:30")
    yield teller.chapter("April is billed", made)

    clock.go("2030-04-01 14:00")
    yield teller.chapter("April is paid", made)

    clock.go(HALF_WAY)
    change: Any = {
        "items": [{"id": item(made).id, "price": pro.id}],
        "proration_behavior": "always_invoice",
        "proration_date": moment(HALF_WAY),
    }
    preview = client.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    client.v1.subscriptions.update(made.id, change)
    upgraded = teller.chapter("Half-way through April she wants more", made)
    assert [line.amount for line in preview.lines.data] == [line.amount for line in upgraded.bill.lines]
    yield upgraded

    failing = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    stage.door.use(client, made, failing.id)
    clock.go("2030-05-01 14:00")
    yield teller.chapter("May cannot be collected", made)

    clock.go("2030-05-02 12:00")
    at = session(client, ada, configuration=settings).url
    person.replaces_their_card(at)
    yield teller.chapter("She leaves another card, which changes nothing yet", made)

    person.pays_what_is_open(at)
    yield teller.chapter("She pays what is open", made)

    clock.go("2030-05-20 12:00")
    person.leaves(session(client, ada, configuration=settings).url)
    yield teller.chapter("She will leave at the end of May", made)

    clock.go("2030-06-01 14:00")
    yield teller.chapter("It is over", made)

    with refused() as refusal:
        client.v1.subscriptions.update(made.id, {"items": [{"id": item(made).id, "quantity": 2}]})
    assert refusal.value.code == "invalid_canceled_subscription_fields"
    clock.go("2030-07-01 14:00")
    yield teller.chapter("Nothing comes after", made)
