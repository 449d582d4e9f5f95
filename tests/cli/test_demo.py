"""`paydesk demo`: what a newcomer sees in their first minute."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Insert

COMMAND = [sys.executable, "-m", "paydesk", "demo"]
A_SUBSCRIBERS_LIFE = [
    "gus subscribes to the Reader",
    "gus goes over to the Reading circle, in the portal",
    "a month goes by, and the card is declined",
    "gus gives another card in the portal, and pays",
    "gus cancels",
    "gus has second thoughts",
    "gus cancels again, for good",
    "another month goes by",
    "the books are compared",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The shop's database: its own default, and an empty PostgreSQL."""
    if request.param == "sqlite":
        yield []
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield ["--database", server.url(name)]
    server.drop(name)


def test_the_whole_story_plays_by_itself(database: list[str]) -> None:
    """Every step sees what it should see, the books agree at the end, and only then is the exit code 0."""
    played = subprocess.run([*COMMAND, "--once", *database], capture_output=True, text=True, timeout=120, check=False)

    assert played.returncode == 0, played.stdout + played.stderr
    shown = re.findall(r"^ *\d+\. (.*)", played.stdout, re.MULTILINE)
    assert played.stdout.count("✓") == len(shown) == 19
    assert shown[10:] == A_SUBSCRIBERS_LIFE
    assert "The database says exactly what it should." in played.stdout


def _an_order(store: Store) -> Insert:
    stamps = dict.fromkeys(("created_at", "updated_at", "paid_at"), datetime.now(UTC))
    money = {"amount_minor": 1900, "currency": "usd", "quantity": 1, "status": "paid"}
    return store.tables.orders.insert().values(id="ord_zed", user_id="zed", sku="ebook", **money, **stamps)


def _an_invoice(store: Store) -> Insert:
    amounts = dict.fromkeys(("total_minor", "amount_due_minor", "amount_paid_minor"), 900)
    rest = {"currency": "usd", "status": "paid", "amount_remaining_minor": 0, "attempt_count": 1}
    return store.tables.invoices.insert().values(id="in_zed", created_at=datetime.now(UTC), **amounts, **rest)


@pytest.mark.parametrize(
    ("one_more", "said"),
    [
        (_an_order, "the ledger says {'paid': 3, 'pending': 3, 'refunded': 1}"),
        (_an_invoice, "of in_zed the shop says ('paid', 900), Stripe says None"),
    ],
    ids=["order", "invoice"],
)
def test_books_that_do_not_agree_are_no_success(one_more: Callable[[Store], Insert], said: str, tmp_path: Path) -> None:
    """One more than the story made, in the database alone: it says which, and does not exit with 0."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    store = Store.open(url)
    migrate(store)
    with store.write() as connection:
        connection.execute(one_more(store))
    store.close()

    played = subprocess.run(
        [*COMMAND, "--once", "--database", url], capture_output=True, text=True, timeout=120, check=False
    )

    assert played.returncode == 1
    assert said in played.stderr
    assert "exactly what it should" not in played.stdout


def test_the_shop_can_be_read_in_one_sitting() -> None:
    """It is the example of what an app writes."""
    app = (ROOT / "examples" / "flarex_shop" / "app.py").read_text(encoding="utf-8")

    assert len(app.splitlines()) < 120


def test_the_demo_shows_a_first_paid_customer_and_then_invites() -> None:
    """Addresses, cards to try, each event as it lands; Ctrl-C ends it and leaves nothing running."""
    demo = subprocess.Popen(
        [*COMMAND, "--shop-port", "0", "--stripe-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "Ctrl-C closes the shop" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    rest, events = demo.communicate(timeout=30)

    shown = "".join(seen)
    assert "ada buys the e-book with a card that works: order paid" in shown
    assert "4000 0027 6000 3184" in shown
    assert "checkout.session.completed → 200" in events
    assert "nothing was kept" in rest
    assert demo.returncode == 0
