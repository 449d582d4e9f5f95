"""The Django example's whole story in a real browser: two workers of gunicorn, and `manage.py paydesk worker`."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.reading_room import ReadingRoom
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import LocalStripe


@pytest.fixture
def room(local_stripe: LocalStripe, tmp_path: Path) -> Iterator[ReadingRoom]:
    opened = ReadingRoom(ROOT, local_stripe, f"sqlite:///{tmp_path / 'room.db'}", tmp_path / "log")
    opened.migrate()
    opened.serve_by_gunicorn()
    yield opened
    opened.close()


def test_a_reader_buys_reads_on_and_the_owner_sees_it(page: Page, room: ReadingRoom) -> None:
    """Sign in, buy, find the book, subscribe, read the drafts; then the admin, where nothing can be broken."""
    name = f"grace-{secrets.token_hex(4)}"
    page.goto(room.url)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("nothing yet")).to_be_visible()

    page.get_by_role("button", name="Buy The little book of webhooks").click()
    pay(page)
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    until(lambda: room.copies_of(name) == ["yours"], "the book on the shelf")
    page.goto(room.url)
    expect(page.get_by_role("listitem").filter(has_text="ebook")).to_contain_text("yours")

    page.get_by_role("button", name="Reading circle").click()
    pay(page)
    expect(page.get_by_role("heading", name="Welcome!")).to_be_visible()
    page.goto(room.url)
    page.get_by_role("link", name="The drafts").click()
    expect(page.get_by_text("Chapter eleven")).to_be_visible()
    page.goto(f"{room.url}/account")
    expect(page.get_by_text("Reading circle")).to_be_visible()

    room.settle()
    make_owner(room, name)
    page.goto(f"{room.url}/admin/paydesk/order/")
    page.get_by_role("link", name=re.compile("^ord_")).click()
    expect(page.get_by_text("$19.00")).to_be_visible()
    page.goto(f"{room.url}/admin/paydesk/subscription/")
    page.get_by_role("checkbox").last.check()
    page.get_by_label("Action:").select_option(label="Read again from Stripe")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("1 read from Stripe.")).to_be_visible()


def pay(page: Page) -> None:
    """With the first test card that Stripe's page offers."""
    page.wait_for_url("**/c/pay/**")
    page.get_by_label("Card number").press_sequentially("4242424242424242")
    page.get_by_label("Expiry").press_sequentially("1234")
    page.get_by_label("Security code").press_sequentially("123")
    page.get_by_label("Name on card").fill("Grace Hopper")
    page.get_by_label("ZIP or postal code").fill("10001")
    page.locator("#pay").click()


def make_owner(room: ReadingRoom, name: str) -> None:
    """Let somebody into the admin, as whoever runs the room does it."""
    chosen = f"User.objects.filter(username={name!r})"
    say = f"from django.contrib.auth.models import User; {chosen}.update(is_staff=True, is_superuser=True)"
    subprocess.run([sys.executable, "manage.py", "shell", "-c", say], cwd=room.folder, env=room.environment, check=True)
