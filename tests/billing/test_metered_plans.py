"""Plans that charge by use beside their price: pushed, sold, counted, billed, changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.errors import CatalogError, PortalRefused, PriceMismatch
from tests.billing.paying import pay
from tests.billing.subscriber import ADA, Subscriber
from tests.billing.till import Till, sessions_at_stripe

if TYPE_CHECKING:
    from collections.abc import Iterator

    import stripe

    from tests.billing.conftest import Clock
    from tests.billing.wire import Wire
    from tests.emulator.controls import Controls

CATALOG = """
[plans.starter]
name = "Starter"
price = "$9/mo"

[plans.sender]
name = "Sender"
price = ["$29/mo", "$290/yr"]
seats_max = 5
usage = { emails = "$2 per 1000", calls = "$0.05" }

[meters.emails]
name = "E-mails sent"
event_name = "emails_sent"

[meters.calls]
name = "Calls"
"""


@pytest.fixture
def unstocked_till(database_url: str, wire: Wire, key: str, clock: Clock) -> Iterator[Till]:
    till = Till(database_url, wire, key, clock, catalog=CATALOG)
    yield till
    till.desk.close()


@pytest.fixture
def ada(till: Till, client: stripe.StripeClient) -> Subscriber:
    return Subscriber(till, client)


def prices_of(ada: Subscriber) -> dict[str, int | None]:
    """What the subscription consists of at Stripe, by lookup key, with quantities."""
    items = ada.at_stripe().to_dict(for_json=True)["items"]["data"]
    return {str(item["price"]["lookup_key"]): item.get("quantity") for item in items}


def test_pushing_makes_a_metered_price_for_each_rhythm_once(till: Till, client: stripe.StripeClient) -> None:
    """On the meter, as written; a second push makes none, and a changed rate takes the lookup key over."""
    till.desk.catalog.push(client)

    prices = {str(price.lookup_key): price for price in client.v1.prices.list({"limit": 100}).data}
    assert set(prices) == {
        *("starter", "sender", "sender_emails", "sender_calls"),
        *("sender_yearly", "sender_yearly_emails", "sender_yearly_calls"),
    }
    emails = prices["sender_emails"]
    assert emails.recurring is not None
    assert emails.transform_quantity is not None
    assert (emails.unit_amount, emails.transform_quantity.divide_by) == (200, 1000)
    assert emails.recurring.usage_type == "metered"
    assert client.v1.products.retrieve(str(emails.product)).name == "E-mails sent"

    Catalog.parse(CATALOG.replace("$2 per", "$3 per")).push(client)

    (now,) = client.v1.prices.list({"lookup_keys": ["sender_emails"]}).data
    assert (now.unit_amount, now.id == emails.id) == (300, False)


def test_what_is_used_is_on_the_next_invoice(ada: Subscriber, controls: Controls) -> None:
    """Sold on Stripe's page beside the plan, recorded by the app, told to the meter, charged when the month is over."""
    pay(ada.till.desk.subscribe("sender", user=ADA, seats=2).url)
    ada.hears()
    assert (ada.subscription.plan, ada.subscription.seats, ada.subscription.active) == ("sender", 2, True)
    assert prices_of(ada) == {"sender": 2, "sender_emails": None, "sender_calls": None}

    now = ada.subscription.current_period_start
    ada.till.desk.record(ADA, "emails", 2500, used_at=now)
    ada.till.desk.record(ADA, "calls", 3, used_at=now)
    ada.till.desk.work()
    controls.push(32 * 86_400)
    ada.hears()

    (renewal, _) = ada.till.desk.invoices(ADA)
    assert renewal.total_minor == 2 * 2900 + 3 * 200 + 3 * 5
    assert ada.is_mirrored()


def test_going_over_takes_on_and_leaves_what_is_charged_by_use(ada: Subscriber) -> None:
    """Another rhythm has prices of its own; more seats change nothing about it."""
    ada.subscribes("starter")

    ada.subscription.swap("sender")
    assert prices_of(ada) == {"sender": 1, "sender_emails": None, "sender_calls": None}

    ada.subscription.set_seats(3)
    assert prices_of(ada) == {"sender": 3, "sender_emails": None, "sender_calls": None}

    ada.subscription.swap("sender", interval="year")
    assert prices_of(ada) == {"sender_yearly": 3, "sender_yearly_emails": None, "sender_yearly_calls": None}

    after = ada.subscription.swap("starter", seats=1)
    assert (after.plan, prices_of(ada)) == ("starter", {"starter": 1})
    assert ada.is_mirrored()


def test_the_portal_changes_nothing_that_is_charged_by_use(ada: Subscriber) -> None:
    """Stripe's portal would give it away, or leave it on: there is no such button, and no such choice."""
    ada.subscribes("starter")
    ada.subscription.swap("sender")

    (holding,) = ada.till.desk.account(ADA).holdings
    assert not holding.has_choice
    with pytest.raises(PortalRefused):
        ada.till.desk.portal(ADA, to="switch")
    pages = ada.till.desk.pages
    shown = pages.pricing([], ada.till.desk.catalog.plans_for_sale, holdings=[holding])
    assert "to=switch" not in shown
    assert "Emails: $2 per 1,000" in shown
    assert "Calls: $0.05 each" in pages.account(ada.till.desk.account(ADA), ada.till.desk.catalog.portal)


def test_a_price_by_use_is_sold_as_the_catalog_promises_or_not_at_all(
    till: Till, client: stripe.StripeClient, wire: Wire
) -> None:
    """The key was taken over by a price that charges ten times as much."""
    (emails,) = client.v1.prices.list({"lookup_keys": ["sender_emails"]}).data
    assert emails.recurring is not None
    client.v1.prices.create(
        {
            "currency": "usd",
            "product": str(emails.product),
            "unit_amount": 200,
            "transform_quantity": {"divide_by": 100, "round": "up"},
            "recurring": {"interval": "month", "usage_type": "metered", "meter": str(emails.recurring.meter)},
            "lookup_key": "sender_emails",
            "transfer_lookup_key": True,
        }
    )

    with pytest.raises(PriceMismatch):
        till.desk.subscribe("sender", user=ADA)

    assert sessions_at_stripe(client) == []


@pytest.mark.parametrize(
    ("usage", "mistake"),
    [
        ('{ letters = "$1" }', "nothing counts 'letters': add a table"),
        ('{ emails = "$1 per month" }', "is not an amount of money"),
        ("{ emails = 2 }", "must be a text such as"),
        ('"$2"', "must be a table of prices"),
        ('{ emails = "2 EUR per 1000" }', "in the currency of the plan's own price"),
        ('{ emails = "$0.002" }', 'is written "$2 per 1000"'),
    ],
)
def test_a_rate_that_says_nothing_is_refused(usage: str, mistake: str) -> None:
    """With the line, and what to write instead."""
    text = CATALOG.replace('{ emails = "$2 per 1000", calls = "$0.05" }', usage)

    with pytest.raises(CatalogError) as refused:
        Catalog.parse(text)

    assert mistake in str(refused.value)
    assert "line 10" in str(refused.value)
