"""The admin page in a real browser: by keyboard, on a phone, without a script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.billing.web.admin.admin import PATH, ROOMS
from tests.billing.till import CATALOG
from tests.billing.web.conftest import Site, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Site]:
    """A served app whose admin page is Ada's, with something in every room; no worker takes it away."""
    listener = listening()
    secrets = {
        "STRIPE_SECRET_KEY": "sk_test_office",
        "STRIPE_WEBHOOK_SECRET": "whsec_office",
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'office.db'}",
        "PAYDESK_WORKER": "0",
    }
    desk = Paydesk(Settings.read(secrets), catalog=Catalog.parse(CATALOG), name="The Bookshop")
    desk.admin(allow=lambda user: user.id == "ada")
    desk.open()
    fill(desk)
    opened = Site(desk, listener)
    yield opened
    opened.close()


def fill(desk: Paydesk) -> None:
    """Long names and long lists, as they come."""
    now, tables = datetime.now(UTC), desk.store.tables
    long = "a-user-whose-identifier-is-as-long-as-an-address-can-be@subdomain.example.com"
    trace = f"Traceback (most recent call last):\n  File {'/very/long' * 20!r}\nConnectionRefusedError: {long}"
    with desk.store.write() as connection:
        for number in range(60):
            moment = now - timedelta(hours=number)
            event = {"id": f"evt_1QAbcDefGhIjKlMnOpQr{number}", "type": "customer.subscription.trial_will_end"}
            about = {"lane": f"cus_AbcDefGhIjKlMn{number}", "object_id": f"sub_1QAbcDefGhIjKlMnOpQr{number}"}
            kept = {"livemode": False, "created": 0, "payload": "{}", "received_at": moment, "next_at": moment}
            state = {"state": "dead" if number == 3 else "received", "last_error": trace if number == 3 else None}
            connection.execute(tables.events.insert().values(**event, **about, **kept, **state))
            order = {"id": f"ord_{number:024}", "user_id": long, "sku": "ebook", "quantity": 3, "livemode": False}
            costs = {"amount_minor": 123456789, "currency": "usd", "status": "paid"}
            connection.execute(tables.orders.insert().values(**order, **costs, created_at=moment, updated_at=moment))
            begun = {"id": f"sub_{number}", "user_id": long, "slot": "main", "status": "past_due", "seats": 12}
            price = {"amount_minor": 29000, "currency": "usd", "billed_every": "3 months", "livemode": False}
            connection.execute(tables.subscriptions.insert().values(**begun, **price, created_at=moment))
        effect = {"source": f"fact:order.paid:ord_{0:024}", "handler": "shop.main.deliver", "state": "dead"}
        failed = {"attempts": 20, "next_at": now, "created_at": now, "last_error": trace}
        connection.execute(tables.effects.insert().values(**effect, **failed))


def enter(tab: Page, office: Site) -> None:
    tab.context.add_cookies([{"name": "user", "value": "ada", "url": office.url}])


def test_every_room_fits_on_a_phone(office: Site, phone: Page) -> None:
    """Nothing is wider than the screen, whatever stands in it."""
    enter(phone, office)
    places = [*(room.path for room in ROOMS if room.label), "/event?id=evt_1QAbcDefGhIjKlMnOpQr3", "/effect?id=1"]
    wide = []
    for place in places:
        phone.goto(f"{office.url}{PATH}{place}")
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(place)

    assert wide == []


def test_a_dead_letter_is_run_again_by_keyboard_and_without_a_script(office: Site, plain_page: Page) -> None:
    """From the number that is red to the button, and back to a sentence that says what comes of it."""
    enter(plain_page, office)
    plain_page.goto(f"{office.url}{PATH}")
    for name in ("Dead", "1"):
        plain_page.locator("main a", has_text=name).last.focus()
        plain_page.keyboard.press("Enter")
    assert "ConnectionRefusedError" in plain_page.locator("pre").inner_text()
    plain_page.get_by_role("button", name="Run it again now").focus()
    plain_page.keyboard.press("Enter")

    assert plain_page.get_by_role("status").inner_text() == "It will be tried again at once."
    assert plain_page.locator("h1 + .state").inner_text() == "waiting"
