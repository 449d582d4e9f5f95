"""Webhooks as Stripe really sends them: more than once, in any order, while its API is busy, about things unknown."""

from __future__ import annotations

import hmac
import json
import secrets
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import update

from paydesk.billing.stripe_api import TRIES_MAX
from tests.billing.paying import pay
from tests.flarex import Flarex
from tests.waiting import until

if TYPE_CHECKING:
    from paydesk.cli.demo.person import Person

on_sqlite = pytest.mark.parametrize("flarex", ["sqlite"], indirect=True)


def test_c5_p1_b4_everything_told_three_times_is_delivered_once(flarex: Flarex) -> None:
    """Three copies of each event at the same moment, and a customer on the thanks page: one thing on the shelf."""
    flarex.controls.post("/faults", fault="duplicate", copies=3, rate=1.0)

    person = flarex.visitor()
    thanks = flarex.buys(person)
    flarex.settle()

    assert "Thank you" in thanks.text
    assert flarex.has(person)
    order = flarex.order_of(person)
    (completed,) = flarex.events_of("checkout.session.completed", order["session_id"])
    assert flarex.attempts_at(completed.id) == [200, 200, 200]
    assert len(flarex.rows(flarex.tables.facts, key=f"order.paid:{order['id']}")) == 1
    assert [row["attempts"] for row in flarex.rows(flarex.tables.effects, source=f"fact:order.paid:{order['id']}")] == [
        1
    ]


@on_sqlite
def test_events_in_any_order_leave_the_mirror_equal_to_stripe(flarex: Flarex) -> None:
    """Half of all events are overtaken by later ones while somebody buys, and gets half of it back."""
    flarex.controls.post("/faults", fault="reorder", rate=0.5, seed=7)

    person = flarex.visitor()
    flarex.buys(person)
    until(lambda: flarex.order_of(person)["payment_intent_id"], "the payment to be known")
    intent = flarex.order_of(person)["payment_intent_id"]
    flarex.client.v1.refunds.create({"payment_intent": intent, "amount": 950})
    flarex.controls.push(60)
    flarex.settle()

    charge = flarex.client.v1.charges.list({"payment_intent": intent}).data[0]
    (payment,) = flarex.rows(flarex.tables.payments, id=intent)
    order = flarex.order_of(person)
    assert (payment["status"], payment["charge_id"]) == ("succeeded", charge.id)
    assert payment["amount_refunded_minor"] == charge.amount_refunded == 950
    assert (order["status"], order["amount_refunded_minor"]) == ("paid", 950)
    assert flarex.has(person)


@on_sqlite
def test_b1_a_429_while_the_payment_is_looked_up_costs_nothing_but_time(flarex: Flarex) -> None:
    """The webhook was answered with 200 already; the order is paid as soon as Stripe answers, without a customer."""
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    # More often than one call is patient: the worker gives up, and its lane comes back to it.
    was_busy = flarex.strike("error", "GET", "/v1/checkout/*", status=429, times=TRIES_MAX + 1)

    pay(hosted.url)

    until(lambda: flarex.has(person), "the e-book on the shelf")
    order = flarex.order_of(person)
    (completed,) = flarex.events_of("checkout.session.completed", order["session_id"])
    assert was_busy()
    assert order["status"] == "paid"
    assert flarex.attempts_at(completed.id) == [200]


def test_y4_p5_c6_y2_a_payment_waits_for_its_order_and_wakes_when_told_again(flarex: Flarex) -> None:
    """It is heard of before its order can be seen: the event is kept, and due at once when Stripe sends it again."""
    order_id, owner = f"ord_{secrets.token_hex(12)}", f"ada-{secrets.token_hex(4)}"
    (price,) = flarex.client.v1.prices.list({"lookup_keys": ["ebook"]}).data
    session = flarex.client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": f"{flarex.url}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
            "client_reference_id": order_id,
            "metadata": {"paydesk_order": order_id},
        }
    )
    assert session.url is not None
    pay(session.url)
    (completed,) = flarex.events_of("checkout.session.completed", session.id)
    events, orders = flarex.tables.events, flarex.tables.orders
    until(lambda: flarex.rows(events, id=completed.id, state="parked"), "the event to be parked")

    # It has waited for so long that it is looked at once an hour. Then the order becomes visible.
    now = datetime.now(UTC)
    order = {"id": order_id, "user_id": owner, "sku": "ebook", "quantity": 1, "amount_minor": 1900, "currency": "usd"}
    stamps = {"created_at": now, "updated_at": now}
    with flarex.desk.store.write() as connection:
        connection.execute(update(events).where(events.c.id == completed.id).values(next_at=now + timedelta(hours=1)))
        connection.execute(orders.insert().values(**order, **stamps, status="pending", livemode=False))
    flarex.controls.post(f"/events/{completed.id}/resend")
    flarex.settle()

    assert flarex.shelf_of(owner) == ["yours"]
    assert flarex.attempts_at(completed.id) == [200, 200]
    assert [row["state"] for row in flarex.rows(events, id=completed.id)] == ["applied"]


@on_sqlite
def test_s5_events_nobody_here_knows_are_answered_and_kept(flarex: Flarex) -> None:
    """Stripe's own that are no business of a shop, and one of a kind that does not exist yet."""
    intent = flarex.client.v1.setup_intents.create()
    (created,) = flarex.events_of("setup_intent.created", intent.id)
    future = created.to_dict() | {"id": f"evt_{secrets.token_hex(12)}", "type": "moon.landed"}

    answer = post_signed(flarex, json.dumps(future).encode())
    flarex.settle()

    assert answer.status_code == 200
    assert flarex.attempts_at(created.id) == [200]
    for event_id in (created.id, future["id"]):
        assert [row["state"] for row in flarex.rows(flarex.tables.events, id=event_id)] == ["applied"]


def test_d6_two_processes_on_one_database_answer_every_delivery(flarex: Flarex) -> None:
    """Eight customers at once, a shop and a worker that write side by side: nothing is locked out, nothing is late."""
    before = flarex.client.v1.events.list({"limit": 1}).data[0].id
    people = [flarex.visitor() for _ in range(8)]
    flarex.start_worker()

    def buy(person: Person) -> None:
        for sku in ("ebook", "poster"):
            hosted = flarex.chooses(person, sku)
            pay(hosted.url)

    buyers = [threading.Thread(target=buy, args=(person,)) for person in people]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    flarex.settle()
    flarex.stop_worker()

    since = flarex.client.v1.events.list({"ending_before": before, "limit": 100}).auto_paging_iter()
    answers = {event.id: flarex.attempts_at(event.id) for event in since}
    assert len(answers) > 4 * 16
    assert {event_id: answered for event_id, answered in answers.items() if answered != [200]} == {}
    assert [flarex.shelf_of(person.name) for person in people] == [["yours", "yours"]] * 8


@on_sqlite
def test_c4_without_a_webhook_secret_the_shop_does_not_open(flarex: Flarex) -> None:
    """And with one, an unsigned webhook is refused: there is no way to run without checking."""
    refused = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"],
        cwd=flarex.folder,
        env=flarex.environment | {"STRIPE_WEBHOOK_SECRET": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    flarex.client.v1.products.create({"name": "Told of by somebody else"})
    (genuine,) = flarex.client.v1.events.list({"type": "product.created", "limit": 1}).data
    forged = genuine.to_dict() | {"id": f"evt_{secrets.token_hex(12)}"}
    unsigned = httpx2.post(f"{flarex.url}/webhooks/stripe", content=json.dumps(forged))
    signed = post_signed(flarex, json.dumps(forged | {"id": f"evt_{secrets.token_hex(12)}"}).encode())

    assert refused.returncode != 0
    assert "STRIPE_WEBHOOK_SECRET" in refused.stderr
    assert (unsigned.status_code, signed.status_code) == (400, 200)
    assert flarex.rows(flarex.tables.events, id=forged["id"]) == []


def post_signed(flarex: Flarex, body: bytes) -> httpx2.Response:
    """Deliver a body as somebody who knows the endpoint's secret."""
    stamp = int(time.time())
    mac = hmac.digest(flarex.webhook_secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    headers = {"Stripe-Signature": f"t={stamp},v1={mac}"}
    return httpx2.post(f"{flarex.url}/webhooks/stripe", content=body, headers=headers)
