"""Lists: newest first, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.paying import pay
from tests.emulator.wire import Wire


@pytest.fixture
def ids(client: stripe.StripeClient) -> list[str]:
    """Seven customers, newest first."""
    return [client.v1.customers.create({"name": str(number)}).id for number in range(7)][::-1]


def listed(client: stripe.StripeClient, **params: Any) -> tuple[list[str], bool]:
    page = client.v1.customers.list(params)  # type: ignore[arg-type]
    return [customer.id for customer in page.data], page.has_more


def test_pages_go_forward_and_back(client: stripe.StripeClient, ids: list[str]) -> None:
    """`has_more` speaks of the direction of travel, and every page is newest first."""
    assert listed(client, limit=3) == (ids[:3], True)
    assert listed(client, limit=3, starting_after=ids[2]) == (ids[3:6], True)
    assert listed(client, limit=3, starting_after=ids[5]) == (ids[6:], False)
    assert listed(client, limit=3, ending_before=ids[6]) == (ids[3:6], True)
    assert listed(client, limit=3, ending_before=ids[3]) == (ids[:3], False)
    assert listed(client, limit=3, ending_before=ids[0]) == ([], False)


def test_an_iterator_walks_all_pages(client: stripe.StripeClient, ids: list[str]) -> None:
    """The SDK's own, in both directions: everything once, although all were made within a second."""
    forward = client.v1.customers.list({"limit": 2}).auto_paging_iter()
    backward = client.v1.customers.list({"limit": 2, "ending_before": ids[-1]}).auto_paging_iter()

    assert [customer.id for customer in forward] == ids
    assert [customer.id for customer in backward] == ids[-2::-1]


def test_a_page_does_not_move_under_new_arrivals(client: stripe.StripeClient, ids: list[str]) -> None:
    """A cursor is an object, not a number."""
    client.v1.customers.create()
    client.v1.customers.delete(ids[4])

    assert listed(client, limit=3, starting_after=ids[2]) == ([ids[3], ids[5], ids[6]], False)


@pytest.mark.parametrize(("limit", "length"), [(0, 1), (-5, 1), (3, 3), (1000, 7)])
def test_a_limit_out_of_range_is_clamped(client: stripe.StripeClient, ids: list[str], limit: int, length: int) -> None:
    """To 1 or to 100, silently."""
    assert listed(client, limit=limit)[0] == ids[:length]


def test_ten_objects_are_a_page(client: stripe.StripeClient) -> None:
    """Unless told otherwise."""
    for _ in range(11):
        client.v1.customers.create()

    page = client.v1.customers.list()

    assert (len(page.data), page.has_more, page.url) == (10, True, "/v1/customers")


@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
def test_a_cursor_that_is_none_is_refused(wire: Wire, client: stripe.StripeClient, ids: list[str], cursor: str) -> None:
    """An unknown object, and one that was deleted."""
    client.v1.customers.delete(ids[3])

    for identifier in ("cus_nobody", ids[3]):
        reply = wire.get(f"/v1/customers?{cursor}={identifier}")
        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", cursor)
        assert reply.error["message"] == f"No such customer: '{identifier}'"


def test_two_cursors_are_refused(wire: Wire, ids: list[str]) -> None:
    """There is one direction of travel."""
    reply = wire.get(f"/v1/customers?starting_after={ids[3]}&ending_before={ids[1]}")

    assert reply.status == 400
    assert reply.error["message"] == (
        "Received both starting_after and ending_before parameters. Please pass in only one."
    )
    assert "param" not in reply.error


def test_lists_are_narrowed_by_time(client: stripe.StripeClient, wire: Wire, ids: list[str]) -> None:
    """An exact second, or bounds; the clock is pushed between the old ones and the new one."""
    oldest = client.v1.customers.retrieve(ids[-1]).created
    wire.post("/_local/clock/advance", "seconds=3600", Content_Type="application/x-www-form-urlencoded")
    new = client.v1.customers.create()

    assert listed(client, created=new.created) == ([new.id], False)
    assert listed(client, created={"gt": new.created - 60}) == ([new.id], False)
    assert listed(client, created={"gte": oldest, "lt": new.created}) == (ids, False)
    assert listed(client, created={"lte": oldest - 1}) == ([], False)
    assert listed(client, created={"gt": new.created}) == ([], False)


@pytest.mark.parametrize(
    "asked",
    [
        "customers?test_clock=clock_x",
        "prices?recurring[meter]=mtr_x",
        "balance_transactions?payout=po_x",
        "payment_intents?customer_account=acct_x",
        "setup_intents?customer_account=acct_x",
        "checkout/sessions?customer_account=acct_x",
    ],
)
def test_a_filter_for_what_nothing_has_finds_nothing(client: stripe.StripeClient, wire: Wire, asked: str) -> None:
    """An unfiltered list in its place would be a wrong answer."""
    client.v1.prices.create({"currency": "usd", "unit_amount": 1900, "product_data": {"name": "E-book"}})
    customer = client.v1.customers.create()
    client.v1.setup_intents.create({"customer": customer.id})
    pay(client, "pm_card_visa", capture_method="automatic")
    client.v1.checkout.sessions.create({"mode": "setup", "currency": "usd", "success_url": "http://127.0.0.1:9/"})
    assert wire.get(f"/v1/{asked.partition('?')[0]}").value["data"] != []

    reply = wire.get(f"/v1/{asked}")

    assert (reply.value["data"], "paydesk-no-effect" in reply.headers) == ([], False)
