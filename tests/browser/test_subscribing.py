"""Subscribing in a real browser: from the plan's button to the account page, and in two tabs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_shop import fill, sign_in, ware
from tests.waiting import until

if TYPE_CHECKING:
    from tests.flarex import Flarex

on_sqlite = pytest.mark.parametrize("flarex", ["sqlite"], indirect=True)


def subscribe(page: Page, flarex: Flarex, rhythm: str = "$29 / month") -> None:
    """From the shop to the payment page of the reading circle."""
    page.goto(f"{flarex.url}/pricing")
    circle = ware(page, "Reading circle")
    circle.get_by_label(rhythm).check()
    circle.get_by_label("Seats").fill("3")
    circle.get_by_role("button", name="Subscribe").click()
    page.wait_for_url("**/c/pay/**")


def test_from_the_plan_to_the_account(page: Page, flarex: Flarex) -> None:
    """A plan is chosen and paid for; the drafts open, and the account says until when."""
    name = sign_in(page, flarex)
    subscribe(page, flarex, "$290 / year")
    fill(page, "4242424242424242")
    page.locator("#pay").click()

    page.wait_for_url("**/thanks**")
    expect(page.get_by_role("heading", name="Welcome!")).to_be_visible()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_text("$870 every year")).to_be_visible()
    expect(page.get_by_text("It renews on")).to_be_visible()
    expect(page.get_by_role("cell", name="$870.00")).to_be_visible()
    page.goto(flarex.url)
    expect(page.get_by_text("open to you")).to_be_visible()
    flarex.settle()
    (row,) = flarex.rows(flarex.tables.subscriptions, user_id=name)
    assert (row["plan"], row["seats"], row["status"]) == ("pro", 3, "active")


@on_sqlite
def test_b7_two_tabs_lead_to_one_subscription(page: Page, flarex: Flarex) -> None:
    """Both are at the payment page; it is the same one, and whoever is second finds it paid."""
    name = sign_in(page, flarex)
    other = page.context.new_page()
    for tab in (page, other):
        subscribe(tab, flarex)
    assert page.url.partition("#")[0] == other.url.partition("#")[0]
    other.goto(f"{flarex.url}/pricing")

    fill(page, "4242424242424242")
    page.locator("#pay").click()
    page.wait_for_url("**/thanks**")
    # This tab does not know yet.
    ware(other, "Reader").get_by_role("button", name="Subscribe").click()

    expect(other.get_by_role("heading", name="You are subscribed already")).to_be_visible()
    expect(other.get_by_role("link", name="See to your plan")).to_be_visible()
    flarex.settle()
    rows = until(lambda: flarex.rows(flarex.tables.subscriptions, user_id=name), "the subscription")
    assert [row["plan"] for row in rows] == ["pro"]
