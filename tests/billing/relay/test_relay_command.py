"""`paydesk relay`, as its owner types it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.billing.till import WEBHOOK_SECRET
from tests.cli import ENVIRONMENT
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.billing.relay.conftest import App


class Terminal:
    """A shell with the shop's Secrets."""

    def __init__(self, app: App, folder: Path) -> None:
        self._folder = folder
        (folder / "paydesk.toml").write_text('[products.ebook]\nname = "Book"\nprice = "$19"\n', encoding="utf-8")
        self._secrets = {
            **ENVIRONMENT,
            "BASE_URL": "https://shop.example",
            "DATABASE_URL": app.store.engine.url.render_as_string(hide_password=False),
            "STRIPE_SECRET_KEY": "sk_test_relay",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "NATS_URL": app.nats.url,
        }

    def starts(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "paydesk", "relay", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env=self._secrets,
        )

    def runs(self, *options: str) -> tuple[int, str, str]:
        process = self.starts(*options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def terminal(app: App, tmp_path: Path) -> Terminal:
    return Terminal(app, tmp_path)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_sends_what_waits_and_ends_or_goes_on_until_it_is_stopped(app: App, terminal: Terminal) -> None:
    """`--from-now` leaves the past out, `--once` ends, TERM lets it finish."""
    app.names("ord_0")
    left_out = "Left out what has happened so far: 1.\nSent: 0. Waiting: 0.\n"
    assert terminal.runs("--from-now", "--once") == (0, left_out, "")
    app.names("ord_1")
    assert terminal.runs("--once") == (0, "Sent: 1. Waiting: 0.\n", "")

    going = terminal.starts("--stream", "OTHER", "--subject", "shop")
    assert going.stdout is not None
    assert "Relaying facts to the stream OTHER" in going.stdout.readline()
    app.names("ord_2")
    until(lambda: app.is_relayed, "the relay")
    going.send_signal(signal.SIGTERM)
    assert going.wait(20) == 0
    going.communicate()

    assert app.told == ["ord_1"]
    assert [message.subject for message in app.nats.messages("OTHER")] == ["shop.cus_1.order.paid"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_nats_it_says_what_to_look_at(app: App, terminal: Terminal) -> None:
    """One sentence, no traceback, and nothing marked."""
    app.names("ord_1")
    app.nats.kill()

    code, _, said = terminal.runs("--once")

    assert code == 1
    assert "Is NATS running there, with JetStream on?" in said
    assert "Traceback" not in said
    assert not app.is_relayed
