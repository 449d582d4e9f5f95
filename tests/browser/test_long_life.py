"""One long life whose customer sits at a real browser: the card that works again, the bill, and the goodbye."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe
from playwright.sync_api import Page, expect

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver
from tests.stories.local_stripe.clocks import OfTheSandbox, OfTheTest
from tests.stories.local_stripe.doors import Checkout
from tests.stories.local_stripe.living import Stage, live
from tests.stories.local_stripe.long_life import LIFE, goes_as_from_checkout


@pytest.fixture
def controls(local_stripe: LocalStripe, key: str) -> Iterator[Controls]:
    """The controls of this test's sandbox."""
    controls = Controls(local_stripe.url, key)
    yield controls
    controls.close()


class AtABrowser:
    """Reads, presses and sees what comes of it."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def subscribes(self, checkout: str) -> None:
        page = self._page
        page.goto(checkout)
        page.get_by_text("More test cards").click()
        page.get_by_role("button", name="Mastercard").click()
        page.get_by_role("button", name="Start trial").click()
        expect(page.get_by_role("heading", name="The shop")).to_be_visible()

    def replaces_their_card(self, portal: str) -> None:
        page = self._page
        page.goto(portal)
        expect(page.get_by_role("region", name="Pro")).to_contain_text("$20.00 per month")
        page.get_by_role("link", name="Add a card").click()
        page.get_by_text("More test cards").click()
        page.get_by_role("button", name="Mastercard").click()
        page.get_by_role("button", name="Save card").click()
        expect(page.get_by_role("status")).to_contain_text("Your card was saved")
        expect(page.locator(".kept-row").first).to_contain_text("Mastercard •••• 4444 Default")

    def pays_what_is_open(self, portal: str) -> None:
        page = self._page
        page.goto(portal)
        page.get_by_role("link", name="Pay now").click()
        page.get_by_text("More test cards").click()
        page.get_by_role("button", name="Mastercard").click()
        page.get_by_role("button", name="Pay $20.00").click()
        expect(page.get_by_text("Amount paid")).to_be_visible()

    def leaves(self, portal: str) -> None:
        page = self._page
        page.goto(portal)
        page.get_by_role("link", name="Cancel plan").click()
        page.get_by_label("too expensive").check()
        page.get_by_role("button", name="Cancel plan").click()
        expect(page.get_by_text("Ends on June 1, 2030")).to_be_visible()


def test_a_life_is_the_same_at_a_real_browser(
    page: Page, client: stripe.StripeClient, controls: Controls, receiver: Receiver
) -> None:
    """Nobody but the customer mends it: every status, cent and event is as it is over plain HTTP."""
    stage = Stage(client, controls, receiver, OfTheTest, AtABrowser(page))

    for told, must in zip(live(stage), LIFE, strict=True):
        assert told == must


def test_a_whole_life_on_a_phone(
    phone: Page, client: stripe.StripeClient, controls: Controls, receiver: Receiver, shop: str
) -> None:
    """From the payment page to the goodbye, the customer does all of it."""
    stage = Stage(client, controls, receiver, OfTheSandbox, AtABrowser(phone), Checkout(shop))

    goes_as_from_checkout(live(stage))
