"""Checkout Sessions with taxes: tax rates on their line items."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.selling import line, opened, payment, refusal
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """The payment page's own URLs, which no SDK knows."""
    return Wire(local_stripe.url, key)


def rate(client: stripe.StripeClient, percentage: float = 19, *, inclusive: bool = False) -> str:
    """A tax rate."""
    return client.v1.tax_rates.create({"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}).id


def sums(session: stripe.checkout.Session) -> tuple[int | None, int, int, int | None]:
    """Subtotal, discount, tax, total."""
    details = session.total_details
    assert details is not None
    return session.amount_subtotal, details.amount_discount, details.amount_tax, session.amount_total


def test_a_tax_comes_on_top(client: stripe.StripeClient, wire: Wire) -> None:
    """Line by line, on what the discount left; the payment is what the session says."""
    given = client.v1.coupons.create({"percent_off": 25}).id
    session = opened(
        client,
        line_items=[line(1000, tax_rates=[rate(client)]), line(500)],
        discounts=[{"coupon": given}],
        expand=["line_items", "total_details.breakdown.taxes"],
    )

    wire.post(
        f"/v1/payment_pages/{session.id}/confirm",
        urlencode({"payment_method": "pm_card_visa", "email": "ada@example.com"}),
    )

    assert session.line_items is not None
    assert [
        (one.amount_subtotal, one.amount_discount, one.amount_tax, one.amount_total) for one in session.line_items.data
    ] == [(1000, 250, 143, 893), (500, 125, 0, 375)]
    assert sums(session) == (1500, 375, 143, 1268)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).payment_intent
    assert isinstance(paid, stripe.PaymentIntent)
    assert paid.amount_received == 1268


def test_a_tax_may_be_in_the_price(client: stripe.StripeClient) -> None:
    """It is told, and costs nothing more."""
    session = opened(client, line_items=[line(1190, tax_rates=[rate(client, inclusive=True)])])

    assert sums(session) == (1190, 0, 190, 1190)


def test_the_breakdown_tells_of_each_rate(client: stripe.StripeClient) -> None:
    """How much of what, and on how much."""
    full, half = rate(client, 20), rate(client, 10)
    items = [line(1000, tax_rates=[full]), line(500, tax_rates=[full, half])]

    session = opened(client, line_items=items, expand=["total_details.breakdown"])

    assert session.total_details is not None
    assert session.total_details.breakdown is not None
    assert [(tax.rate.id, tax.amount, tax.taxable_amount) for tax in session.total_details.breakdown.taxes] == [
        (full, 300, 1500),
        (half, 50, 500),
    ]


def test_who_is_exempt_pays_no_tax(client: stripe.StripeClient) -> None:
    """`tax_exempt` of the customer."""
    ada = client.v1.customers.create({"email": "ada@example.com", "tax_exempt": "exempt"}).id

    session = opened(client, customer=ada, line_items=[line(1000, tax_rates=[rate(client)])])

    assert sums(session) == (1000, 0, 0, 1000)


def test_taxes_follow_the_line_items(client: stripe.StripeClient) -> None:
    """Changed while the session is open: another quantity, another rate, none."""
    session = opened(client, line_items=[line(1000, tax_rates=[rate(client)])], expand=["line_items"])
    assert session.line_items is not None
    identifier = session.line_items.data[0].id

    def update(**change: Any) -> tuple[int | None, int, int, int | None]:
        given: Any = {"line_items": [{"id": identifier, **change}]}
        return sums(client.v1.checkout.sessions.update(session.id, given))

    assert update(quantity=2) == (2000, 0, 380, 2380)
    assert update(tax_rates=[rate(client, 10)]) == (2000, 0, 200, 2200)
    assert update(tax_rates="") == (2000, 0, 0, 2000)


def test_a_rate_that_cannot_be_charged_is_refused(client: stripe.StripeClient) -> None:
    """Unknown, or archived."""
    archived = rate(client)
    client.v1.tax_rates.update(archived, {"active": False})

    unknown = refusal(client, payment(line_items=[line(tax_rates=["txr_x"])]))
    over = refusal(client, payment(line_items=[line(tax_rates=[archived])]))

    assert (unknown.code, unknown.param) == ("resource_missing", "line_items[0][tax_rates][0]")
    assert over.param == "line_items[0][tax_rates][0]"


def test_the_page_shows_the_tax(client: stripe.StripeClient, local_stripe: LocalStripe) -> None:
    """Where it comes on top."""
    session = opened(client, line_items=[line(1000, tax_rates=[rate(client)])])

    page = Wire(local_stripe.url, None).get(f"/c/pay/{session.id}").body.decode()

    assert "<dt>Tax</dt><dd>$1.90</dd>" in page
    assert "Pay $11.90" in page
