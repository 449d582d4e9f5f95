"""Fuzzing: whatever is sent to a shop, it is refused or kept, and nothing stumbles."""

from __future__ import annotations

import hmac
import json
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    import pytest

    from tests.billing.web.conftest import Site

# One server for all examples of a test: what one leaves behind, the next may meet.
MANY = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KINDS = ("charge", "refund", "customer", "price", "invoice", "subscription", "checkout.session", "discount", "dispute")
LINKS = ("customer", "payment_intent", "charge", "product", "subscription", "deleted", "status", "metadata", "items")
SUBJECTS = st.fixed_dictionaries(
    {"object": st.sampled_from(KINDS), "id": st.just("obj_1") | JSON},
    optional=dict.fromkeys(LINKS, st.just("obj_2") | JSON),
)
EVENTS = st.fixed_dictionaries(
    {
        "object": st.just("event"),
        "id": st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1).map("evt_{}".format) | JSON,
        "type": st.sampled_from(("customer.updated", "charge.succeeded", "customer.deleted")) | st.text(max_size=20),
        "created": st.integers(0, 2**40) | JSON,
        "livemode": st.just(value=False) | JSON,
        "data": st.fixed_dictionaries({"object": SUBJECTS | JSON}) | JSON,
    }
)
BODIES = st.binary(max_size=200) | (JSON | EVENTS).map(lambda value: json.dumps(value).encode())
HEADERS = st.text(st.characters(codec="ascii", min_codepoint=33), max_size=80) | st.builds(
    "t={},v1={}".format, st.integers() | st.text("0123456789²", max_size=20), st.text("0123456789abcdef", max_size=70)
)


@MANY
@given(body=BODIES, header=HEADERS)
def test_no_webhook_without_a_signature_is_kept(site: Site, body: bytes, header: str) -> None:
    """A 400 and nothing else, whatever the header and the body try."""
    with site.browser() as browser:
        sent = {b"Stripe-Signature": header.strip().encode("latin-1")}
        answer = browser.post("/webhooks/stripe", content=body, headers=sent)

    assert answer.status_code == 400


def test_no_webhook_makes_anything_stumble(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Signed like Stripe's, it is refused with a 400 or kept with a 200; and the worker finishes what is kept."""
    secret = site.desk.settings.stripe_webhook_secrets[0].get_secret_value().encode()

    @MANY
    @given(body=BODIES)
    def send(body: bytes) -> None:
        stamp = int(time.time())
        mac = hmac.digest(secret, f"{stamp}.".encode() + body, "sha256").hex()
        with site.browser() as browser:
            answer = browser.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": f"t={stamp},v1={mac}"})
        assert answer.status_code in {200, 400}, answer.text

    with caplog.at_level(logging.ERROR):
        send()
        site.desk.work()

    assert [record.getMessage() for record in caplog.records if "stumbled" in record.getMessage()] == []


FIELDS = st.dictionaries(
    st.sampled_from(("sku", "plan", "quantity", "seats", "interval", "every", "email", "csrf", "", "sku[]")),
    st.sampled_from(("ebook", "mug", "pro", "0", "-1", "1e9", "NaN", "²", "9" * 400)) | st.text(max_size=20),
    max_size=4,
)
TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", "")
SENT = (
    FIELDS.map(lambda fields: urlencode(fields).encode()) | JSON.map(lambda value: json.dumps(value).encode()) | BODIES
)


@MANY
@given(
    path=st.sampled_from(("/checkout", "/subscribe", "/billing-portal")), body=SENT, content_type=st.sampled_from(TYPES)
)
def test_no_form_makes_the_shop_stumble(site: Site, path: str, body: bytes, content_type: str) -> None:
    """Whatever somebody sends in place of the buttons' forms is refused politely, or sold."""
    with site.browser("ada") as browser:
        answer = browser.post(path, content=body, headers={"Content-Type": content_type, "Origin": site.url})

    assert answer.status_code < 500, answer.text
