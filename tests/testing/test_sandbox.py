"""The sandbox: a Stripe of the test's own, for any SDK."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import stripe

if TYPE_CHECKING:
    from paydesk.testing import Billing, LocalStripe
    from paydesk.testing.server import Server


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_has_an_empty_stripe(local_stripe: LocalStripe, again: int) -> None:
    """Whatever another one left."""
    assert local_stripe.client.v1.customers.list().data == []

    local_stripe.client.v1.customers.create({"name": "Ada"})


def test_it_answers_over_http_too(local_stripe: LocalStripe) -> None:
    """With nothing but its address and key."""
    over_http = stripe.StripeClient(
        local_stripe.key, base_addresses={"api": local_stripe.url}, http_client=stripe.RequestsClient()
    )

    ada = over_http.v1.customers.create({"name": "Ada"})

    assert local_stripe.client.v1.customers.retrieve(ada.id).name == "Ada"


async def local_customer(local_stripe: LocalStripe) -> stripe.Customer:
    return await local_stripe.client.v1.customers.create_async({"name": "Ada"})


def test_coroutines_ask_it_as_well(local_stripe: LocalStripe) -> None:
    """The official client's asynchronous half."""
    assert asyncio.run(local_customer(local_stripe)).name == "Ada"


def test_a_test_may_be_a_coroutine(billing: Billing) -> None:
    """The helpers are plain functions, and work while a loop is running."""

    async def a_test() -> str:
        await local_customer(billing.stripe)
        return billing.buy("ada", "ebook").status

    assert asyncio.run(a_test()) == "paid"


def test_the_same_calls_give_the_same_ids(paydesk_server: Server) -> None:
    """A snapshot of today is right tomorrow."""
    ids = [paydesk_server.sandbox(name).client.v1.customers.create().id for name in ("some test", "another")]
    other = type(paydesk_server)(datetime(2026, 3, 2, 9, tzinfo=UTC))

    again = [other.sandbox(name).client.v1.customers.create().id for name in ("some test", "another")]
    other.close()

    assert again == ids
    assert len(set(ids)) == 2


def test_time_stands_still_until_it_is_advanced(local_stripe: LocalStripe) -> None:
    """For Stripe alone, where no app is under test."""
    local_stripe.advance("1 day")

    assert local_stripe.client.v1.customers.create().created == datetime(2026, 3, 3, 9, tzinfo=UTC).timestamp()


def test_requests_fail_as_told(local_stripe: LocalStripe) -> None:
    """Once, and then no more."""
    local_stripe.fail_next("POST /v1/customers", status=503)

    with pytest.raises(stripe.APIError):
        local_stripe.client.v1.customers.create()

    assert local_stripe.client.v1.customers.create().id


def test_a_line_can_be_cut(local_stripe: LocalStripe) -> None:
    """All was done, and nobody heard of it."""
    local_stripe.fail_next("POST /v1/customers", "timeout_after")

    with pytest.raises(stripe.APIConnectionError):
        local_stripe.client.v1.customers.create()

    assert len(local_stripe.client.v1.customers.list().data) == 1


def test_billing_uses_the_tests_own_stripe(local_stripe: LocalStripe, billing: Billing) -> None:
    """Both fixtures speak of one sandbox, in which the catalog is on sale."""
    assert billing.stripe is local_stripe
    assert {price.lookup_key for price in local_stripe.client.v1.prices.list().data} >= {"ebook", "starter"}


def test_what_was_there_before_stays(local_stripe: LocalStripe, request: pytest.FixtureRequest) -> None:
    """A fixture of the app's own may have made something at Stripe first."""
    ada = local_stripe.client.v1.customers.create({"name": "Ada"})

    billing: Billing = request.getfixturevalue("billing")

    assert local_stripe.client.v1.customers.retrieve(ada.id).name == "Ada"
    assert billing.buy("ada", "ebook").status == "paid"
    assert billing.desk.verify(tables=("products", "prices")).is_true
