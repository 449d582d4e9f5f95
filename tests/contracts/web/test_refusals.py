"""Refusals: what is not asked for in the shop's own way gets a clear answer, and starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.web.requests import FORM_BYTES_MAX
from tests.contracts.web.app import BASE_URL, FORM

if TYPE_CHECKING:
    from tests.contracts.web.app import Shop

SELF = {"Origin": BASE_URL}


# What a browser says of where a form comes from, and whether it may start anything.
SENDERS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    (SELF, True),
    ({"Sec-Fetch-Site": "same-origin", **SELF}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "same-site", "Origin": "https://sub.shop.example"}, False),
]

SENT_JSON: list[tuple[bytes, int, str]] = [
    (b"", 400, "unreadable_request"),
    (b"{", 400, "unreadable_request"),
    (b"[]", 400, "unreadable_request"),
    (b"[" * 10000, 400, "unreadable_request"),
    (b"{}", 400, "unreadable_request"),
    (b'{"sku": 1}', 400, "unreadable_request"),
    (b'{"sku": "car"}', 404, "unknown_product"),
    (b'{"sku": "mug", "quantity": 7}', 400, "quantity_refused"),
    (b'{"sku": "mug", "quantity": "2"}', 400, "quantity_refused"),
    (b'{"sku": "mug", "quantity": 1e400}', 400, "quantity_refused"),
    (b'{"sku": "mug", "quantity": true}', 400, "quantity_refused"),
    (b" " * FORM_BYTES_MAX, 400, "unreadable_request"),
    (b" " * (FORM_BYTES_MAX + 1), 413, "too_large"),
]

SENT_FORMS: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"sku=", 400),
    (b"sku=ebook&sku=mug", 400),
    (b"sku=%ff", 404),
    (b"sku=mug&quantity=two", 400),
    (b"sku=mug&quantity=-1", 400),
    (b"sku=mug&quantity=", 400),
    (b"\xff\xfe", 400),
    (b"sku=car", 404),
    (b"&".join([b"a=1"] * 60), 400),
    (b"sku=" + b"x" * FORM_BYTES_MAX, 413),
]

METHODS = {
    "/webhooks/stripe": {"POST"},
    "/pricing": {"GET", "HEAD"},
    "/checkout": {"POST"},
    "/subscribe": {"POST"},
    "/thanks": {"GET", "HEAD"},
    "/account": {"GET", "HEAD"},
    "/billing-portal": {"GET", "HEAD", "POST"},
}


@pytest.mark.parametrize("path", ["/checkout", "/subscribe", "/billing-portal"])
def test_a_form_on_another_website_starts_nothing(shop: Shop, path: str) -> None:
    """A link somebody was tricked into clicking buys nothing in their name, and opens nothing of theirs."""
    ada, unknown = shop.visitor("ada"), {"sku": "nothing", "plan": "nothing"}

    clicked = [ada.post(path, form=unknown, headers=sender).status for sender, _ in SENDERS]
    asked = [ada.post(path, json_=unknown, headers=sender).json()["error"]["code"] for sender, _ in SENDERS]

    assert clicked == [404 if is_ours else 403 for _, is_ours in SENDERS]
    assert [code != "cross_site" for code in asked] == [is_ours for _, is_ours in SENDERS]


def test_bad_json_gets_a_clear_answer(shop: Shop) -> None:
    """Never a traceback, always a code a script can act on."""
    kind = {"Content-Type": "application/json; charset=utf-8"}

    answers = [shop.visitor().asks("POST", "/checkout", kind, body) for body, *_ in SENT_JSON]

    told = [(answer.status, answer.json()["error"]["code"]) for answer in answers]
    assert told == [(status, code) for _, status, code in SENT_JSON]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_bad_form_gets_a_page(shop: Shop) -> None:
    """A person sees words, and the way back."""
    answers = [shop.visitor().asks("POST", "/checkout", {"Content-Type": FORM}, form) for form, _ in SENT_FORMS]

    assert [answer.status for answer in answers] == [status for _, status in SENT_FORMS]
    assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8"}
    assert all("Back to the shop" in answer.text for answer in answers)


def test_a_body_of_another_kind_is_refused(shop: Shop) -> None:
    """A text body that happens to be JSON is how a foreign page would get around the browser's own checks."""
    kinds = ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""]

    answers = [shop.visitor().asks("POST", "/checkout", {"Content-Type": kind}, b'{"sku": "ebook"}') for kind in kinds]

    assert [answer.status for answer in answers] == [400] * len(kinds)


def test_another_method_is_told_which_there_are(shop: Shop) -> None:
    """405, with the methods in Allow; frameworks may add OPTIONS."""
    for path, methods in METHODS.items():
        for method in ("DELETE", "PUT", "PATCH"):
            answer = shop.visitor("ada").asks(method, path)

            assert (path, answer.status) == (path, 405)
            assert {name.strip() for name in answer.headers["allow"].split(",")} - {"OPTIONS"} == methods


def test_what_is_not_the_desks_is_not_found(shop: Shop) -> None:
    """Nothing but the routes is answered."""
    assert [shop.visitor().get(path).status for path in ("/pricingx", "/webhooks", "/thanks/1")] == [404] * 3
