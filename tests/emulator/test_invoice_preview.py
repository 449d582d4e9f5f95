"""Previews: what is to come is what comes."""

from __future__ import annotations

import secrets
from typing import Any

import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.paying import events
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, lines, period, price, subscribed


def preview(client: stripe.StripeClient, made: stripe.Subscription, **details: Any) -> stripe.Invoice:
    """What would be invoiced for a subscription, after such a change."""
    told: Any = {"subscription": made.id} | ({"subscription_details": details} if details else {})
    return client.v1.invoices.create_preview(told)


def told_of(invoice: stripe.Invoice) -> list[Any]:
    """What a preview and its invoice must have in common."""
    told = [(one.description, one.amount, one.quantity, one.period.to_dict()) for one in invoice.lines.data]
    return [*told, invoice.subtotal, invoice.total, invoice.starting_balance, invoice.amount_due, invoice.currency]


def test_the_next_invoice_can_be_seen_before_it_comes(client: stripe.StripeClient, controls: Controls) -> None:
    """Nothing is kept of it, and nothing told; its id is that of one to come."""
    made = subscribed(client)
    start, end = period(made)
    seen = preview(client, made)

    assert seen.id.startswith("upcoming_in_")
    assert (seen.status, seen.billing_reason, seen.amount_due) == ("draft", "subscription_cycle", 2500)
    assert seen.next_payment_attempt == end + HOUR
    assert all(line.invoice == seen.id for line in seen.lines.data)
    assert len(invoices(client, made)) == 1
    assert events(client)[-1] == "invoice_payment.paid"
    with refused("No such invoice"):
        client.v1.invoices.retrieve(seen.id)
    controls.push(end - start)
    assert told_of(latest(client, made)) == told_of(seen)


def test_a_change_can_be_seen_before_it_is_made(client: stripe.StripeClient, controls: Controls) -> None:
    """With the same `proration_date` it comes out the same, though time went by."""
    made = subscribed(client, None, price(client, 1000))
    controls.push(10 * DAY)
    dear, moment = price(client, 4000), controls.get("/clock")["now"]
    items = [{"id": item(made).id, "price": dear.id}]
    how = {"proration_behavior": "always_invoice", "proration_date": moment}
    seen = preview(client, made, items=items, **how)
    controls.push(3 * HOUR)

    told: Any = {"items": items, **how}
    client.v1.subscriptions.update(made.id, told)

    assert [amount for _, amount in lines(seen)] != []
    assert told_of(latest(client, made)) == told_of(seen)
    assert seen.billing_reason == latest(client, made).billing_reason == "subscription_update"


def test_a_subscription_can_be_seen_before_it_begins(client: stripe.StripeClient) -> None:
    """For a customer who may become one: nothing is made of it."""
    ada, pro = customer(client), price(client, 2500)
    given: Any = {"customer": ada.id, "subscription_details": {"items": [{"price": pro.id, "quantity": 2}]}}

    seen = client.v1.invoices.create_preview(given)

    assert lines(seen) == [("2 × Pro (at $25.00 / month)", 5000)]
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    given["subscription_details"]["trial_end"] = seen.created + 7 * DAY
    assert client.v1.invoices.create_preview(given).total == 0


def test_an_end_can_be_seen_before_it_comes(client: stripe.StripeClient, controls: Controls) -> None:
    """What canceling now would give back; what ends with its period makes no invoice."""
    made = subscribed(client, None, price(client, 3000))
    start, end = period(made)
    controls.push((end - start) // 2)

    seen = preview(client, made, cancel_now=True)

    assert abs(seen.total + 1500) <= 1
    with refused("No upcoming invoices") as refusal:
        preview(client, made, cancel_at_period_end=True)
    assert (refusal.value.http_status, refusal.value.code) == (404, "invoice_upcoming_none")
    assert client.v1.subscriptions.retrieve(made.id).cancel_at is None


def test_more_can_be_put_on_a_preview(client: stripe.StripeClient) -> None:
    """What might be charged with it."""
    made = subscribed(client)
    given: Any = {
        "subscription": made.id,
        "invoice_items": [{"amount": 700, "currency": "usd", "description": "Help"}],
    }

    seen = client.v1.invoices.create_preview(given)

    assert seen.total == 3200
    assert client.v1.invoice_items.list({}).data == []


def test_a_customers_next_invoice_is_that_of_their_subscription(client: stripe.StripeClient) -> None:
    """Whichever renews first; nobody without one has any."""
    ada = customer(client)
    subscribed(client, ada, price(client, 9000, "year"))
    monthly = subscribed(client, ada, price(client, 500))

    parent: Any = client.v1.invoices.create_preview({"customer": ada.id}).parent

    assert parent.subscription_details.subscription == monthly.id
    with refused("No upcoming invoices"):
        client.v1.invoices.create_preview({"customer": customer(client).id})


MONTHLY = (0, 700, 1000, 2999, 10_000)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 40 * DAY),
        st.integers(0, len(MONTHLY) - 1),
        st.integers(1, 5),
        st.sampled_from(["create_prorations", "always_invoice", "none"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, mode=st.sampled_from(["flexible", "classic"]))
def test_whatever_is_changed_is_explained_line_by_line(
    local_stripe: LocalStripe, steps: list[tuple[int, int, int, str]], mode: str
) -> None:
    """Over any sequence of changes: each preview is what is invoiced, each invoice is the sum of its lines, and what
    was asked for is what was due, with what the customer's balance still holds."""
    key = f"sk_test_{secrets.token_hex(12)}"
    client, controls = local_stripe.client(key), Controls(local_stripe.url, key)
    plans = [price(client, amount) for amount in MONTHLY]
    made = subscribed(client, customer(client), plans[2], billing_mode={"type": mode})

    for wait, plan, quantity, behavior in steps:
        controls.push(wait)
        now = client.v1.subscriptions.retrieve(made.id)
        moment = min(controls.get("/clock")["now"], period(now)[1])
        change: Any = {
            "items": [{"id": item(made).id, "price": plans[plan].id, "quantity": quantity}],
            "proration_behavior": behavior,
            "proration_date": max(moment, period(now)[0]),
        }
        seen = preview(client, made, **change)
        changed = client.v1.subscriptions.update(made.id, change)
        if changed.latest_invoice != now.latest_invoice:
            assert told_of(latest(client, made)) == told_of(seen)
        else:
            assert told_of(preview(client, made)) == told_of(seen)

    coming = preview(client, made)
    end = period(client.v1.subscriptions.retrieve(made.id))[1]
    controls.push(max(0, end - controls.get("/clock")["now"]))
    assert told_of(latest(client, made)) == told_of(coming)

    billed = client.v1.invoices.list({"subscription": made.id, "limit": 100}).data
    for invoice in billed:
        assert invoice.total == sum(line.amount for line in invoice.lines.data)
    balance = client.v1.customers.retrieve(str(made.customer)).balance or 0
    asked = sum(invoice.total for invoice in billed if invoice.status != "draft")
    assert asked == sum(invoice.amount_due for invoice in billed if invoice.status != "draft") + balance
    controls.close()
