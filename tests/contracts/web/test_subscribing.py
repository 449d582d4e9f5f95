"""Subscribing: the button, the page at Stripe, the welcome, the account, and whoever is subscribed already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.billing.paying import pay

if TYPE_CHECKING:
    import stripe

    from tests.contracts.web.app import Shop, Visitor

PRO = {"plan": "pro", "seats": "2", "interval": "year"}


def subscribe(visitor: Visitor, plan: dict[str, str] = PRO) -> str:
    """Press the button, pay, and come back; answers where to."""
    back = pay(visitor.post("/subscribe", form=plan).headers["location"]).location
    assert back is not None
    return back


def test_from_the_button_to_the_account(selling: Shop) -> None:
    """Pricing, button, Stripe's page, welcome, account: no webhook is needed for any of it."""
    ada = selling.visitor("ada")
    assert 'name="plan" value="pro"' in ada.get("/pricing").text

    welcome = ada.get(subscribe(ada))
    account = ada.get("/account")

    assert "Welcome!" in welcome.text
    assert "$580.00 every year" in welcome.text
    assert "It renews on" in account.text
    assert "$580.00</td>" in account.text
    assert account.headers["cache-control"] == "no-store"


def test_whoever_has_a_plan_is_shown_which_and_how_to_change_it(shop: Shop) -> None:
    """No button buys a second one in its slot; somebody else sees every button."""
    shop.has("ada", "pro")

    hers, others = shop.visitor("ada").get("/pricing"), shop.visitor("grace").get("/pricing")

    assert hers.text.count('action="/subscribe"') == 1
    assert 'name="plan" value="support"' in hers.text
    assert hers.text.count("Your plan</span>") == 1
    assert 'href="/billing-portal?to=switch">Change to Starter<' in hers.text
    assert hers.headers["cache-control"] == "no-store"
    assert others.text.count('action="/subscribe"') == 3
    assert "Your plan</span>" not in others.text


def test_a_script_gets_the_address(selling: Shop) -> None:
    """As JSON, and the plan's own seats and rhythm where nothing is said."""
    answer = selling.visitor("ada").post("/subscribe", json_={"plan": "starter"})

    assert answer.status == 200
    assert answer.json()["url"].startswith("http")
    assert answer.headers["cache-control"] == "no-store"


def test_who_is_subscribed_already_gets_the_portal(selling: Shop, client: stripe.StripeClient) -> None:
    """409, with the portal's address: never a second subscription."""
    ada = selling.visitor("ada")
    ada.get(subscribe(ada))

    asked, clicked = ada.post("/subscribe", json_={"plan": "starter"}), ada.post("/subscribe", form=PRO)

    assert (asked.status, asked.json()["error"]["code"]) == (409, "already_subscribed")
    assert "/p/session/" in asked.json()["url"]
    assert clicked.status == 409
    assert "You are subscribed already" in clicked.text
    assert "See to your plan" in clicked.text
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1


def test_who_is_not_signed_in_cannot_subscribe(shop: Shop) -> None:
    """A subscription is somebody's."""
    stranger = shop.visitor()

    page, answer = stranger.post("/subscribe", form=PRO), stranger.post("/subscribe", json_={"plan": "pro"})

    assert (page.status, "Please sign in first" in page.text) == (401, True)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "signed_out")


def test_what_the_catalog_does_not_have_is_not_sold(shop: Shop) -> None:
    """A browser chooses among the catalog's plans, rhythms and seats, and of nothing else."""
    wishes: list[tuple[dict[str, Any], int, str]] = [
        ({"plan": "gold"}, 404, "unknown_plan"),
        ({"plan": "ebook"}, 404, "unknown_plan"),
        ({"plan": "starter", "interval": "year"}, 404, "unknown_plan"),
        ({"plan": "starter", "seats": 2}, 400, "seats_refused"),
        ({"plan": "pro", "seats": "many"}, 400, "seats_refused"),
        ({"plan": ""}, 400, "unreadable_request"),
        ({"plan": "pro", "interval": ["month"]}, 400, "unreadable_request"),
        ({}, 400, "unreadable_request"),
    ]

    answers = [shop.visitor("ada").post("/subscribe", json_=wish) for wish, *_ in wishes]

    told = [(answer.status, answer.json()["error"]["code"]) for answer in answers]
    assert told == [(status, code) for _, status, code in wishes]


def test_a_plans_price_is_not_the_browsers(selling: Shop, client: stripe.StripeClient) -> None:
    """What it says of money is not looked at."""
    selling.visitor("ada").post("/subscribe", json_={"plan": "pro", "price": "price_1", "amount": 1})

    (session,) = client.v1.checkout.sessions.list().data
    assert session.amount_total == 2900


def test_somebody_elses_welcome_does_not_exist(selling: Shop) -> None:
    """An address that was passed on shows nothing."""
    ada = selling.visitor("ada")
    back = subscribe(ada)

    statuses = [visitor.get(back).status for visitor in (selling.visitor("grace"), selling.visitor(), ada)]

    assert statuses == [404, 404, 200]


def test_a_page_that_was_left_is_gone_back_to(selling: Shop, client: stripe.StripeClient) -> None:
    """Not finished, not lost: the welcome page leads back, until the page has closed."""
    ada = selling.visitor("ada")
    url = ada.post("/subscribe", form=PRO).headers["location"]
    (session,) = client.v1.checkout.sessions.list().data
    thanks = f"/thanks?session_id={session.id}"

    left = ada.get(thanks)
    client.v1.checkout.sessions.expire(session.id)
    closed = ada.get(thanks)

    assert "Not subscribed yet" in left.text
    assert url in left.text
    assert "This page has closed" in closed.text


def test_who_is_not_signed_in_sees_no_account(shop: Shop) -> None:
    """Neither the page nor the portal: there is nobody whose it could be."""
    stranger = shop.visitor()

    page, portal = stranger.get("/account"), stranger.get("/billing-portal")
    asked = stranger.post("/billing-portal", json_={})

    assert (page.status, portal.status) == (401, 401)
    assert "Please sign in first" in page.text
    assert asked.json()["error"]["code"] == "signed_out"


def test_who_has_bought_nothing_is_told_so(shop: Shop) -> None:
    """An empty account, and no portal that would be empty too."""
    ada = shop.visitor("ada")

    page, portal = ada.get("/account"), ada.get("/billing-portal")

    assert page.status == 200
    assert "No plan yet" in page.text
    assert (portal.status, "Nothing here yet" in portal.text) == (404, True)


def test_the_portal_is_one_click_away(selling: Shop) -> None:
    """For a browser a redirect, for a script an address, and straight to one thing where that is asked for."""
    ada = selling.visitor("ada")
    ada.get(subscribe(ada))

    clicked, asked = ada.get("/billing-portal"), ada.post("/billing-portal", json_={})
    for_card = ada.get("/billing-portal?to=card")

    assert (clicked.status, clicked.headers["cache-control"]) == (303, "no-store")
    assert asked.json()["url"].startswith("http")
    assert clicked.headers["location"] != asked.json()["url"]
    assert for_card.status == 303


def test_the_portal_opens_for_the_slot_that_is_asked_for(selling: Shop) -> None:
    """There is a telephone to cancel, and no plan; what is no slot is nobody's."""
    ada = selling.visitor("ada")
    ada.get(subscribe(ada, {"plan": "support"}))

    asked = ["to=cancel&slot=support", "to=cancel", "to=cancel&slot=%00"]
    answers = [ada.get(f"/billing-portal?{query}").status for query in asked]

    assert answers == [303, 404, 404]
