"""Stripe's worked examples of prorations, through its official client, in a month of just thirty days."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.clocks import DAY, advance, clock_at
from tests.emulator.invoicing import customer
from tests.emulator.subscribing import item, price, subscribed
from tests.stories.local_stripe.clocks import moment

APRIL = moment("2030-04-01 12:00")
BASIC, PRO = "Unused time on Basic after", "Remaining time on Pro after"


@pytest.mark.parametrize(
    ("old", "new", "day", "lines"),
    [
        # Half-way: $10 to $20.
        (1000, 2000, 15, [(f"{BASIC} 16 Apr 2030", -500), (f"{PRO} 16 Apr 2030", 1000)]),
        # Each line goes down by itself: -2.5 is -3, and 4.5 is 4.
        (5, 9, 15, [(f"{BASIC} 16 Apr 2030", -3), (f"{PRO} 16 Apr 2030", 4)]),
        # Two thirds are left: -666.67 is -667, and 333.33 is 333.
        (1000, 500, 10, [(f"{BASIC} 11 Apr 2030", -667), (f"{PRO} 11 Apr 2030", 333)]),
    ],
)
def test_a_change_costs_what_stripe_says(
    client: stripe.StripeClient, old: int, new: int, day: int, lines: list[tuple[str, int]]
) -> None:
    """In its preview, in what is pending afterwards, and on the next bill, above the month that it is for."""
    clock = clock_at(client, APRIL)
    basic, pro = (price(client, old, product_data={"name": "Basic"}), price(client, new, product_data={"name": "Pro"}))
    ada = customer(client, test_clock=clock.id)
    made = subscribed(client, ada, basic)
    advance(client, clock, APRIL + day * DAY)
    change: Any = {"items": [{"id": item(made).id, "price": pro.id}]}

    preview = client.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    client.v1.subscriptions.update(made.id, change)
    pending = client.v1.invoice_items.list({"customer": ada.id, "pending": True}).data
    advance(client, clock, APRIL + 30 * DAY)
    renewed = client.v1.subscriptions.retrieve(made.id)
    bill = client.v1.invoices.retrieve(str(renewed.latest_invoice))

    shown = [(line.description, line.amount) for line in preview.lines.data]
    assert [line for line in shown if line in lines] == lines
    assert sorted((one.description, one.amount) for one in pending) == sorted(lines)
    billed = [(line.description, line.amount) for line in bill.lines.data]
    assert sorted(billed) == sorted([*lines, (f"1 × Pro (at ${new / 100:.2f} / month)", new)])
    assert bill.total == sum(amount for _, amount in billed) == new + sum(amount for _, amount in lines)
