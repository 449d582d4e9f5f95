"""Races as they happen between a browser, a shop and Stripe: slow answers, double clicks, somebody in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.billing.paying import pay
from tests.flarex import ASKS_BANK, Flarex
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.cli.demo.person import Page

on_sqlite = pytest.mark.parametrize("flarex", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("flarex", ["postgresql"], indirect=True)


class Meanwhile:
    """Something that takes its time, done beside the test."""

    def __init__(self, work: Callable[[], Page]) -> None:
        self._came: list[Page] = []
        self._thread = threading.Thread(target=lambda: self._came.append(work()))
        self._thread.start()

    def page(self) -> Page:
        """What came of it."""
        self._thread.join()
        (page,) = self._came
        return page


@on_postgresql
def test_b6_c6_p5_what_stripe_tells_before_its_answer_arrives_is_understood(flarex: Flarex) -> None:
    """The events about a customer and a payment overtake the answers that would have told us who they are."""
    person = flarex.visitor()
    made = flarex.strike("slow", "POST", "/v1/customers", seconds=1)
    opened = flarex.strike("slow", "POST", "/v1/checkout/sessions", seconds=2.5)

    pressed = Meanwhile(lambda: flarex.chooses(person))
    until(made, "the customer to be made")
    (customer,) = flarex.client.v1.customers.list({"email": f"{person.name}@example.com"}).data
    (told,) = flarex.events_of("customer.created", customer.id)
    until(lambda: flarex.attempts_at(told.id) == [200], "the shop to be told of its customer")
    has_no_order_yet = flarex.rows(flarex.tables.orders, user_id=person.name) == []
    until(opened, "the payment page to be made")
    session = flarex.client.v1.checkout.sessions.list({"customer": customer.id}).data[0]
    assert session.url is not None
    pay(session.url)
    until(lambda: flarex.has(person), "the e-book on the shelf")
    is_still_waiting = flarex.order_of(person)["session_url"] is None
    page = pressed.page()
    flarex.settle()

    assert has_no_order_yet, "the answers were not slow enough for this story"
    assert is_still_waiting, "the answers were not slow enough for this story"
    assert "Thank you" in page.text
    assert [row["user_id"] for row in flarex.rows(flarex.tables.customers, stripe_id=customer.id)] == [person.name]
    assert flarex.order_of(person)["status"] == "paid"
    assert flarex.has(person)


def test_d1_an_old_answer_that_comes_late_changes_nothing(flarex: Flarex) -> None:
    """The thanks page asks, is answered slowly, and meanwhile the payment succeeds; the same again with a refund."""
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    session_id = flarex.order_of(person)["session_id"]
    asked = flarex.strike("slow", "GET", "/v1/checkout/sessions/*", seconds=0.7)
    thanks = Meanwhile(lambda: person.visit(f"{flarex.url}/thanks?session_id={session_id}"))
    until(asked, "the thanks page to ask")
    pay(hosted.url)

    thanks.page()
    until(lambda: flarex.has(person), "the e-book on the shelf")
    assert flarex.order_of(person)["status"] == "paid"

    flarex.settle()
    intent = flarex.order_of(person)["payment_intent_id"]
    (charge,) = flarex.client.v1.charges.list({"payment_intent": intent}).data
    asked = flarex.strike("slow", "GET", "/v1/payment_intents/*", seconds=0.7)
    flarex.client.v1.charges.update(charge.id, {"description": "looked at"})
    until(asked, "the worker to ask")
    flarex.client.v1.refunds.create({"payment_intent": intent})

    until(lambda: flarex.shelf_of(person.name) == ["returned"], "the e-book to be taken back")
    flarex.settle()
    (payment,) = flarex.rows(flarex.tables.payments, id=intent)
    assert flarex.order_of(person)["status"] == "refunded"
    assert payment["amount_refunded_minor"] == 1900


def test_y5_what_was_paid_is_delivered_though_it_is_no_longer_sold(flarex: Flarex) -> None:
    """While the bank asks the customer, somebody takes the book off the market: the money came, so the book goes."""
    person = flarex.visitor()
    challenge = flarex.buys(person, ASKS_BANK)
    prices, products = flarex.client.v1.prices, flarex.client.v1.products
    (price,) = prices.list({"lookup_keys": ["ebook"]}).data
    try:
        products.update(str(price.product), {"active": False})
        prices.update(price.id, {"active": False})
        thanks = person.send(challenge, challenge.forms[0], answer="complete")
        until(lambda: flarex.has(person), "the e-book on the shelf")
    finally:
        prices.update(price.id, {"active": True})
        products.update(str(price.product), {"active": True})

    assert "Thank you" in thanks.text
    assert flarex.order_of(person)["status"] == "paid"


def test_b7_many_clicks_of_a_new_customer_are_one_customer_and_one_order(flarex: Flarex) -> None:
    """Six at once, and the answers about the first customer and the first page are lost on their way."""
    person = flarex.visitor()
    pricing = person.visit(f"{flarex.url}/pricing")
    flarex.strike("timeout_after", "POST", "/v1/customers")
    flarex.strike("timeout_after", "POST", "/v1/checkout/sessions")

    clicks = [Meanwhile(lambda: person.send(pricing, pricing.form(sku="ebook"))) for _ in range(6)]
    addresses = {click.page().url for click in clicks}

    order = flarex.order_of(person)
    (customer,) = flarex.client.v1.customers.list({"email": f"{person.name}@example.com"}).data
    sessions = flarex.client.v1.checkout.sessions.list({"customer": customer.id}).data
    assert [session.id for session in sessions] == [order["session_id"]]
    assert {address.partition("#")[0] for address in addresses} == {order["session_url"].partition("#")[0]}
    assert {row["state"] for row in flarex.rows(flarex.tables.attempts, subject=order["id"])} == {"done"}


@on_sqlite
def test_p7_a_guest_with_the_same_address_takes_nothing_from_a_customer(flarex: Flarex) -> None:
    """Who bought signed in keeps their customer when they, or anybody else, buy as a guest."""
    person = flarex.visitor()
    flarex.buys(person)
    (before,) = flarex.rows(flarex.tables.customers, user_id=person.name)
    guest = flarex.guest()
    hosted = flarex.chooses(guest)

    guest.send(hosted, hosted.forms[0], email=f"{person.name}@example.com", test_card="4242424242424242")
    until(lambda: flarex.shelf_of(f"{person.name}@example.com") == ["yours"], "the guest's e-book")
    flarex.settle()

    (after,) = flarex.rows(flarex.tables.customers, user_id=person.name)
    (bought,) = flarex.rows(flarex.tables.orders, email=f"{person.name}@example.com", user_id=None)
    assert before["stripe_id"] == after["stripe_id"] == flarex.order_of(person)["customer_id"]
    assert (bought["status"], bought["customer_id"]) == ("paid", None)


def test_d2_a_handler_that_fails_harms_neither_the_payment_nor_itself(flarex: Flarex) -> None:
    """The shelf is away: the customer is thanked, the ledger says paid, and the book is there once the shelf is."""
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    with flarex.desk.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE shelf RENAME TO shelf_elsewhere")
    try:
        thanks = person.send(hosted, hosted.forms[0], test_card="4242424242424242")
        order = flarex.order_of(person)
        source = {"source": f"fact:order.paid:{order['id']}"}
        (effect,) = until(
            lambda: [row for row in flarex.rows(flarex.tables.effects, **source) if row["last_error"]], "the failure"
        )
    finally:
        with flarex.desk.store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE shelf_elsewhere RENAME TO shelf")
    assert "Thank you" in thanks.text
    assert (order["status"], effect["state"]) == ("paid", "waiting")
    assert "INSERT INTO shelf" in effect["last_error"]

    flarex.pass_time(seconds=30)
    flarex.settle()

    assert flarex.has(person)
    assert [row["state"] for row in flarex.rows(flarex.tables.effects, **source)] == ["done"]
