"""The shop on the web: what a browser, a script, a stranger and Stripe get from its routes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from paydesk import OrderPaid, User
from tests.billing.paying import pay

if TYPE_CHECKING:
    import stripe

    from tests.billing.web.conftest import Site

EBOOK = {"sku": "ebook"}


def test_from_the_button_to_the_paid_order(site: Site) -> None:
    """The whole journey as a browser makes it: pricing, button, Stripe's page, thanks."""
    with site.browser("ada") as browser:
        assert "The little book of webhooks" in browser.get("/pricing").text
        sent = browser.post("/checkout", data=EBOOK)
        assert sent.status_code == 303

        back = pay(sent.headers["location"]).location

        assert back is not None
        assert back.startswith(f"{site.url}/thanks?session_id=cs_test_")
        thanks = browser.get(back)
        assert thanks.status_code == 200
        assert "Thank you!" in thanks.text
        assert "$19.00" in thanks.text
        assert "ada@example.com" in thanks.text


def test_the_webhook_alone_pays_the_order(site: Site) -> None:
    """The customer closes the window on Stripe's page, and the shop knows all the same."""
    told = threading.Event()

    @site.desk.on(OrderPaid)
    def note(_paid: OrderPaid) -> None:
        told.set()

    with site.browser("ada") as browser:
        url = browser.post("/checkout", json=EBOOK).json()["url"]
    pay(url)

    assert told.wait(timeout=10)
    assert [order.status for order in site.desk.orders(User("ada"))] == ["paid"]


def test_a_script_gets_the_address_as_json(site: Site) -> None:
    """The frontend redirects by itself."""
    with site.browser() as browser:
        answer = browser.post("/checkout", json={"sku": "mug", "quantity": 3})

    assert answer.status_code == 200
    assert list(answer.json()) == ["url"]


def test_a_price_from_the_browser_is_never_believed(site: Site, client: stripe.StripeClient) -> None:
    """Whatever else a form holds, the catalog decides what is charged and BASE_URL where it leads."""
    lies: dict[str, Any] = {
        "price": "1",
        "amount": 1,
        "unit_amount": 1,
        "currency": "jpy",
        "success_url": "https://evil",
    }
    with site.browser() as browser:
        browser.post("/checkout", data={**EBOOK, **lies, "quantity": "1"})
        browser.post("/checkout", json={**EBOOK, **lies})

    sessions = client.v1.checkout.sessions.list().data
    assert [(session.amount_total, session.currency) for session in sessions] == [(1900, "usd")] * 2
    assert all(str(session.success_url).startswith(site.url) for session in sessions)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "SELF"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "SELF"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://sub.shop.example"}, 403),
    ],
)
def test_a_form_on_another_website_buys_nothing(site: Site, headers: dict[str, str], status: int) -> None:
    """A link somebody was tricked into clicking starts no purchase in their name."""
    sent = {name: site.url if value == "SELF" else value for name, value in headers.items()}
    with site.browser("ada") as browser:
        answer = browser.post("/checkout", data=EBOOK, headers=sent)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "unreadable_request"),
        (b"[]", "application/json", 400, "unreadable_request"),
        (b"[" * 10000, "application/json", 400, "unreadable_request"),
        (b"{}", "application/json", 400, "unreadable_request"),
        (b'{"sku": 1}', "application/json", 400, "unreadable_request"),
        (b'{"sku": "car"}', "application/json", 404, "unknown_product"),
        (b'{"sku": "mug", "quantity": 7}', "application/json", 400, "quantity_refused"),
        (b'{"sku": "mug", "quantity": "2"}', "application/json", 400, "quantity_refused"),
        (b'{"sku": "mug", "quantity": 1e400}', "application/json", 400, "quantity_refused"),
        (b'{"sku": "mug", "quantity": true}', "application/json", 400, "quantity_refused"),
        (b"x" * 20000, "application/json", 413, "too_large"),
    ],
)
def test_bad_json_gets_a_clear_answer(site: Site, body: bytes, content_type: str, status: int, code: str) -> None:
    """Never a traceback, always a code a script can act on."""
    with site.browser() as browser:
        answer = browser.post("/checkout", content=body, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (b"", 400),
        (b"sku=", 400),
        (b"sku=ebook&sku=mug", 400),
        (b"sku=%ff", 404),
        (b"sku=mug&quantity=two", 400),
        (b"sku=mug&quantity=-1", 400),
        (b"sku=mug&quantity=", 400),
        (b"\xff\xfe", 400),
        (b"sku=car", 404),
    ],
)
def test_a_bad_form_gets_a_page(site: Site, form: bytes, status: int) -> None:
    """A person sees words, and the way back."""
    with site.browser() as browser:
        answer = browser.post("/checkout", content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert answer.status_code == status
    assert "Back to the shop" in answer.text


def test_a_body_of_another_kind_is_refused(site: Site) -> None:
    """A text body that happens to be JSON is how a foreign page would get around the browser's own checks."""
    with site.browser() as browser:
        answer = browser.post("/checkout", content=b'{"sku": "ebook"}', headers={"Content-Type": "text/plain"})

    assert answer.status_code == 400


def test_a_person_sees_only_their_own_orders(site: Site) -> None:
    """Somebody else's session does not exist for you, signed in or not."""
    with site.browser("ada") as ada:
        back = pay(ada.post("/checkout", data=EBOOK).headers["location"]).location
        assert back is not None
        assert ada.get(back).status_code == 200
    with site.browser("bob") as bob, site.browser() as stranger:
        for other in (bob, stranger):
            answer = other.get(back)
            assert answer.status_code == 404
            assert "ada@example.com" not in answer.text


def test_a_guest_sees_the_order_whose_address_only_they_know(site: Site) -> None:
    """Nobody is signed in; the session's id is the proof."""
    with site.browser() as guest:
        back = pay(guest.post("/checkout", data=EBOOK).headers["location"]).location
        assert back is not None
        answer = guest.get(back)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?session_id=", "?session_id=cs_test_nothing", "?session_id=../../etc/passwd"])
def test_an_unknown_session_is_a_page_of_its_own(site: Site, query: str) -> None:
    """A mistyped address is told apart from a lost payment."""
    with site.browser() as browser:
        answer = browser.get(f"/thanks{query}")

    assert answer.status_code == 404
    assert "We cannot find that order" in answer.text


def test_an_unfinished_payment_is_offered_again(site: Site) -> None:
    """Somebody who opens the thanks page too early finds the way back."""
    with site.browser("ada") as browser:
        url = browser.post("/checkout", json=EBOOK).json()["url"]
        session_id = url.rsplit("/", 1)[1]
        page = browser.get(f"/thanks?session_id={session_id}").text

    assert "Not paid yet" in page
    assert url in page


def test_a_double_click_opens_one_page(site: Site, client: stripe.StripeClient) -> None:
    """The impatient customer has one order."""
    with site.browser("ada") as browser:
        first = browser.post("/checkout", data=EBOOK).headers["location"]
        second = browser.post("/checkout", data=EBOOK).headers["location"]

    assert first == second
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_what_is_not_set_up_is_told_to_the_developer_in_test_mode_only(site: Site, client: stripe.StripeClient) -> None:
    """The customer reads an apology; whoever is building the shop reads the reason."""
    (price,) = client.v1.prices.list({"lookup_keys": ["ebook"]}).data
    client.v1.prices.update(price.id, {"active": False})
    with site.browser() as browser:
        answer = browser.post("/checkout", data=EBOOK)

    assert answer.status_code == 500
    assert "This cannot be bought right now" in answer.text
    assert "For the developer" in answer.text
    assert "is archived" in answer.text


def test_d4_junk_with_a_signature_header_leaves_nothing(site: Site) -> None:
    """The webhook's address is public; only Stripe can write to the database through it."""
    with site.browser() as browser:
        for body in (b"", b"junk", b'{"id": "evt_1"}', b"x" * 100_000):
            answer = browser.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": "t=1,v1=abc"})
            assert answer.status_code == 400

    with site.desk.store.read() as connection:
        # The worker fetches what it was never told; that is Stripe's own.
        kept = [row.id for row in connection.execute(site.desk.store.tables.events.select())]
    assert [one for one in kept if len(one) < len("evt_") + 24] == []


def test_a_webhook_larger_than_anything_stripe_sends_is_not_read(site: Site) -> None:
    """Whether its length is declared or not."""

    def endless() -> Any:
        for _ in range(site.desk.webhook_bytes_max // 65536 + 2):
            yield b"x" * 65536

    with site.browser() as browser:
        declared = browser.post("/webhooks/stripe", content=b"x" * (site.desk.webhook_bytes_max + 1))
        streamed = browser.post("/webhooks/stripe", content=endless())

    assert declared.status_code == streamed.status_code == 413


def test_the_routes_stay_out_of_the_apps_api_description(site: Site) -> None:
    """Pages and webhooks are no part of anybody's API."""
    with site.browser() as browser:
        assert browser.get("/openapi.json").json()["paths"] == {}


def test_pages_cannot_be_framed_and_load_nothing_from_elsewhere(site: Site) -> None:
    """No foreign page around the button, no foreign script beside it."""
    with site.browser() as browser:
        answer = browser.get("/pricing")

    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace(site.url, "")
    assert "https://" not in answer.text
