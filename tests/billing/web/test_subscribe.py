"""Subscribing on the web: the button, the page at Stripe, the welcome, and whoever is subscribed already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.billing.paying import pay

if TYPE_CHECKING:
    import httpx2
    import stripe

    from tests.billing.web.conftest import Site

PRO = {"plan": "pro", "seats": "2", "interval": "year"}


def subscribe(browser: httpx2.Client, plan: dict[str, str] = PRO) -> str:
    """Press the button, pay, and come back; answers where to."""
    back = pay(browser.post("/subscribe", data=plan).headers["location"]).location
    assert back is not None
    return back


def test_from_the_button_to_the_account(site: Site) -> None:
    """Pricing, button, Stripe's page, welcome, account: no webhook is needed for any of it."""
    with site.browser("ada") as ada:
        assert 'name="plan" value="pro"' in ada.get("/pricing").text

        welcome = ada.get(subscribe(ada))
        account = ada.get("/account")

    assert "Welcome!" in welcome.text
    assert "$580.00 every year" in welcome.text
    assert "It renews on" in account.text
    assert "$580.00</td>" in account.text


def test_whoever_has_a_plan_is_shown_which_and_how_to_change_it(site: Site) -> None:
    """No button buys a second one in its slot; somebody else sees every button."""
    with site.browser("ada") as ada, site.browser("grace") as grace:
        ada.get(subscribe(ada))

        hers, others = ada.get("/pricing"), grace.get("/pricing")

    assert hers.text.count('action="/subscribe"') == 1
    assert 'name="plan" value="support"' in hers.text
    assert hers.text.count("Your plan</span>") == 1
    assert 'href="/billing-portal?to=switch">Change to Starter<' in hers.text
    assert hers.headers["cache-control"] == "no-store"
    assert others.text.count('action="/subscribe"') == 3
    assert "Your plan</span>" not in others.text


def test_the_portal_opens_for_the_slot_that_is_asked_for(site: Site) -> None:
    """There is a telephone to cancel, and no plan; what is no slot is nobody's."""
    with site.browser("ada") as ada:
        ada.get(subscribe(ada, {"plan": "support"}))

        asked = ["to=cancel&slot=support", "to=cancel", "to=cancel&slot=%00"]
        answers = [ada.get(f"/billing-portal?{query}").status_code for query in asked]

    assert answers == [303, 404, 404]


def test_a_script_gets_the_address(site: Site) -> None:
    """As JSON, and the plan's own seats and rhythm where nothing is said."""
    with site.browser("ada") as ada:
        answer = ada.post("/subscribe", json={"plan": "starter"})

    assert answer.status_code == 200
    assert answer.json()["url"].startswith("http")
    assert answer.headers["cache-control"] == "no-store"


def test_who_is_subscribed_already_gets_the_portal(site: Site, client: stripe.StripeClient) -> None:
    """409, with the portal's address: never a second subscription."""
    with site.browser("ada") as ada:
        ada.get(subscribe(ada))

        asked, clicked = ada.post("/subscribe", json={"plan": "starter"}), ada.post("/subscribe", data=PRO)

    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "already_subscribed")
    assert "/p/session/" in asked.json()["url"]
    assert clicked.status_code == 409
    assert "You are subscribed already" in clicked.text
    assert "See to your plan" in clicked.text
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1


def test_who_is_not_signed_in_cannot_subscribe(site: Site) -> None:
    """A subscription is somebody's."""
    with site.browser() as stranger:
        page, answer = stranger.post("/subscribe", data=PRO), stranger.post("/subscribe", json={"plan": "pro"})

    assert (page.status_code, "Please sign in first" in page.text) == (401, True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signed_out")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"plan": "gold"}, 404, "unknown_plan"),
        ({"plan": "ebook"}, 404, "unknown_plan"),
        ({"plan": "starter", "interval": "year"}, 404, "unknown_plan"),
        ({"plan": "starter", "seats": 2}, 400, "seats_refused"),
        ({"plan": "pro", "seats": "many"}, 400, "seats_refused"),
        ({"plan": ""}, 400, "unreadable_request"),
        ({"plan": "pro", "interval": ["month"]}, 400, "unreadable_request"),
        ({}, 400, "unreadable_request"),
        ({"plan": "pro", "price": "price_1", "amount": 1}, 200, None),
    ],
)
def test_what_a_browser_sends_is_looked_at_and_not_believed(
    site: Site, sent: dict[str, Any], status: int, code: str | None
) -> None:
    """Only what the catalog has is sold, at the catalog's price."""
    with site.browser("ada") as ada:
        answer = ada.post("/subscribe", json=sent)

    assert answer.status_code == status
    if code is not None:
        assert answer.json()["error"]["code"] == code


def test_a_form_on_another_website_subscribes_nobody(site: Site) -> None:
    """Whoever is signed in here is not signed up from there."""
    with site.browser("ada") as ada:
        assert ada.post("/subscribe", data=PRO, headers={"Origin": "https://evil.example"}).status_code == 403


def test_somebody_elses_welcome_does_not_exist(site: Site) -> None:
    """An address that was passed on shows nothing."""
    with site.browser("ada") as ada, site.browser("grace") as grace, site.browser() as stranger:
        back = subscribe(ada)

        assert grace.get(back).status_code == 404
        assert stranger.get(back).status_code == 404
        assert ada.get(back).status_code == 200


def test_a_page_that_was_left_is_gone_back_to(site: Site, client: stripe.StripeClient) -> None:
    """Not finished, not lost: the welcome page leads back, until the page has closed."""
    with site.browser("ada") as ada:
        url = ada.post("/subscribe", data=PRO).headers["location"]
        (session,) = client.v1.checkout.sessions.list().data
        thanks = f"/thanks?session_id={session.id}"

        left = ada.get(thanks)
        client.v1.checkout.sessions.expire(session.id)
        closed = ada.get(thanks)

    assert "Not subscribed yet" in left.text
    assert url in left.text
    assert "This page has closed" in closed.text
