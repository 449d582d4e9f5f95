"""Webhooks: Stripe's very bytes are checked and kept before Stripe gets its 200, and nobody else's are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.billing.inbox.deliveries import event, sign

if TYPE_CHECKING:
    from tests.contracts.web.app import Shop

INTENT = {"id": "pi_1", "object": "payment_intent", "description": "Grüße, 世界 \u2028"}


def test_the_raw_bytes_are_what_is_checked_and_kept(shop: Shop) -> None:
    """Whitespace, escapes and key order survive: the signature is over the body as it came."""
    bodies = [
        event("payment_intent.created", INTENT),
        json.dumps(json.loads(event("payment_intent.created", INTENT)), ensure_ascii=False).encode(),
        b"\r\n\t " + event("payment_intent.created", INTENT) + b"\n\n",
    ]

    answers = [shop.told(body) for body in bodies]

    assert [(answer.status, answer.json()) for answer in answers] == [(200, {"received": True})] * 3
    assert [kept["payload"].encode() for kept in shop.events] == bodies


def test_a_duplicate_is_received_and_kept_once(shop: Shop) -> None:
    """Stripe delivers at least once; both deliveries are answered as received."""
    body = event("payment_intent.created", INTENT)

    answers = [shop.told(body), shop.told(body)]

    assert [answer.json() for answer in answers] == [{"received": True}] * 2
    assert len(shop.events) == 1


def test_what_stripe_did_not_sign_now_is_refused(shop: Shop) -> None:
    """The webhook's address is public; only Stripe can write to the database through it."""
    body, now = event("payment_intent.created", INTENT), datetime.now(UTC)
    forged = {
        "nothing": "",
        "junk": "t=1,v1=abc",
        "other bytes": sign(body + b" ", now),
        "another's secret": sign(body, now, "whsec_local_another"),
        "long ago": sign(body, now - timedelta(minutes=6)),
    }

    answers = {name: shop.told(body, signature) for name, signature in forged.items()}

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(forged, 400)
    assert answers["junk"].headers["content-type"] == "application/json"
    assert shop.events == []


def test_d4_junk_leaves_nothing_signed_or_not(shop: Shop) -> None:
    """What is no event is refused, whoever sends it."""
    bodies = [b"", b"junk", b'{"id": "evt_1"}', b"[]", b"\xff\xfe", b"x" * 100_000]

    statuses = [shop.told(body, *signature).status for body in bodies for signature in (["t=1,v1=abc"], [])]

    assert statuses == [400] * 12
    assert shop.events == []


def test_an_event_of_the_other_mode_is_refused(shop: Shop) -> None:
    """A live event at a test key's address is somebody else's."""
    assert shop.told(event("payment_intent.created", INTENT, livemode=True)).status == 400
    assert shop.events == []


def test_a_webhook_larger_than_anything_stripe_sends_is_refused(shop: Shop) -> None:
    """413 before anything is made of it."""
    answer = shop.told(b" " * (shop.desk.webhook_bytes_max + 1))

    assert answer.status == 413


def test_a_large_webhook_is_kept(shop: Shop) -> None:
    """Forms are held to a few kilobytes; Stripe's events are not."""
    body = event("payment_intent.created", {**INTENT, "metadata": {str(n): "x" * 400 for n in range(500)}})

    assert shop.told(body).status == 200
    assert [kept["payload"].encode() for kept in shop.events] == [body]


def test_browsers_headers_do_not_matter_to_webhooks(shop: Shop) -> None:
    """No sign-in, no origin, no form token, no content type: the signature is all that counts."""
    body = event("payment_intent.created", INTENT)
    stamped = {"Stripe-Signature": sign(body, datetime.now(UTC))}

    answer = shop.visitor("ada").asks(
        "POST", "/webhooks/stripe", {**stamped, "Origin": "https://evil.example", "Content-Type": "text/plain"}, body
    )

    assert answer.status == 200


def test_what_was_not_kept_is_not_acknowledged(shop: Shop) -> None:
    """The disk is full, the database is gone: Stripe hears an error and delivers again."""
    with shop.desk.store.write() as connection:
        shop.desk.store.tables.events.drop(connection)

    assert shop.told(event("payment_intent.created", INTENT)).status == 500
