"""A whole life of a subscription at the local Stripe, and the mirror and facts it leaves, however it is told."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.clocks import DAY, HOUR, START, advance, clock_at
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer
from tests.emulator.subscribing import item, period

if TYPE_CHECKING:
    import stripe

    from tests.billing.till import Till


class Ear:
    """Hears what happened at Stripe since the last time: shuffled, and much of it twice."""

    def __init__(self, till: Till, client: stripe.StripeClient, seed: int) -> None:
        self._till = till
        self._client = client
        self._chance = random.Random(seed)
        self._heard: set[str] = set()
        self._facts: list[str] = []

    def listen(self) -> set[str]:
        """Deliver what is new, do what is due; answers the types of the facts that came of it."""
        listed = self._client.v1.events.list({"limit": 100}).auto_paging_iter()
        new = [event.to_dict(for_json=True) for event in listed if event.id not in self._heard]
        self._heard |= {event["id"] for event in new}
        told = new + self._chance.sample(new, len(new) // 2)
        self._chance.shuffle(told)
        for event in told:
            self._till.receive(event)
            if self._chance.random() < 0.2:
                self._till.desk.work()
        self._till.desk.work()
        self._till.clock.advance(minutes=1)  # what was parked for something that came later
        self._till.desk.work()
        facts = [row["key"] for row in self._till.rows(self._till.desk.store.tables.facts)]
        named, self._facts = facts[len(self._facts) :], facts
        assert {row["state"] for row in self._till.rows(self._till.desk.store.tables.events)} == {"applied"}
        return {fact.partition(":")[0] for fact in named}


@pytest.mark.parametrize("seed", [7])
def test_a_life_is_mirrored_and_told(till: Till, client: stripe.StripeClient, controls: Controls, seed: int) -> None:
    """From the trial to the end: after each step every row is as Stripe has it, and each thing was told once."""
    ear, v1 = Ear(till, client, seed), client.v1
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)
    monthly, starter = (v1.prices.list({"lookup_keys": [key]}).data[0].id for key in ("pro", "starter"))
    row = _Row(till, client)

    made = v1.subscriptions.create(
        {"customer": ada.id, "items": [{"price": monthly, "quantity": 2}], "trial_period_days": 7}
    )
    assert ear.listen() == {"subscription.started", "invoice.paid"}
    assert (row(made.id)["plan"], row(made.id)["status"], row(made.id)["seats"]) == ("pro", "trialing", 2)

    advance(client, clock, START + 5 * DAY)
    assert ear.listen() == {"trial.ending"}

    advance(client, clock, START + 7 * DAY + 2 * HOUR)
    assert ear.listen() == {"invoice.paid", "subscription.renewed"}
    assert row(made.id)["status"] == "active"

    controls.post(f"/payment_methods/{_card(client, ada.id)}/behave", **{"as": "pm_card_chargeDeclined"})
    renewal = period(v1.subscriptions.retrieve(made.id))[1]
    advance(client, clock, renewal + 2 * HOUR)
    assert ear.listen() == {"payment.failed", "subscription.past_due"}
    assert row(made.id)["status"] == "past_due"

    v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": _new_card(client, ada.id)}})
    v1.invoices.pay(str(v1.subscriptions.retrieve(made.id).latest_invoice))
    assert ear.listen() == {"invoice.paid", "subscription.renewed", "subscription.recovered"}

    own = item(v1.subscriptions.retrieve(made.id))
    v1.subscriptions.update(made.id, {"items": [{"id": own.id, "price": starter, "quantity": 1}]})
    assert ear.listen() == {"subscription.changed"}
    assert (row(made.id)["plan"], row(made.id)["seats"], row(made.id)["amount_minor"]) == ("starter", 1, 900)

    v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert ear.listen() == {"subscription.ending"}
    v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert ear.listen() == {"subscription.resumed"}
    v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert ear.listen() == {"subscription.ending"}

    end = period(v1.subscriptions.retrieve(made.id))[1]
    advance(client, clock, end + HOUR)
    assert "subscription.ended" in ear.listen()
    assert (row(made.id)["status"], row(made.id)["deleted_at"]) == ("canceled", None)


class _Row:
    """The subscription's row, once everything in the mirror was held against Stripe."""

    def __init__(self, till: Till, client: stripe.StripeClient) -> None:
        self._till = till
        self._client = client

    def __call__(self, subscription_id: str) -> dict[str, Any]:
        tables, v1 = self._till.desk.store.tables, self._client.v1
        (row,) = self._till.rows(tables.subscriptions)
        there: Any = v1.subscriptions.retrieve(subscription_id).to_dict(for_json=True)
        assert row["object"] == there
        items = {each["id"]: each["object"] for each in self._till.rows(tables.subscription_items)}
        assert items == {each["id"]: each for each in there["items"]["data"]}
        invoices = {each["id"]: each["object"] for each in self._till.rows(tables.invoices)}
        listed = v1.invoices.list({"subscription": subscription_id, "expand": ["data.payments"]})
        assert invoices == {each.id: each.to_dict(for_json=True) for each in listed.auto_paging_iter()}
        paid_by = {each["invoice_id"] for each in self._till.rows(tables.payments)}
        assert paid_by == {each["id"] for each in invoices.values() if each["payments"]["data"]}
        return row


def _card(client: stripe.StripeClient, customer_id: str) -> str:
    (card,) = client.v1.customers.payment_methods.list(customer_id).data
    return card.id


def _new_card(client: stripe.StripeClient, customer_id: str) -> str:
    return client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer_id}).id
