"""A real browser, and a shop's thanks page for it to land on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.emulator.receiver import Receiver

CHROMIUM = os.environ.get("TEST_CHROMIUM", "/usr/bin/chromium-headless-shell")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window. One for all tests; each test has a profile of its own.

    Not for longer: Playwright keeps an event loop running in this thread, and other tests begin one of theirs.
    """
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab at a desk."""
    yield from tab(browser, viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A tab on a phone."""
    yield from tab(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A tab that runs no script."""
    yield from tab(browser, java_script_enabled=False)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on loopback."""
    receiver = Receiver()
    yield receiver
    receiver.close()


def tab(browser: Browser, **settings: Any) -> Iterator[Page]:
    """A tab in a profile of its own; whatever a page asks of another host than this machine fails the test."""
    context = browser.new_context(**settings)
    strangers: list[str] = []
    context.on(
        "request",
        lambda request: (
            None if request.url.startswith(("http://127.0.0.1:", "data:")) else strangers.append(request.url)
        ),
    )
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    yield opened
    context.close()
    assert strangers == []


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The address of a shop that says where the customer landed."""

    class Landing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>The shop</title><h1>The shop</h1>")

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Landing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
