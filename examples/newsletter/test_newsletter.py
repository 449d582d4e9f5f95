"""The newsletter's story: who may read what, who has paid, and what goes wrong on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from newsletter.billing import prepare, sessions
from newsletter.models import Notice, Reader
from sqlalchemy import select

if TYPE_CHECKING:
    from paydesk.testing import Billing

FOR_MEMBERS = "/letters/2"
SECRET = "Write down what you owe"


@pytest.fixture(scope="session")
def paydesk_tables() -> None:
    """The app's own tables and first letters."""
    prepare()


@pytest.fixture
def site(billing: Billing) -> Any:
    """The app, with Ada signed in."""
    billing.client.post("/sign-in", data={"email": "ada@example.com"})
    return billing.client


@pytest.fixture
def ada(site: Any) -> Reader:
    """Ada, as the app knows her: what subscribes and buys is the app's own model."""
    with sessions() as db:
        return db.scalars(select(Reader)).one()


def test_some_letters_are_for_everybody(billing: Billing) -> None:
    """And the others say what they are for."""
    free, locked = billing.client.get("/letters/1"), billing.client.get(FOR_MEMBERS)

    assert (free.status_code, locked.status_code) == (200, 402)
    assert "for members" in locked.text
    assert SECRET not in locked.text


def test_a_reader_becomes_a_member_through_the_pages(billing: Billing, site: Any) -> None:
    """The button of the pricing page, Stripe's page, and back."""
    payment = billing.pay(site.post("/subscribe", data={"plan": "member"}))
    thanks = site.get(payment.url)

    assert thanks.status_code == 200
    assert SECRET in site.get(FOR_MEMBERS).text
    assert "A member since 02 March 2026" in site.get("/").text


def test_a_declined_card_opens_nothing(billing: Billing, site: Any) -> None:
    """The page says why, and another card will do."""
    signup = site.post("/subscribe", data={"plan": "member"})

    refused = billing.pay(signup, card="4000 0000 0000 9995")
    assert "insufficient funds" in str(refused.reason)
    assert site.get(FOR_MEMBERS).status_code == 402

    assert billing.pay(signup, card="4000 0027 6000 3184", bank="passes").is_paid
    assert site.get(FOR_MEMBERS).status_code == 200


def test_only_patrons_reply(billing: Billing, site: Any, ada: Reader) -> None:
    """A member is shown the plans; a patron is read."""
    held = billing.subscribe(ada, "member")
    refused = site.post("/letters/1/replies", data={"text": "Indeed."}, headers={"accept": "text/html"})

    held.swap("patron")
    site.post("/letters/1/replies", data={"text": "Indeed."})

    assert (refused.status_code, refused.headers["location"]) == (303, "http://testserver/pricing")
    assert "<blockquote>Indeed.</blockquote>" in site.get("/letters/1").text


def test_members_stay_until_the_end_of_what_they_paid_for(billing: Billing, site: Any, ada: Reader) -> None:
    """Then the letters close, and the app has forgotten since when they were members."""
    billing.subscribe(ada, "member", interval="year")
    billing.advance("3 months")

    billing.cancel(ada)
    billing.advance("8 months")
    assert site.get(FOR_MEMBERS).status_code == 200

    billing.advance("2 months")
    assert site.get(FOR_MEMBERS).status_code == 402
    assert "A member since" not in site.get("/").text


def test_a_bad_card_is_given_a_few_days(billing: Billing, site: Any, ada: Reader) -> None:
    """Five, says the catalog; a good card within them, and nobody notices anything."""
    billing.subscribe(ada, "member")
    billing.decline_cards_of(ada)

    billing.advance("1 month 2 hours")
    assert site.get(FOR_MEMBERS).status_code == 200
    billing.advance("6 days")
    assert site.get(FOR_MEMBERS).status_code == 402

    billing.decline_cards_of(ada, "visa")
    billing.advance("2 weeks")
    assert site.get(FOR_MEMBERS).status_code == 200


def test_a_book_is_handed_over_once(billing: Billing, site: Any, ada: Reader) -> None:
    """However often, and in whichever order, Stripe tells of it. Money back, book back."""
    checkout = billing.desk.checkout("archive", user=ada)
    billing.pay(checkout, settle=False)
    billing.deliver(shuffled=True, twice=True)
    billing.settle()
    assert "The first hundred letters" in site.get("/book").text

    billing.refund(checkout.order)
    assert site.get("/book").headers["location"] == "/pricing"


@pytest.mark.parametrize(
    ("before", "after"), [("receive", "apply"), ("apply", "effect"), ("effect", "commit"), ("call", "commit")]
)
def test_the_author_hears_of_each_member_once(billing: Billing, ada: Reader, before: str, after: str) -> None:
    """Also where the process dies while it is told: what is told again has the same key."""
    with billing.crash_between(before, after):
        billing.subscribe(ada, "patron")
    if billing.desk.subscription(ada) is None:
        billing.subscribe(ada, "patron")

    with sessions() as db:
        assert [notice.text for notice in db.scalars(select(Notice))] == ["A new patron!"]
