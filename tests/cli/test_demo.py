"""`paydesk demo`: what a newcomer sees in their first minute."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "paydesk", "demo"]


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
    assert played.stdout.count("✓") == 10
    assert "The database says exactly what it should." in played.stdout


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
