"""A gate in front of an app's own page: who passes, and what the others get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contracts.web.app import BASE_URL, PERSON

if TYPE_CHECKING:
    from tests.contracts.web.app import Shop


def test_only_those_pass_whose_plan_allows_it(shop: Shop) -> None:
    """The page gets the user, and nobody else gets to the page."""
    shop.has("ada", "pro")
    shop.has("grace", "starter")

    passed = shop.visitor("ada").get("/export")
    refused, unknown = shop.visitor("grace").get("/export"), shop.visitor().get("/export")

    assert (passed.status, passed.json()) == (200, {"for": "ada"})
    assert (refused.status, shop.app.reason(refused)["code"]) == (403, "not_in_plan")
    assert shop.app.reason(refused)["url"] == f"{BASE_URL}/pricing"
    assert (unknown.status, shop.app.reason(unknown)["code"]) == (401, "signed_out")


def test_a_person_is_shown_what_there_is_to_buy(shop: Shop) -> None:
    """A browser asks for a page and gets one; whoever is not signed in is asked to."""
    sent, asked = shop.visitor("grace").get("/export", PERSON), shop.visitor().get("/export", PERSON)

    assert (sent.status, sent.headers["location"]) == (303, f"{BASE_URL}/pricing")
    assert (asked.status, "Please sign in first" in asked.text) == (401, True)


def test_whose_plan_is_on_hold_is_shown_what_to_do_about_it(shop: Shop) -> None:
    """Not asked to buy what they have."""
    shop.has("ada", "pro", "unpaid")

    told, sent = shop.visitor("ada").get("/export"), shop.visitor("ada").get("/export", PERSON)

    assert (told.status, shop.app.reason(told)["code"]) == (402, "on_hold")
    assert shop.app.reason(told)["url"] == sent.headers["location"] == f"{BASE_URL}/account"
    assert sent.status == 303
