"""What the customers of Postcards are promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from paydesk.testing import Billing

PERSON = {"Accept": "text/html"}


@pytest.fixture
def ada(billing: Billing) -> Any:
    """Somebody at the app's door, signed in."""
    billing.client.post("/sign-in", data={"name": "ada"})
    return billing.client


def path_of(url: str) -> str:
    """Without the host: Flask's test client keeps its cookies for its own."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def send(somebody: Any, text: str = "Wish you were here") -> str:
    """Write a card; answers the page that follows."""
    return str(somebody.post("/cards", data={"to": "Grace", "text": text}, follow_redirects=True).text)


def test_a_pack_of_stamps_is_ten_cards(billing: Billing, ada: Any) -> None:
    """Bought by the button, paid on Stripe's page, in the drawer when one is thanked."""
    payment = billing.pay(ada.post("/checkout", data={"sku": "stamps"}))
    thanks = ada.get(path_of(str(payment.url)))

    pages = [send(ada) for _ in range(11)]

    assert "Thank you!" in thanks.text
    assert "9 stamps" in pages[0]
    assert "1 stamp<" in pages[8]
    assert "no stamps" in pages[9]
    assert "You have no stamps left." in pages[10]


def test_stamps_come_once_however_often_stripe_says_so(billing: Billing, ada: Any) -> None:
    """Twice, in any order, and with a crash between the work and its commit."""
    with billing.crash_between("effect", "commit"):
        billing.pay(ada.post("/checkout", data={"sku": "stamps", "quantity": "2"}), settle=False)
        billing.deliver(shuffled=True, twice=True)
        billing.settle()

    assert "20 stamps" in ada.get("/").text


def test_money_back_is_stamps_back(billing: Billing, ada: Any) -> None:
    """What was not used goes; nobody owes stamps."""
    order = billing.buy("ada", "stamps")
    send(ada)

    billing.refund(order)

    assert "no stamps" in ada.get("/").text


def test_a_penfriend_needs_no_stamps_and_has_an_album(billing: Billing, ada: Any) -> None:
    """From the first minute to the last; and the first card is from us."""
    refused = ada.get("/album", headers=PERSON)
    billing.subscribe("ada", "penfriend")

    page, album = send(ada, "I have joined"), ada.get("/album").text
    billing.advance("3 months 2 hours")
    still = ada.get("/album").status_code
    billing.cancel("ada", at_once=True)

    assert (refused.status_code, refused.location.endswith("/pricing")) == (303, True)
    assert "You are a penfriend" in page
    assert album.index("I have joined") < album.index("it is good to have you with us")
    assert still == 200
    assert ada.get("/album").status_code == 403
    assert "Get stamps" in ada.get("/").text


def test_a_card_that_is_declined_is_no_penfriend(billing: Billing, ada: Any) -> None:
    """Nothing is given that was not paid for."""
    payment = billing.pay(ada.post("/subscribe", data={"plan": "penfriend"}), card="4000 0000 0000 9995")

    assert "insufficient funds" in str(payment.reason)
    assert ada.get("/album").status_code == 403


def test_a_stranger_sees_a_door(billing: Billing) -> None:
    """No card without a name, no album without a plan."""
    stranger = billing.client

    assert "Your name" in stranger.get("/").text
    assert "Your name" in send(stranger)
    assert stranger.get("/album").status_code == 401
