"""Subscriptions that are cheaper: for one invoice, for some months, for good, as a whole or item by item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.emulator.clocks import START, advance, clock_at
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, refused
from tests.emulator.subscribing import DAY, HOUR, invoices, item, latest, period, price, subscribed

MONTH = 31 * DAY


def coupon(client: stripe.StripeClient, **more: Any) -> str:
    """A coupon of 20 % for good, unless told otherwise."""
    worth: Any = {"currency": "usd"} if "amount_off" in more else {"percent_off": 20}
    given: Any = {"duration": "forever", **worth, **more}
    return client.v1.coupons.create(given).id


def totals(client: stripe.StripeClient, subscription: stripe.Subscription) -> list[int]:
    """What each invoice came to, oldest first."""
    return [total for _, _, total in invoices(client, subscription)]


def held(client: stripe.StripeClient, subscription: stripe.Subscription) -> list[str]:
    """The discounts a subscription has now."""
    return [str(one) for one in client.v1.subscriptions.retrieve(subscription.id).discounts]


def news(client: stripe.StripeClient) -> list[str]:
    """What was told of discounts within the month for which events are kept, oldest first."""
    told = ["customer.discount.created", "customer.discount.updated", "customer.discount.deleted"]
    return [event.type for event in reversed(client.v1.events.list({"types": told}).data)]


def shown(client: stripe.StripeClient, subscription: stripe.Subscription) -> Any:
    """A subscription with its discounts opened."""
    return client.v1.subscriptions.retrieve(subscription.id, {"expand": ["discounts", "items.data.discounts"]})


@pytest.mark.parametrize(
    ("terms", "came_to"),
    [
        ({"duration": "once"}, [2000, 2500, 2500, 2500, 2500]),
        ({"duration": "repeating", "duration_in_months": 3}, [2000, 2000, 2000, 2500, 2500]),
        ({"duration": "forever"}, [2000, 2000, 2000, 2000, 2000]),
        ({"duration": "repeating", "duration_in_months": 2, "amount_off": 9900}, [0, 0, 2500, 2500, 2500]),
        ({"duration": "once", "amount_off": 9900}, [0, 2500, 2500, 2500, 2500]),
        ({"duration": "forever", "amount_off": 700}, [1800, 1800, 1800, 1800, 1800]),
    ],
)
def test_a_discount_lasts_as_long_as_its_coupon_says(
    client: stripe.StripeClient, controls: Controls, terms: dict[str, Any], came_to: list[int]
) -> None:
    """Over five months; what an amount is too much by is neither kept nor credited."""
    made = subscribed(client, discounts=[{"coupon": coupon(client, **terms)}])

    controls.push(4 * MONTH + 2 * HOUR)

    assert totals(client, made) == came_to
    assert {status for _, status, _ in invoices(client, made)} == {"paid"}
    assert len(held(client, made)) == (1 if terms["duration"] == "forever" else 0)
    assert client.v1.customers.retrieve(str(made.customer)).balance == 0


@pytest.mark.parametrize(("every", "pushed", "cheaper"), [("week", 60 * DAY, 5), ("year", 800 * DAY, 1)])
def test_repeating_counts_months_and_not_invoices(
    client: stripe.StripeClient, controls: Controls, every: str, pushed: int, cheaper: int
) -> None:
    """A month of weeks is four or five invoices; a year that begins within the month is cheaper as a whole."""
    month = coupon(client, duration="repeating", duration_in_months=1)
    made = subscribed(client, None, price(client, 2500, every), discounts=[{"coupon": month}])

    controls.push(pushed)

    found = totals(client, made)
    assert found == [2000] * cheaper + [2500] * (len(found) - cheaper)
    assert len(found) > cheaper


def test_months_are_counted_on_a_test_clock(client: stripe.StripeClient) -> None:
    """From the last of January on: three months are three renewals, to the second, in the clock's time."""
    clock = clock_at(client)
    three = coupon(client, duration="repeating", duration_in_months=3)
    made = subscribed(client, customer(client, test_clock=clock.id), discounts=[{"coupon": three}])
    (discount,) = shown(client, made).discounts

    advance(client, clock, START + 30 * DAY)
    advance(client, clock, START + 88 * DAY)
    before = held(client, made)
    advance(client, clock, START + 130 * DAY)

    assert (discount.start, discount.end) == (START, int(datetime(2030, 4, 30, 12, tzinfo=UTC).timestamp()))
    assert totals(client, made) == [2000, 2000, 2000, 2500, 2500]
    assert (before, held(client, made)) == ([discount.id], [])


def test_a_discount_tells_whose_it_is_and_when_it_ends(client: stripe.StripeClient) -> None:
    """On the subscription while it lasts; the invoice names the same one."""
    three = coupon(client, duration="repeating", duration_in_months=3)
    promotion = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": three}}).id
    made = subscribed(client, discounts=[{"promotion_code": promotion}])

    (discount,) = shown(client, made).discounts

    started, ends = (datetime.fromtimestamp(moment, UTC) for moment in (discount.start, discount.end))
    assert (ends.year * 12 + ends.month) - (started.year * 12 + started.month) == 3
    assert (discount.customer, discount.subscription, discount.subscription_item) == (made.customer, made.id, None)
    assert (discount.promotion_code, discount.source.coupon, discount.invoice) == (promotion, three, None)
    invoice: Any = latest(client, made)
    assert invoice.discounts == [discount.id]
    assert [one.discount for one in invoice.total_discount_amounts] == [discount.id]
    assert client.v1.promotion_codes.retrieve(promotion).times_redeemed == 1


def test_a_coupon_had_once_is_gone_after_the_first_invoice(client: stripe.StripeClient) -> None:
    """The subscription has it no more; the invoice still tells of it."""
    made = subscribed(client, discounts=[{"coupon": coupon(client, duration="once")}])

    invoice: Any = client.v1.invoices.retrieve(str(made.latest_invoice), {"expand": ["discounts"]})

    assert made.discounts == []
    (discount,) = invoice.discounts
    assert (invoice.total, discount.object, discount.subscription) == (2000, "discount", made.id)


def test_a_free_trial_uses_nothing_up(client: stripe.StripeClient, controls: Controls) -> None:
    """An invoice of nothing redeems nothing: the first one that costs something is cheaper."""
    made = subscribed(client, discounts=[{"coupon": coupon(client, duration="once")}], trial_period_days=7)
    assert len(made.discounts) == 1

    controls.push(7 * DAY + 2 * HOUR)

    assert totals(client, made) == [0, 2000]
    assert held(client, made) == []


def test_an_items_discount_comes_before_the_subscriptions(client: stripe.StripeClient, controls: Controls) -> None:
    """$5 off one item, then 20 % off what is left of all; again with every renewal."""
    pro, seats = price(client, 2500), price(client, 1000)
    entries: Any = [
        {"price": pro.id, "discounts": [{"coupon": coupon(client, amount_off=500)}]},
        {"price": seats.id, "quantity": 3},
    ]
    given: Any = {"customer": customer(client).id, "items": entries, "discounts": [{"coupon": coupon(client)}]}
    made = client.v1.subscriptions.create(given)

    controls.push(MONTH + 2 * HOUR)

    assert totals(client, made) == [4000, 4000]
    renewal: Any = latest(client, made)
    assert [[one.amount for one in line.discount_amounts] for line in renewal.lines.data] == [[500, 400], [600]]
    (own,) = shown(client, made)["items"].data[0].discounts
    assert (own.subscription, own.subscription_item) == (made.id, item(made).id)
    assert renewal.lines.data[0].discounts == [own.id]


def test_discounts_of_items_end_too(client: stripe.StripeClient, controls: Controls) -> None:
    """Once, and for a month: each on its item, and then no more."""
    once, month = coupon(client, duration="once"), coupon(client, duration="repeating", duration_in_months=1)
    entries: Any = [{"price": price(client, 1000).id, "discounts": [{"coupon": one}]} for one in (once, month)]
    made = client.v1.subscriptions.create({"customer": customer(client).id, "items": entries})

    controls.push(2 * MONTH + 2 * HOUR)

    assert totals(client, made) == [1600, 2000, 2000]
    assert [one.discounts for one in client.v1.subscriptions.retrieve(made.id)["items"].data] == [[], []]


def test_the_tiers_of_an_item_have_its_discount_once(client: stripe.StripeClient) -> None:
    """Several lines, one item, $5 off."""
    tiers: Any = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 500}]
    graduated = client.v1.prices.create(
        {
            "currency": "usd",
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": tiers,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Seats"},
        }
    )
    five = [{"coupon": coupon(client, amount_off=500)}]
    entries: Any = [{"price": graduated.id, "quantity": 7, "discounts": five}]
    made = client.v1.subscriptions.create({"customer": customer(client).id, "items": entries})

    invoice = latest(client, made)

    assert (len(invoice.lines.data), invoice.subtotal, invoice.total) == (2, 5500, 5500)


def test_discounts_can_be_changed(client: stripe.StripeClient, controls: Controls) -> None:
    """Added, kept by their id, replaced, taken away: from the next invoice on, and nothing is prorated."""
    made = subscribed(client)
    more = client.v1.subscriptions.update(made.id, {"discounts": [{"coupon": coupon(client)}]})
    first: Any = more.discounts[0]

    both = client.v1.subscriptions.update(
        made.id, {"discounts": [{"discount": first}, {"coupon": coupon(client, amount_off=500)}]}
    )
    given = news(client)
    controls.push(MONTH + 2 * HOUR)
    none = client.v1.subscriptions.update(made.id, {"discounts": ""})
    taken = news(client)
    controls.push(MONTH + 2 * HOUR)

    assert both.discounts[0] == first
    assert (len(both.discounts), none.discounts) == (2, [])
    assert totals(client, made) == [2500, 1500, 2500]
    assert given == ["customer.discount.created"] * 2
    assert taken == ["customer.discount.deleted"] * 2


def test_an_items_discounts_can_be_changed(client: stripe.StripeClient, controls: Controls) -> None:
    """With the subscription, on the item itself, and with an item that is added."""
    made = subscribed(client)
    update: Any = {"items": [{"id": item(made).id, "discounts": [{"coupon": coupon(client)}]}]}
    client.v1.subscriptions.update(made.id, update)
    fifth: Any = [{"coupon": coupon(client)}]
    client.v1.subscription_items.create(
        {"subscription": made.id, "price": price(client, 1000).id, "discounts": fifth, "proration_behavior": "none"}
    )

    controls.push(MONTH + 2 * HOUR)
    client.v1.subscription_items.update(item(made).id, {"discounts": ""})
    controls.push(MONTH + 2 * HOUR)

    assert totals(client, made) == [2500, 2800, 3300]


def test_a_coupon_added_later_waits_for_the_renewal(client: stripe.StripeClient, controls: Controls) -> None:
    """Had once: it stays until an invoice uses it up."""
    made = subscribed(client)
    client.v1.subscriptions.update(made.id, {"discounts": [{"coupon": coupon(client, duration="once")}]})
    before = held(client, made)

    controls.push(MONTH + 2 * HOUR)

    assert (len(before), held(client, made), totals(client, made)) == (1, [], [2500, 2000])


def test_the_end_of_a_discount_is_told(client: stripe.StripeClient, controls: Controls) -> None:
    """Whether it was used up, its months are over, or somebody took it away."""
    made = subscribed(client, discounts=[{"coupon": coupon(client, duration="repeating", duration_in_months=1)}])
    started = news(client)

    controls.push(MONTH + 2 * HOUR)

    (ended,) = client.v1.events.list({"type": "customer.discount.deleted"}).data
    discount: Any = ended.data.object
    assert started == ["customer.discount.created"]
    assert (discount["subscription"], discount["customer"]) == (made.id, made.customer)


def test_a_subscriptions_discount_is_taken_away(client: stripe.StripeClient, controls: Controls) -> None:
    """By its own URL: the answer is what it was, marked as deleted; what it made cheaper stays so."""
    made = subscribed(client, discounts=[{"coupon": coupon(client)}])
    (discount,) = held(client, made)

    gone: Any = client.v1.subscriptions.delete_discount(made.id)
    controls.push(MONTH + 2 * HOUR)

    assert (gone.id, gone.deleted, gone.subscription) == (discount, True, made.id)
    assert (held(client, made), totals(client, made)) == ([], [2000, 2500])
    first = client.v1.invoices.list({"subscription": made.id, "expand": ["data.discounts"]}).data[-1]
    assert [one.to_dict()["deleted"] for one in first.discounts if not isinstance(one, str)] == [True]
    with refused("No active discount") as refusal:
        client.v1.subscriptions.delete_discount(made.id)
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_what_was_given_outlives_its_coupon(client: stripe.StripeClient, controls: Controls) -> None:
    """Deleted, or redeemed as often as it may be: who has it keeps it, nobody else gets it."""
    last = coupon(client, max_redemptions=1)
    made = subscribed(client, discounts=[{"coupon": last}])
    with refused("Coupon expired"):
        subscribed(client, discounts=[{"coupon": last}])

    client.v1.coupons.delete(last)
    controls.push(MONTH + 2 * HOUR)

    assert totals(client, made) == [2000, 2000]


def test_only_products_a_coupon_is_for_get_cheaper(client: stripe.StripeClient, controls: Controls) -> None:
    """It may be given before any of them is sold: `applies_to` limits what is cheaper, not who may have it."""
    pro, extra = price(client, 2500), price(client, 1000)
    made = subscribed(
        client, None, pro, discounts=[{"coupon": coupon(client, applies_to={"products": [str(extra.product)]})}]
    )
    client.v1.subscription_items.create({"subscription": made.id, "price": extra.id, "proration_behavior": "none"})

    controls.push(MONTH + 2 * HOUR)

    assert totals(client, made) == [2500, 3300]


def test_prorations_are_left_alone(client: stripe.StripeClient, controls: Controls) -> None:
    """Their lines are not discountable: what a change gives back and costs stays as it was worked out."""
    made = subscribed(client, discounts=[{"coupon": coupon(client)}])
    start, end = period(made)
    controls.push((end - start) // 2)
    more: Any = {
        "items": [{"id": item(made).id, "price": price(client, 5000).id}],
        "proration_behavior": "always_invoice",
    }

    client.v1.subscriptions.update(made.id, more)

    change = latest(client, made)
    assert [line.discountable for line in change.lines.data] == [False, False]
    assert [line.discount_amounts for line in change.lines.data] == [[], []]
    assert change.total == sum(line.amount for line in change.lines.data)


def test_a_first_invoice_of_nothing_needs_no_card(client: stripe.StripeClient) -> None:
    """100 % off: active at once, without a payment."""
    made = subscribed(client, customer(client, None), discounts=[{"coupon": coupon(client, percent_off=100)}])

    assert (made.status, totals(client, made)) == ("active", [0])
    assert client.v1.payment_intents.list().data == []


def test_what_is_charged_once_beside_it_may_be_cheaper(client: stripe.StripeClient) -> None:
    """`add_invoice_items` have discounts of their own."""
    extra = client.v1.prices.create({"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Set-up"}})
    made = subscribed(
        client, add_invoice_items=[{"price": extra.id, "discounts": [{"coupon": coupon(client, percent_off=50)}]}]
    )

    assert totals(client, made) == [3000]


def test_a_preview_redeems_nothing(client: stripe.StripeClient) -> None:
    """It shows what a coupon would take off."""
    made, fifth = subscribed(client), coupon(client)

    preview = client.v1.invoices.create_preview({"subscription": made.id, "discounts": [{"coupon": fifth}]})

    assert preview.total == 2000
    assert client.v1.coupons.retrieve(fifth).times_redeemed == 0
    assert held(client, made) == []


def test_a_subscription_that_cannot_be_redeems_nothing(client: stripe.StripeClient) -> None:
    """Refused for its card: the coupon is as it was."""
    once = coupon(client, max_redemptions=1)

    with pytest.raises(stripe.CardError):
        subscribed(
            client,
            customer(client, "pm_card_chargeCustomerFail"),
            discounts=[{"coupon": once}],
            payment_behavior="error_if_incomplete",
        )

    assert client.v1.coupons.retrieve(once).times_redeemed == 0
    assert subscribed(client, discounts=[{"coupon": once}]).status == "active"


def test_codes_for_first_customers_are_for_first_subscriptions(client: stripe.StripeClient) -> None:
    """Whoever has paid before is refused; and a minimum is held against what the subscription costs."""
    fifth = coupon(client)
    restrictions: Any = {"first_time_transaction": True, "minimum_amount": 2500, "minimum_amount_currency": "usd"}
    code = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": fifth}, "restrictions": restrictions}
    ).id
    ada = customer(client)

    with refused("minimum amount"):
        subscribed(client, ada, price(client, 2400), discounts=[{"promotion_code": code}])
    first = subscribed(client, ada, discounts=[{"promotion_code": code}])
    with refused("prior transactions") as refusal:
        subscribed(client, ada, discounts=[{"promotion_code": code}])

    assert totals(client, first) == [2000]
    assert refusal.value.param == "discounts[0][promotion_code]"
