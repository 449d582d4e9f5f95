"""The payment page as a program sees it: what it sends, what it takes, and what it never says."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.receiver import Answer, Receiver
from tests.emulator.wire import Reply, Wire

SUCCESS = "http://127.0.0.1:9/thanks?session_id={CHECKOUT_SESSION_ID}"
FORM = {
    "email": "ada@example.com",
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "12 / 40",
    "card_cvc": "123",
    "name": "Ada Lovelace",
    "country": "US",
    "postal_code": "42424",
    "expected_amount": "1900",
}


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)


def opened(client: stripe.StripeClient, name: str = "Field journal", **more: Any) -> stripe.checkout.Session:
    """A session that sells one thing for $19.00."""
    described = {"currency": "usd", "unit_amount": 1900, "product_data": {"name": name}}
    given: Any = {
        "mode": "payment",
        "line_items": [{"price_data": described, "quantity": 1}],
        "success_url": SUCCESS,
        "cancel_url": "http://127.0.0.1:9/pricing?from={CHECKOUT_SESSION_ID}",
        **more,
    }
    return client.v1.checkout.sessions.create(given)


def submit(visitor: Wire, session: stripe.checkout.Session, **changes: str) -> Reply:
    """Post the form, as a browser does."""
    return visitor.post(f"/c/pay/{session.id}", urlencode(FORM | changes))


def show(visitor: Wire, session: stripe.checkout.Session) -> str:
    """The page's HTML."""
    page = visitor.get(f"/c/pay/{session.id}")
    assert page.status == 200
    return page.body.decode()


def test_the_page_lets_nothing_in_and_nobody_frame_it(client: stripe.StripeClient, visitor: Wire) -> None:
    """Its own style and script, by their hashes; nothing from elsewhere; no copy in a cache."""
    page = visitor.get(f"/c/pay/{opened(client).id}")

    policy = page.headers["content-security-policy"]
    assert re.search(r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+';", policy)
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(rb"(src|href)=\"(https?:)?//(?!127\.0\.0\.1)", page.body)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_names_are_text_whatever_they_say(client: stripe.StripeClient, visitor: Wire, hostile: str) -> None:
    """Products, sellers, typed values: none of them becomes part of the page."""
    session = opened(client, hostile, branding_settings={"display_name": hostile})

    typed = submit(visitor, session, email=hostile, name=hostile, postal_code=hostile, country=hostile)

    for body in (show(visitor, session), typed.body.decode()):
        assert hostile not in body or hostile == "{{ 7 * 7 }}"
        assert "<img" not in body
        assert body.count("<script>") == 1


def test_a_payment_leads_back_to_the_shop(client: stripe.StripeClient, visitor: Wire) -> None:
    """303, with the session's id where its placeholder stood."""
    session = opened(client)

    answer = submit(visitor, session)

    assert (answer.status, answer.headers["location"]) == (303, f"http://127.0.0.1:9/thanks?session_id={session.id}")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_the_back_link_names_the_session_too(client: stripe.StripeClient, visitor: Wire) -> None:
    """The placeholder is replaced in `cancel_url` as well."""
    session = opened(client)

    assert f"http://127.0.0.1:9/pricing?from={session.id}" in show(visitor, session)


def test_the_same_form_sent_twice_charges_once(client: stripe.StripeClient, visitor: Wire) -> None:
    """A double click, or a reloaded answer: both lead to the shop."""
    session = opened(client)
    answers: list[Reply] = []

    clicks = [threading.Thread(target=lambda: answers.append(submit(visitor, session))) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()

    assert {answer.headers.get("location") for answer in answers} == {
        f"http://127.0.0.1:9/thanks?session_id={session.id}"
    }
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("4000000000000002", "Your credit card was declined. Try paying with a debit card instead."),
        ("4000000000000069", "Your card is expired. Try a different card."),
        ("4000000000000127", "Your card&#39;s CVC is incorrect."),
        ("4000000000000119", "An error occurred while processing your card. Try again in a little bit."),
        ("4000000000009987", "Your credit card was declined. Try paying with a debit card instead."),
        ("4111111111111111", "Your request was in test mode, but used a non test card."),
    ],
)
def test_a_refusal_is_said_and_the_card_never_written_back(
    client: stripe.StripeClient, visitor: Wire, number: str, message: str
) -> None:
    """402, the sentence, everything typed, and not a digit of the card."""
    session = opened(client)

    answer = submit(visitor, session, card_number=number, card_cvc="987")

    body = answer.body.decode()
    assert answer.status == 402
    assert message in body
    assert 'value="ada@example.com"' in body
    form, _, _ = body.partition("<script>")
    typed = re.findall(r'<input id="card_\w+"[^>]* value="([^"]*)"', form)
    assert typed == ["", "", ""]


def test_a_form_with_a_mistake_comes_back_without_its_card(client: stripe.StripeClient, visitor: Wire) -> None:
    """422: the customer types the card again, nobody reads it over their shoulder."""
    session = opened(client)

    answer = submit(visitor, session, email="ada@", card_number="4000056655665556", card_cvc="987")

    form, _, _ = answer.body.decode().partition("<script>")
    assert answer.status == 422
    assert "Your email address is incomplete." in form
    assert re.findall(r'<input id="card_\w+"[^>]* value="([^"]*)"', form) == ["", "", ""]


def test_a_card_is_printed_nowhere(key: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever the server says of a refused payment, it says it without the card."""
    server = LocalStripe("--memory")
    try:
        session = opened(server.client(key))
        answer = submit(Wire(server.url, None), session, card_number="4000 0000 0000 9995", card_cvc="987")
    finally:
        server.stop()

    assert answer.status == 402
    printed = "".join(capfd.readouterr())
    assert "9995" not in printed
    assert "987" not in printed


def test_the_page_waits_until_the_shop_knows(client: stripe.StripeClient, visitor: Wire, receiver: Receiver) -> None:
    """The customer lands after the webhook was answered, whatever the answer: so the thanks page usually knows."""
    may_answer = threading.Event()
    receiver.answer = lambda received: Answer(500, when=may_answer)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["checkout.session.completed"]})
    session = opened(client)
    answers: list[Reply] = []

    customer = threading.Thread(target=lambda: answers.append(submit(visitor, session)))
    customer.start()
    receiver.wait_for(1)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert answers == []
    may_answer.set()
    customer.join()

    assert answers[0].status == 303


def test_a_changed_total_is_shown_before_it_is_paid(client: stripe.StripeClient, visitor: Wire) -> None:
    """The customer pays what the page said, or sees the new total first."""
    session = opened(client, expand=["line_items"])
    assert session.line_items is not None
    item = session.line_items.data[0].id
    client.v1.checkout.sessions.update(session.id, {"line_items": [{"id": item, "quantity": 2}]})

    answer = submit(visitor, session)

    assert answer.status == 409
    assert b"The total has changed since you opened this page." in answer.body
    assert b"Pay $38.00" in answer.body
    assert client.v1.charges.list().data == []


def test_an_address_of_nothing_is_a_404_for_people(visitor: Wire) -> None:
    """A page, not JSON."""
    page = visitor.get("/c/pay/cs_test_nothing")

    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"%",
        b"\xff\xfe",
        b"email[x]=1&expected_amount[y]=2&test_card[z]=1",
        b"expected_amount=1900&test_card=",
        b"expected_amount=1900&test_card=%F0%9D%9F%9C",
        b"expected_amount=1900&card_expiry=%D9%A1%D9%A2%2F%D9%A4%D9%A0",
        b"change=li_x+9999999999",
        b"change=li_x+%C2%B2",
        b"change=nothing",
        b"name=" + b"x" * 100_000,
    ],
)
def test_nonsense_shows_the_form_again(client: stripe.StripeClient, visitor: Wire, body: bytes) -> None:
    """Never a traceback, never a charge."""
    session = opened(client)

    answer = visitor.post(f"/c/pay/{session.id}", body)

    assert answer.status in (200, 409, 422)
    assert b"Pay $19.00" in answer.body
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_a_card_that_asks_for_a_person_gets_one(client: stripe.StripeClient, visitor: Wire) -> None:
    """4000 0000 0000 1208: one more question, then it works."""
    session = opened(client)

    asked = submit(visitor, session, card_number="4000000000001208")
    assert (asked.status, b"I am a person" in asked.body) == (422, True)
    answer = submit(visitor, session, card_number="4000000000001208", is_person="yes")

    assert answer.status == 303


def test_an_app_may_live_under_any_scheme(client: stripe.StripeClient, visitor: Wire) -> None:
    """Browsers hold a form's redirects to the policy: the app's own scheme is in it."""
    session = opened(client, success_url="myapp://thanks")

    page = visitor.get(f"/c/pay/{session.id}")

    assert "form-action 'self' http: https: myapp:;" in page.headers["content-security-policy"]
    assert submit(visitor, session).headers["location"] == "myapp://thanks"


def test_rehearsing_live_mode_offers_no_test_cards(local_stripe: LocalStripe, key: str, visitor: Wire) -> None:
    """Live mode refuses them; the page says which mode it is."""
    session = opened(local_stripe.client(key.replace("sk_test_", "sk_live_local_")))

    page = show(visitor, session)
    refused = submit(visitor, session)

    assert "Rehearsing live mode" in page
    assert "•••• 4242" not in page
    assert refused.status == 402
    assert b"Your request was in live mode, but used a known test card." in refused.body
    assert submit(visitor, session, card_number="4111111111111111").status == 303
