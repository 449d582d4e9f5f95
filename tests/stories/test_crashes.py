"""Killed for real, while people buy: the shop, its worker, and Stripe itself. Nothing is lost, nothing is doubled."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from typing import TYPE_CHECKING, TypeVar, cast

import httpx2
import pytest

from tests.billing.paying import pay
from tests.conftest import ROOT, LocalStripe
from tests.flarex import PAYS, Flarex, shelf
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from paydesk.cli.demo.person import Page

T = TypeVar("T")

BUYERS = 6
PURCHASES = 4

# Longer than any lease, and than a handler may take: whoever died holding something has let it go by then.
LEASES_ARE_OVER_SECONDS = 180
LAST_DELIVERY_SECONDS = 5 * 3600


def test_t1_y1_what_happened_while_the_shop_was_down_is_told_again(flarex: Flarex) -> None:
    """Nobody answered the webhook, so Stripe tells it once more; the shop that is back delivers."""
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    session_id = flarex.order_of(person)["session_id"]

    flarex.kill()
    paid = pay(hosted.url)
    flarex.pass_time(LEASES_ARE_OVER_SECONDS)
    flarex.start()
    was_delivered_before = flarex.has(person)
    flarex.controls.push(60)
    flarex.settle()

    (completed,) = flarex.events_of("checkout.session.completed", session_id)
    assert paid.status == 303
    assert not was_delivered_before
    assert flarex.attempts_at(completed.id) == [None, 200]
    assert flarex.has(person)


def test_p3_t1_y1_y2_what_was_answered_is_done_though_the_shop_died_on_it(flarex: Flarex) -> None:
    """The webhook has its 200, and the shop dies before anything came of it: Stripe will not tell it again."""
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    session_id = flarex.order_of(person)["session_id"]
    asked = flarex.strike("slow", "GET", f"/v1/checkout/sessions/{session_id}", seconds=20)

    pay(hosted.url)
    (completed,) = flarex.events_of("checkout.session.completed", session_id)
    until(lambda: flarex.attempts_at(completed.id) == [200], "the webhook to be answered")
    until(asked, "a worker to ask")
    flarex.kill()
    (kept,) = flarex.rows(flarex.tables.events, id=completed.id)
    before = flarex.order_of(person)["status"]
    flarex.pass_time(LEASES_ARE_OVER_SECONDS)
    flarex.start()
    flarex.settle()

    assert (kept["state"], before) == ("received", "pending")
    assert flarex.attempts_at(completed.id) == [200]
    assert flarex.order_of(person)["status"] == "paid"
    assert flarex.has(person)


@pytest.fixture(params=["sqlite", "postgresql"])
def doomed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flarex]:
    """A shop with a worker beside it, at a local Stripe of its own that keeps its state on disk."""
    database_url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        database_url = server.url(name)
    stripe = LocalStripe("--data", str(tmp_path / "stripe"))
    shop = Flarex(ROOT, stripe, f"sk_test_{secrets.token_hex(12)}", database_url, tmp_path / "log")
    shop.start()
    shop.start_worker()
    yield shop
    shop.close()
    shop.stripe.stop()
    if request.param == "postgresql":
        server.drop(name)


class Buyer(threading.Thread):
    """Somebody who wants several things, and tries again when a page does not come."""

    def __init__(self, flarex: Flarex) -> None:
        super().__init__()
        self._flarex = flarex
        self.paid: set[str] = set()

    def run(self) -> None:
        self._person = self._insist(self._flarex.visitor)
        for number in range(PURCHASES):
            hosted = self._insist(lambda: self._choose(("ebook", "poster")[number % 2]))  # noqa: B023 - done at once
            session_id = hosted.url.partition("#")[0].rpartition("/")[2]
            self._insist(lambda: self._pay(hosted.url))  # noqa: B023 - as above
            self.paid.add(session_id)

    def _choose(self, sku: str) -> Page | None:
        page = self._flarex.chooses(self._person, sku)
        return page if "/c/pay/" in page.url else None

    def _pay(self, url: str) -> bool:
        """Whether it is paid: by this, or by an earlier try whose answer did not arrive."""
        hosted = self._person.visit(url)
        if "already paid" in hosted.text:
            return True
        page = self._person.send(hosted, hosted.forms[0], test_card=PAYS)
        return "Thank you" in page.text

    def _insist(self, work: Callable[[], T | None]) -> T:
        def tried() -> T | None:
            try:
                return work()
            except (httpx2.HTTPError, LookupError):
                return None

        return cast("T", until(tried, "a page", patience_seconds=60))


def test_t1_p3_b7_nothing_is_lost_or_doubled_however_often_everything_is_killed(doomed: Flarex) -> None:
    """Six customers buy four things each, while the shop, its worker and Stripe are killed and started again."""
    buyers = [Buyer(doomed) for _ in range(BUYERS)]
    for buyer in buyers:
        buyer.start()
    for number, power_cut in enumerate(POWER_CUTS, 1):
        until(lambda: sum(len(buyer.paid) for buyer in buyers) >= 3 * number, "more purchases")  # noqa: B023 - asked within this round
        power_cut(doomed)
    for buyer in buyers:
        buyer.join()
    doomed.kill()
    doomed.kill_worker()
    doomed.pass_time(LEASES_ARE_OVER_SECONDS)
    doomed.start()
    doomed.controls.push(LAST_DELIVERY_SECONDS)
    doomed.settle()

    tables, stripe = doomed.tables, doomed.client.v1
    orders = doomed.rows(tables.orders, status="paid")
    sessions = list(stripe.checkout.sessions.list({"limit": 100}).auto_paging_iter())
    taken = [charge for charge in stripe.charges.list({"limit": 100}).auto_paging_iter() if charge.paid]
    events = [event.id for event in stripe.events.list({"limit": 100}).auto_paging_iter()]
    acknowledged = {event_id for event_id in events if 200 in doomed.attempts_at(event_id)}

    # What was paid at Stripe, is known as paid, and was delivered, are the same; each of them once.
    paid_at_stripe = {session.id for session in sessions if session.payment_status == "paid"}
    assert set().union(*(buyer.paid for buyer in buyers)) <= paid_at_stripe
    assert {order["session_id"] for order in orders} == paid_at_stripe
    assert Counter(row["order_id"] for row in doomed.rows(shelf)) == Counter(order["id"] for order in orders)
    # One page for each order, one charge for each page, one customer for each buyer.
    assert Counter(session.client_reference_id for session in sessions).most_common(1)[0][1] == 1
    assert Counter(charge.payment_intent for charge in taken).most_common(1)[0][1] == 1
    assert len(taken) == len(paid_at_stripe)
    assert len(stripe.customers.list({"limit": 100}).data) == BUYERS
    # Everything that was acknowledged was applied (what was not, the worker may have fetched by itself), and nothing of
    # ours was left half-way.
    applied = {row["id"] for row in doomed.rows(tables.events, state="applied")}
    assert acknowledged <= applied == {row["id"] for row in doomed.rows(tables.events)} <= set(events)
    assert [lane["lane"] for lane in doomed.rows(tables.lanes) if doomed.has_leased(lane["lane"])] == []
    assert {row["state"] for row in doomed.rows(tables.attempts)} == {"done"}


def cut_shop(shop: Flarex) -> None:
    shop.kill()
    shop.start()


def cut_worker(shop: Flarex) -> None:
    shop.kill_worker()
    shop.start_worker()


def cut_stripe(shop: Flarex) -> None:
    shop.stripe.kill()
    shop.stripe = LocalStripe(*shop.stripe.arguments, "--port", shop.stripe.url.rpartition(":")[2])


POWER_CUTS = (cut_shop, cut_worker, cut_stripe, cut_shop, cut_worker)
