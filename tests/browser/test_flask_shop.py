"""Postcards, the Flask app of examples/, in a real browser: as its README starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.docs.test_readme import environment, free_port, is_open
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "examples" / "flask_shop"


@pytest.fixture
def postcards(tmp_path: Path) -> Iterator[str]:
    """The app and a local Stripe, wired by `paydesk dev`; answers its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--url", url, "--stripe-port", "0", "--data", str(tmp_path / "stripe")]
    served = [sys.executable, "-m", "flask", "--app", "postcards", "run", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        dev = subprocess.Popen(
            [sys.executable, "-m", "paydesk", "dev", *options, "--", *served],
            cwd=SHOP,
            env=environment() | {"DATABASE_URL": f"sqlite:///{tmp_path / 'postcards.db'}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: is_open(url) or dev.poll() is not None, "the shop to open", patience_seconds=90)
        assert dev.poll() is None, (tmp_path / "log").read_text()
        yield url
    finally:
        dev.send_signal(signal.SIGTERM)
        dev.wait(timeout=30)
    assert "Traceback" not in (tmp_path / "log").read_text()


def pay(page: Page) -> None:
    """With the test card that succeeds."""
    page.wait_for_url("**/c/pay/**")
    page.get_by_role("button", name="Succeeds").click()
    page.locator("#pay").click()


def shows(page: Page, url: str, text: str) -> bool:
    """Whether it stands there by now: handlers run a moment after the thanks."""
    page.goto(url)
    return page.get_by_text(text).count() == 1


def picture(page: Page, name: str) -> None:
    """For whoever wants to see what the browser saw: TEST_PICTURES names a folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_from_the_first_stamp_to_the_album_and_out_again(page: Page, postcards: str) -> None:
    """Stamps bought and used, a plan begun, the gate open, the plan cancelled: the whole life of a customer."""
    page.goto(postcards)
    picture(page, "door")
    page.get_by_label("Your name").fill("grace")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("no stamps")).to_be_visible()
    picture(page, "empty")

    page.get_by_role("link", name="Get stamps").click()
    picture(page, "pricing")
    page.get_by_role("listitem").filter(has_text="Ten stamps").get_by_role("button", name="Buy now").click()
    pay(page)
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    until(lambda: shows(page, postcards, "10 stamps"), "the stamps")

    page.get_by_label("What you want to say").fill("The sea is calm tonight.")
    page.get_by_label("To", exact=True).fill("Ada Lovelace, London")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("status")).to_have_text("Your card to Ada Lovelace, London is on its way.")
    expect(page.get_by_text("9 stamps")).to_be_visible()
    picture(page, "sent")

    page.get_by_role("link", name="Album").click()
    page.wait_for_url("**/pricing")  # the gate shows what there is to buy
    page.get_by_role("listitem").filter(has_text="Penfriend").get_by_role("button").click()
    pay(page)
    expect(page.get_by_role("heading", name="Welcome!")).to_be_visible()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_text("It renews on")).to_be_visible()
    picture(page, "account")

    until(lambda: shows(page, f"{postcards}/album", "Dear grace, it is good to have you with us."), "the welcome")
    expect(page.get_by_text("The sea is calm tonight.")).to_be_visible()
    picture(page, "album")

    page.goto(f"{postcards}/account")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel").first.click()
    until(lambda: shows(page, f"{postcards}/account", "Ends soon"), "the cancellation to be known")


def test_a_card_is_written_on_a_phone(phone: Page, postcards: str) -> None:
    """No page is wider than the screen."""
    phone.goto(postcards)
    phone.get_by_role("button", name="Come in").tap()
    phone.get_by_role("link", name="Get stamps").tap()
    phone.get_by_role("listitem").filter(has_text="Ten stamps").get_by_role("button", name="Buy now").tap()
    phone.wait_for_url("**/c/pay/**")
    phone.get_by_role("button", name="Succeeds").tap()
    phone.locator("#pay").tap()
    expect(phone.get_by_role("heading", name="Thank you!")).to_be_visible()
    until(lambda: shows(phone, postcards, "10 stamps"), "the stamps")
    phone.get_by_label("What you want to say").fill("From a train.")
    phone.get_by_label("To", exact=True).fill("Ada")
    picture(phone, "phone")

    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Send it").tap()
    expect(phone.get_by_role("status")).to_be_visible()
