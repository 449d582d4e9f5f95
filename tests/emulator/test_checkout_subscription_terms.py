"""Checkout in mode subscription: what is sold, on which terms, and what the first invoice says of it."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.checkout_subscribing import confirm, finished, opened, sold
from tests.emulator.controls import Controls
from tests.emulator.paying import answer_bank
from tests.emulator.selling import line
from tests.emulator.subscribing import DAY, price
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


OFF: Any = [None, {"percent_off": 33.33}, {"amount_off": 1000, "currency": "usd"}]
CARTS = [
    (["plan"], {}),
    (["plan", "setup fee"], {}),
    (["setup fee", "taxed", "taxed setup fee", "with tax in it"], {}),
    (["tiered", "in packs"], {}),
    (["metered", "setup fee"], {}),
    (["described", "taxed setup fee"], {}),
    (["plan", "yearly"], {}),
    (["taxed", "setup fee"], {"subscription_data": {"trial_period_days": 7}}),
    (["taxed", "plan"], {"subscription_data": {"billing_cycle_anchor_config": {"day_of_month": 31}}}),
]


@pytest.mark.parametrize(("names", "terms"), CARTS)
@pytest.mark.parametrize("off", OFF)
def test_the_first_invoice_says_what_the_session_said(
    client: stripe.StripeClient, wire: Wire, names: list[str], terms: Any, off: Any
) -> None:
    """To the cent: subtotal, discount, tax and total, and what was charged."""
    shelf = sold(client)
    if off:
        terms = terms | {"discounts": [{"coupon": client.v1.coupons.create(off).id}]}
    session = opened(client, *(shelf[name] for name in names), **terms)

    assert confirm(wire, session, expected_amount=session.amount_total or 0).status == 200

    done = finished(client, session)
    invoice, sums = done.invoice, done.total_details
    assert (done.amount_subtotal, done.amount_total) == (session.amount_subtotal, session.amount_total)
    assert (invoice.subtotal, invoice.total) == (done.amount_subtotal, done.amount_total)
    assert sum(one.amount for one in invoice.total_discount_amounts) == sums.amount_discount
    assert sum(one.amount for one in invoice.total_taxes) == sums.amount_tax
    assert sum(charge.amount for charge in client.v1.charges.list().data) == invoice.amount_paid == invoice.total
    lines = client.v1.checkout.sessions.line_items.list(session.id).data
    assert sum(one.amount_total for one in lines) == done.amount_total
    assert len(done.subscription["items"].data) == len([name for name in names if "fee" not in name])


def test_a_one_time_price_is_billed_once(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """On the first invoice only."""
    session = opened(client, {"price": price(client).id, "quantity": 1}, line(4900))

    confirm(wire, session)
    controls.push(32 * DAY)

    assert [one.total for one in client.v1.invoices.list().data] == [2500, 7400]


@pytest.mark.parametrize(
    ("duration", "kept", "renewals"),
    [
        ({"duration": "once"}, 0, [2500, 2500]),
        ({"duration": "repeating", "duration_in_months": 2}, 1, [2000, 2500]),
        ({"duration": "forever"}, 1, [2000, 2000]),
    ],
)
def test_a_discount_becomes_the_subscriptions(
    client: stripe.StripeClient,
    wire: Wire,
    controls: Controls,
    duration: Any,
    kept: int,
    renewals: list[int],
) -> None:
    """Redeemed once, when the session is complete, and had for as long as its coupon says."""
    terms: Any = {"percent_off": 20, **duration}
    coupon = client.v1.coupons.create(terms).id
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": "FIFTH"})
    session = opened(client, discounts=[{"promotion_code": code.id}])
    assert client.v1.coupons.retrieve(coupon).times_redeemed == 0

    confirm(wire, session)

    done = finished(client, session)
    assert (session.amount_total, done.invoice.total, len(done.subscription.discounts)) == (2000, 2000, kept)
    assert client.v1.coupons.retrieve(coupon).times_redeemed == 1
    assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 1
    for _ in renewals:
        controls.push(31 * DAY)
    later = client.v1.invoices.list({"subscription": done.subscription.id}).data[::-1][1:]
    assert [one.total for one in later] == renewals
    assert client.v1.coupons.retrieve(coupon).times_redeemed == 1


def test_what_is_said_of_the_subscription_is_kept(client: stripe.StripeClient, wire: Wire) -> None:
    """`subscription_data`, all of it; the session's own metadata stays with the session."""
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False}).id
    session = opened(
        client,
        metadata={"cart": "7"},
        subscription_data={
            "billing_mode": {"type": "classic"},
            "default_tax_rates": [rate],
            "description": "All of it",
            "invoice_settings": {"footer": "Thanks"},
            "metadata": {"plan": "pro"},
            "trial_period_days": 5,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )

    confirm(wire, session)

    subscription = finished(client, session).subscription
    assert subscription.billing_mode.type == "classic"
    assert [one.id for one in subscription.default_tax_rates] == [rate]
    assert (subscription.description, subscription.metadata.to_dict()) == ("All of it", {"plan": "pro"})
    assert subscription.trial_settings.end_behavior.missing_payment_method == "pause"
    assert (subscription.latest_invoice.footer, subscription.latest_invoice.description) == ("Thanks", "All of it")


def test_default_tax_rates_count_at_once(client: stripe.StripeClient, wire: Wire) -> None:
    """The session's total has them, and so has the first invoice."""
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False}).id
    session = opened(client, subscription_data={"default_tax_rates": [rate]})

    confirm(wire, session)

    assert session.total_details is not None
    assert (session.amount_total, session.total_details.amount_tax) == (2750, 250)
    assert finished(client, session).invoice.total == 2750


def test_a_given_anchor_prorates_the_first_period(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """Only up to the anchor; with `proration_behavior=none` it costs nothing."""
    now = controls.get("/clock")["now"]
    anchored = {"billing_cycle_anchor": now + 10 * DAY}
    session = opened(client, subscription_data=anchored)
    free = opened(client, subscription_data=anchored | {"proration_behavior": "none"})

    confirm(wire, session)
    confirm(wire, free)

    part, nothing = finished(client, session), finished(client, free)
    assert part.subscription.billing_cycle_anchor == now + 10 * DAY
    assert 700 < part.amount_total < 900
    assert part.invoice.amount_paid == part.amount_total
    assert (nothing.amount_total, nothing.payment_status) == (0, "no_payment_required")


def test_a_share_of_a_period_is_quoted_for_a_while(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """It costs less with every second; who looked at the page pays what it said, within the hour."""
    now = controls.get("/clock")["now"]
    sold = {"price": price(client, 2_000_000).id, "quantity": 1}
    session = opened(client, sold, subscription_data={"billing_cycle_anchor": now + 10 * DAY})

    controls.push(1800)
    soon = wire.get(f"/v1/payment_pages/{session.id}").value["total_summary"]["due"]
    controls.push(1801)
    late = confirm(wire, session, expected_amount=soon)
    dearer = wire.get(f"/v1/payment_pages/{session.id}").value["total_summary"]["due"]
    confirm(wire, session, "pm_card_authenticationRequired", expected_amount=dearer)
    (intent,) = client.v1.payment_intents.list().data
    controls.push(600)
    answer_bank(intent, "complete")

    assert soon == session.amount_total
    assert (late.status, late.error["code"]) == (400, "checkout_amount_mismatch")
    assert dearer < soon
    assert finished(client, session).invoice.amount_paid == dearer


def test_what_a_customer_has_to_their_credit_counts(client: stripe.StripeClient, wire: Wire) -> None:
    """The total is the invoice's; charged is what the balance leaves."""
    ada = client.v1.customers.create({"email": "ada@example.com", "balance": -600})
    session = opened(client, customer=ada.id)

    assert confirm(wire, session, expected_amount=1900).status == 200

    done = finished(client, session)
    assert (done.amount_total, done.invoice.total, done.invoice.amount_paid) == (2500, 2500, 1900)
    assert done.customer.balance == 0


def test_what_is_sold_can_be_changed_while_it_is_open(client: stripe.StripeClient, wire: Wire) -> None:
    """Another quantity, and a fee beside it."""
    session = opened(client)
    (kept,) = client.v1.checkout.sessions.line_items.list(session.id).data

    given: Any = {"line_items": [{"id": kept.id, "quantity": 4}, line(500)]}
    changed = client.v1.checkout.sessions.update(session.id, given)
    confirm(wire, session, expected_amount=10_500)

    assert changed.amount_total == 10_500
    assert finished(client, session).invoice.total == 10_500


def test_a_price_that_is_archived_meanwhile_was_sold(client: stripe.StripeClient, wire: Wire) -> None:
    """The session keeps its word."""
    plan = price(client)
    session = opened(client, {"price": plan.id, "quantity": 1})
    client.v1.prices.update(plan.id, {"active": False})

    confirm(wire, session)

    assert finished(client, session).subscription["items"].data[0].price.id == plan.id
