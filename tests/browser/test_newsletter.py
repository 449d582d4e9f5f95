"""A reader's whole story with the newsletter of examples/, in a real browser: member, patron, and gone again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from paydesk.testing.secrets import Given
from tests.conftest import ROOT

if TYPE_CHECKING:
    from paydesk import Paydesk
    from paydesk.testing import Billing, LocalStripe
    from paydesk.testing.server import Server

FOLDER = str(ROOT / "examples" / "newsletter")


class Newsletter(NamedTuple):
    """The example, imported as its own tests import it."""

    app: Any
    desk: Paydesk
    database_url: str


@pytest.fixture(scope="module")
def newsletter() -> Iterator[Newsletter]:
    """Not for longer: whatever is started meanwhile finds these Secrets too."""
    given = Given()
    sys.path.insert(0, FOLDER)
    from newsletter.app import app
    from newsletter.billing import desk, prepare, sessions

    prepare()
    yield Newsletter(app, desk, given.database_url)
    desk.close()
    sessions.kw["bind"].dispose()
    sys.path.remove(FOLDER)
    for name in [name for name in sys.modules if name.partition(".")[0] == "newsletter"]:
        del sys.modules[name]
    given.take_back()


@pytest.fixture
def paydesk_desk(newsletter: Newsletter) -> Paydesk:
    return newsletter.desk


@pytest.fixture
def paydesk_app(newsletter: Newsletter) -> Any:
    return newsletter.app


@pytest.fixture
def paydesk_database(newsletter: Newsletter) -> str:
    return newsletter.database_url


@pytest.fixture
def local_stripe(paydesk_server: Server, request: pytest.FixtureRequest) -> Iterator[LocalStripe]:
    sandbox = paydesk_server.sandbox(request.node.nodeid)
    yield sandbox
    sandbox.forget()


def test_a_reader_joins_moves_up_and_leaves(billing: Billing, page: Page) -> None:
    """Every button is pressed where a reader finds it; only time is moved behind the scenes."""
    with billing.serve() as url:
        page.goto(url)
        page.get_by_label("Your e-mail address").fill("ada@example.com")
        page.get_by_role("button", name="Come in").click()
        page.get_by_role("link", name="On keeping accounts").click()
        expect(page.get_by_text("This letter is for members.")).to_be_visible()

        page.get_by_role("link", name="Become a member").click()
        offer(page, "Member").get_by_role("button").first.click()
        page.wait_for_url("**/c/pay/**")
        pay(page)
        page.wait_for_url(f"{url}/thanks**")
        billing.settle()
        page.goto(f"{url}/letters/2")
        expect(page.get_by_text("The rest is arithmetic.")).to_be_visible()
        expect(page.get_by_label("Write back")).not_to_be_visible()

        page.goto(f"{url}/billing-portal?to=switch")
        page.get_by_label("Patron").check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="change").click()
        expect(page.locator("#pay")).not_to_be_visible()
        billing.settle()
        page.goto(f"{url}/letters/2")
        page.get_by_label("Write back").fill("I have done so since, and sleep better.")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("sleep better")).to_be_visible()

        billing.advance("2 months")
        page.goto(f"{url}/account")
        expect(page.get_by_text("Patron").first).to_be_visible()
        page.goto(f"{url}/billing-portal?to=cancel")
        page.get_by_role("button", name="Cancel plan").click()
        expect(page.locator("#pay")).not_to_be_visible()
        billing.settle()
        page.goto(f"{url}/letters/2")
        expect(page.get_by_label("Write back")).to_be_visible()

        billing.advance("1 month 2 hours")
        page.reload()
        expect(page.get_by_text("This letter is for members.")).to_be_visible()
    assert billing.desk.verify().is_true


def offer(page: Page, name: str) -> Any:
    """A plan on the pricing page."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


def pay(page: Page) -> None:
    """Fill the card in, and press the button."""
    page.get_by_label("Card number").press_sequentially("4242424242424242")
    page.get_by_label("Expiry").press_sequentially("1234")
    page.get_by_label("Security code").press_sequentially("123")
    page.get_by_label("Name on card").fill("Ada Lovelace")
    page.get_by_label("ZIP or postal code").fill("10001")
    page.locator("#pay").click()
