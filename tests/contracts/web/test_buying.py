"""Buying: from the button to the paid order, whoever asks and however."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paydesk import OrderPaid, User
from tests.billing.paying import pay
from tests.contracts.web.app import BASE_URL

if TYPE_CHECKING:
    import stripe

    from tests.contracts.web.app import Shop, Visitor

EBOOK = {"sku": "ebook"}


def buy(visitor: Visitor) -> str:
    """Press the button, pay, and be sent back; answers where to."""
    back = pay(visitor.post("/checkout", form=EBOOK).headers["location"]).location
    assert back is not None
    return back


def test_from_the_button_to_the_paid_order(selling: Shop) -> None:
    """The whole journey as a browser makes it: pricing, button, Stripe's page, thanks."""
    ada = selling.visitor("ada")
    assert "The little book of webhooks" in ada.get("/pricing").text

    sent = ada.post("/checkout", form=EBOOK)
    back = pay(sent.headers["location"]).location
    assert back is not None
    thanks = ada.get(back)

    assert (sent.status, sent.body) == (303, b"")
    assert back.startswith(f"{BASE_URL}/thanks?session_id=cs_test_")
    assert thanks.status == 200
    assert "Thank you!" in thanks.text
    assert "$19.00" in thanks.text
    assert "ada@example.com" in thanks.text


def test_the_webhook_alone_pays_the_order_once(selling: Shop) -> None:
    """The customer closes the window on Stripe's page; Stripe tells it twice, and the shop delivers once."""
    delivered: list[str] = []

    @selling.desk.on(OrderPaid)
    def deliver(paid: OrderPaid) -> None:
        delivered.append(paid.order.sku)

    pay(selling.visitor("ada").post("/checkout", json_=EBOOK).json()["url"])
    selling.hears()
    selling.hears()

    assert delivered == ["ebook"]
    assert [order.status for order in selling.desk.orders(User("ada"))] == ["paid"]


def test_a_script_gets_the_address_as_json(selling: Shop) -> None:
    """The frontend redirects by itself; a form that asks for JSON is a script's too."""
    guest = selling.visitor()

    answer = guest.post("/checkout", json_={"sku": "mug", "quantity": 3})
    asked = guest.post("/checkout", form=EBOOK, headers={"Accept": "application/json"})

    assert (answer.status, list(answer.json())) == (200, ["url"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert (asked.status, list(asked.json())) == (200, ["url"])


def test_a_price_from_the_browser_is_never_believed(selling: Shop, client: stripe.StripeClient) -> None:
    """Whatever else a form holds, the catalog decides what is charged and BASE_URL where it leads."""
    lies: dict[str, Any] = {
        "price": "1",
        "amount": 1,
        "unit_amount": 1,
        "currency": "jpy",
        "success_url": "https://evil",
    }
    guest = selling.visitor()
    guest.post("/checkout", form={**EBOOK, **lies, "quantity": "1"}, headers={"Host": "evil.example"})
    guest.post("/checkout", json_={**EBOOK, **lies}, headers={"X-Forwarded-Host": "evil.example"})

    sessions = client.v1.checkout.sessions.list().data
    assert [(session.amount_total, session.currency) for session in sessions] == [(1900, "usd")] * 2
    assert {urlsplit(str(session.success_url)).netloc for session in sessions} == {"shop.example"}


def test_a_person_sees_only_their_own_orders(selling: Shop) -> None:
    """Somebody else's session does not exist for you, signed in or not."""
    ada = selling.visitor("ada")
    back = buy(ada)

    seen, others = ada.get(back), [selling.visitor("bob").get(back), selling.visitor().get(back)]

    assert seen.status == 200
    assert [other.status for other in others] == [404, 404]
    assert all("ada@example.com" not in other.text for other in others)


def test_a_guest_sees_the_order_whose_address_only_they_know(selling: Shop) -> None:
    """Nobody is signed in; the session's id is the proof."""
    guest = selling.visitor()

    answer = guest.get(buy(guest))

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"


def test_an_unknown_session_is_a_page_of_its_own(shop: Shop) -> None:
    """A mistyped address is told apart from a lost payment."""
    queries = [
        "",
        "?session_id=",
        "?session_id=cs_test_nothing",
        "?session_id=../../etc/passwd",
        "?session_id=%00%ff",
        "?session_id=cs_test_a&session_id=cs_test_b",
        "?" + "&".join(["session_id=cs_test_a"] * 60),
    ]

    answers = [shop.visitor().get(f"/thanks{query}") for query in queries]

    assert [answer.status for answer in answers] == [404] * len(queries)
    assert all("We cannot find that order" in answer.text for answer in answers)


def test_an_unfinished_payment_is_offered_again(selling: Shop) -> None:
    """Somebody who opens the thanks page too early finds the way back."""
    ada = selling.visitor("ada")
    url = ada.post("/checkout", json_=EBOOK).json()["url"]

    page = ada.get(f"/thanks?session_id={url.rsplit('/', 1)[1]}").text

    assert "Not paid yet" in page
    assert url in page


def test_a_double_click_opens_one_page(selling: Shop, client: stripe.StripeClient) -> None:
    """The impatient customer has one order."""
    ada = selling.visitor("ada")

    first, second = (ada.post("/checkout", form=EBOOK).headers["location"] for _ in range(2))

    assert first == second
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_what_is_not_set_up_is_told_to_the_developer_in_test_mode(selling: Shop, client: stripe.StripeClient) -> None:
    """The customer reads an apology; whoever is building the shop reads the reason."""
    (price,) = client.v1.prices.list({"lookup_keys": ["ebook"]}).data
    client.v1.prices.update(price.id, {"active": False})

    clicked, asked = selling.visitor().post("/checkout", form=EBOOK), selling.visitor().post("/checkout", json_=EBOOK)

    assert clicked.status == asked.status == 500
    assert "This cannot be bought right now" in clicked.text
    assert "For the developer" in clicked.text
    assert "is archived" in clicked.text
    assert "is archived" in asked.json()["error"]["detail"]
