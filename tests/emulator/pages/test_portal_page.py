"""The customer portal as a program sees it: whose it is, for how long, and what it lets in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, opened
from tests.emulator.portal import RETURN_URL, configured, path, session
from tests.emulator.wire import Reply, Wire

MINUTE = 60


def show(visitor: Wire, at: stripe.billing_portal.Session, below: str = "") -> str:
    """A page's HTML."""
    page = visitor.get(path(at, below))
    assert page.status == 200, page.body[:300]
    return page.body.decode()


def post(visitor: Wire, at: stripe.billing_portal.Session, below: str, /, **fields: str) -> Reply:
    """Post a form, as a browser does."""
    return visitor.post(path(at, below), urlencode(fields))


def test_a_customer_finds_what_is_theirs(client: stripe.StripeClient, visitor: Wire) -> None:
    """Card, details and invoices, and the way back, unchanged."""
    owner = customer(client, address={"line1": "12 Analytical Row", "country": "GB"}, phone="+44 20")
    invoice = opened(client, owner, 1900)
    draft = drafted(client, owner, 700)

    page = show(visitor, session(client, owner))

    for words in ("Visa •••• 4242", "Default", "Ada Lovelace", "ada@example.com", "+44 20", "12 Analytical Row"):
        assert words in page
    assert "United Kingdom" in page
    assert f'href="{RETURN_URL}"' in page
    assert str(invoice.hosted_invoice_url) in page
    assert str(invoice.invoice_pdf) in page
    assert "$19.00" in page
    assert draft.id not in page
    assert "$7.00" not in page


def test_a_stranger_finds_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """Half an address, or one that was changed, is none: 404, and nothing of anybody's."""
    at = session(client, customer(client))
    whole = path(at)

    for wrong in (whole[:-1], whole + "x", whole[:-1] + ("a" if whole[-1] != "a" else "b"), whole[:45]):
        for answer in (visitor.get(wrong), visitor.post(wrong + "/details", "email=eve@example.com")):
            assert answer.status == 404
            assert b"ada@example.com" not in answer.body


def test_an_address_that_is_not_opened_times_out(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """After five minutes it opens nothing, and leads back to the shop."""
    at, other = (session(client, customer(client)) for _ in range(2))

    controls.push(5 * MINUTE - 10)
    in_time = visitor.get(path(at))
    controls.push(10)
    too_late = visitor.get(path(other))

    assert in_time.status == 200
    assert too_late.status == 410
    assert b"ada@example.com" not in too_late.body
    assert RETURN_URL.encode() in too_late.body


def test_a_portal_in_use_stays_open_for_an_hour_after_each_click(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """By the sandbox's clock; afterwards nothing can be done there any more."""
    owner = customer(client)
    at = session(client, owner)
    statuses = [visitor.get(path(at)).status]

    for minutes in (59, 59, 60):
        controls.push(minutes * MINUTE)
        statuses.append(visitor.get(path(at, "/details")).status)
    late = post(visitor, at, "/details", email="eve@example.com")

    assert statuses == [200, 200, 200, 410]
    assert late.status == 410
    assert client.v1.customers.retrieve(owner.id).email == "ada@example.com"


def test_a_deleted_customers_portal_is_closed(client: stripe.StripeClient, visitor: Wire) -> None:
    """There is nobody left to see to."""
    owner = customer(client)
    at = session(client, owner)
    client.v1.customers.delete(owner.id)

    assert visitor.get(path(at)).status == 410


def test_the_portal_lets_nothing_in_and_nobody_frame_it(client: stripe.StripeClient, visitor: Wire) -> None:
    """Its own style and script, by their hashes; no copy in a cache; its address goes nowhere."""
    page = visitor.get(path(session(client, customer(client))))

    policy = page.headers["content-security-policy"]
    assert re.search(r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+';", policy)
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_what_people_typed_is_text(client: stripe.StripeClient, visitor: Wire, hostile: str) -> None:
    """Names, addresses, headlines: none of them becomes part of the page."""
    owner = customer(client, name=hostile, phone=hostile[:20], address={"line1": hostile, "country": "US"})
    at = session(client, owner, configuration=configured(client, business_profile={"headline": hostile[:60]}))

    typed = post(visitor, at, "/details", email=hostile, name=hostile, address_country=hostile)

    for body in (show(visitor, at), show(visitor, at, "/details"), typed.body.decode()):
        assert hostile not in body
        assert "<img" not in body
        assert body.count("<script>") == 1


@pytest.mark.parametrize(
    ("switched_off", "room", "words"),
    [
        ("payment_method_update", "/card", "Add a card"),
        ("customer_update", "/details", "Edit details"),
        ("invoice_history", "/invoices", "Invoices"),
    ],
)
def test_what_is_switched_off_is_not_there(
    client: stripe.StripeClient, visitor: Wire, switched_off: str, room: str, words: str
) -> None:
    """Neither the link nor the room behind it, nor the way round."""
    features: Any = {
        "payment_method_update": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["email"]},
        "invoice_history": {"enabled": True},
    }
    owner = customer(client)
    everything = session(client, owner, configuration=configured(client, features))
    features[switched_off] = {"enabled": False}
    less = session(client, owner, configuration=configured(client, features))

    assert words in show(visitor, everything)
    assert words not in show(visitor, less).partition("</main>")[0].replace("<title>", "")
    assert visitor.get(path(less, room)).status == 404
    assert post(visitor, less, room, email="eve@example.com").status == 404


def test_old_invoices_are_a_page_away(client: stripe.StripeClient, visitor: Wire) -> None:
    """The newest on the home page, then twenty at a time."""
    owner = customer(client, None)
    numbers = [str(opened(client, owner, 100).number) for _ in range(22)]
    at = session(client, owner)

    home, first = show(visitor, at), show(visitor, at, "/invoices")
    older = re.search(r'href="([^"]+)">Older', first)
    assert older is not None
    last = visitor.get(older[1]).body.decode()

    assert [number for number in numbers if f"invoice {number}" in home] == numbers[-5:]
    assert [number for number in numbers if f"invoice {number}" in first] == numbers[-20:]
    assert [number for number in numbers if f"invoice {number}" in last] == numbers[:2]
    assert "Older" not in last


def test_nobody_pages_through_anothers_invoices(client: stripe.StripeClient, visitor: Wire) -> None:
    """A cursor that is somebody else's is none."""
    theirs = opened(client, customer(client, None), 100)
    mine = opened(client, (owner := customer(client, None)), 100)

    page = show(visitor, session(client, owner), f"/invoices?before={theirs.id}")

    assert str(mine.number) in page
    assert str(theirs.number) not in page
