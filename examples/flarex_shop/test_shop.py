"""The shop's story: what lies on the shelf after a payment, a refund, a visit to the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paydesk import User

if TYPE_CHECKING:
    from paydesk.testing import Billing

ADA = User("ada", "ada@example.com")


@pytest.fixture
def shop(billing: Billing) -> Any:
    """The shop, with Ada signed in."""
    billing.client.post("/sign-in", content=b"name=ada")
    return billing.client


def test_what_is_paid_for_lies_on_the_shelf(billing: Billing, shop: Any) -> None:
    """From the pricing page's button to the shelf, once."""
    billing.pay(shop.post("/checkout", data={"sku": "ebook"}), settle=False)
    billing.deliver(shuffled=True, twice=True)
    billing.settle()

    assert shop.get("/").text.count("ebook <small>yours") == 1
    assert shop.get("/stock").json() == {"ebook": 1}


def test_what_was_paid_back_is_returned(billing: Billing, shop: Any) -> None:
    """And what is disputed is kept until that is settled."""
    billing.refund(billing.buy(ADA, "ebook"))
    billing.dispute(billing.buy(ADA, "poster"))

    shelf = shop.get("/").text
    assert "ebook <small>returned" in shelf
    assert "poster <small>on hold" in shelf


def test_the_drafts_are_open_to_the_reading_circle(billing: Billing, shop: Any) -> None:
    """While a subscription to it lasts, and not to others."""
    held = billing.subscribe(ADA, "starter")
    assert "open to you" not in shop.get("/").text

    held.swap("pro")
    assert "open to you" in shop.get("/").text

    billing.cancel(ADA)
    billing.advance("1 month 2 hours")
    assert "open to you" not in shop.get("/").text
