"""A gate in front of an app's own route: who passes, and what the others get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from paydesk.errors import UnknownFeature

if TYPE_CHECKING:
    from tests.billing.web.conftest import Site

PERSON = {"Accept": "text/html,application/xhtml+xml"}


def subscribe(site: Site, user: str, plan: str, status: str = "active") -> None:
    """As the mirror would have written it."""
    site.desk.open()
    row = {"id": f"sub_{user}", "user_id": user, "plan": plan, "slot": "main", "status": status, "seats": 1}
    with site.desk.store.write() as connection:
        table = site.desk.store.tables.subscriptions
        connection.execute(table.insert().values(**row, livemode=False, created_at=datetime.now(UTC)))


def test_only_those_pass_whose_plan_allows_it(site: Site) -> None:
    """The route gets the user, and nobody else gets to the route."""
    subscribe(site, "ada", "pro")
    subscribe(site, "grace", "starter")

    with site.browser("ada") as ada, site.browser("grace") as grace, site.browser() as stranger:
        assert ada.get("/export").json() == {"for": "ada"}
        refused, unknown = grace.get("/export"), stranger.get("/export")

    assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "not_in_plan")
    assert (unknown.status_code, unknown.json()["detail"]["code"]) == (401, "signed_out")


def test_a_person_is_shown_what_there_is_to_buy(site: Site) -> None:
    """A browser asks for a page and gets one."""
    with site.browser("grace") as grace:
        sent = grace.get("/export", headers=PERSON)

    assert (sent.status_code, sent.headers["location"]) == (303, f"{site.url}/pricing")


def test_whose_plan_is_on_hold_is_shown_what_to_do_about_it(site: Site) -> None:
    """Not asked to buy what they have."""
    subscribe(site, "ada", "pro", "unpaid")

    with site.browser("ada") as ada:
        told, sent = ada.get("/export"), ada.get("/export", headers=PERSON)

    assert (told.status_code, told.json()["detail"]["code"]) == (402, "on_hold")
    assert told.json()["detail"]["url"] == sent.headers["location"] == f"{site.url}/account"
    assert sent.status_code == 303


def test_a_misspelt_gate_keeps_the_app_from_starting(site: Site) -> None:
    """Not from one day letting somebody in, or out."""
    with pytest.raises(UnknownFeature):
        site.desk.require("exprot")
