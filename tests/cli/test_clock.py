"""`paydesk clock`: a sandbox's time, seen and pushed from a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import Any

import httpx2
import pytest
import stripe

from tests import cli
from tests.conftest import LocalStripe
from tests.emulator.invoicing import customer, drafted

DAY = 24 * 3600


@pytest.fixture
def secrets(local_stripe: LocalStripe, key: str) -> dict[str, str]:
    """The environment of an app beside the local Stripe."""
    return {**cli.ENVIRONMENT, "STRIPE_API_BASE": local_stripe.url, "STRIPE_SECRET_KEY": key}


def run(*arguments: str, secrets: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The command, as an app's developer would call it."""
    return cli.run("clock", *arguments, folder=cli.ROOT, environment=secrets)


def test_a_clock_is_pushed_in_words(client: stripe.StripeClient, secrets: dict[str, str]) -> None:
    """What was due on the way has happened when the command comes back."""
    draft = drafted(client, customer(client), 1500, auto_advance=True)

    ended = run("advance", "1", "day", "2h", secrets=secrets)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r": \d+ things? happened\.\n$", ended.stdout)
    assert client.v1.invoices.retrieve(draft.id).status == "paid"
    assert run("show", secrets=secrets).stdout.splitlines()[0].endswith("1 day 2 hours ahead of the time outside")


def test_programs_get_json(secrets: dict[str, str]) -> None:
    """With the numbers that people get in words."""
    pushed = _json("advance", "10d", "--json", secrets=secrets)
    seen = _json("show", "--json", secrets=secrets)

    assert 10 * DAY <= pushed["now"] - pushed["from"] < 10 * DAY + 60
    assert (pushed["ahead"], pushed["played"]) == (10 * DAY, 0)
    assert (seen["ahead"], seen["next_due"]) == (10 * DAY, None)


def test_a_clock_is_pushed_to_a_moment(secrets: dict[str, str]) -> None:
    """A date is midnight in UTC, where Stripe's days begin."""
    year = time.gmtime().tm_year + 2

    ended = run("advance", "--to", f"{year}-01-01", secrets=secrets)

    assert f"→ {year}-01-01 00:00:" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "changes", "says"),
    [
        (["advance"], {}, "Say how far"),
        (["advance", "1d", "--to", "2040-01-01"], {}, "Say how far"),
        (["advance", "soon"], {}, "1month, 10d, 3h"),
        (["advance", "100y"], {}, "ten years"),
        (["advance", "--to", "2001-01-01"], {}, "to must be between"),
        (["show"], {"STRIPE_API_BASE": "http://127.0.0.1:9"}, "Start one with `paydesk stripe`"),
        (["show", "--url", "nowhere"], {}, "no URL such as"),
        (["show"], {"STRIPE_SECRET_KEY": "pk_test_x"}, "secret key"),
        (["show"], {"STRIPE_SECRET_KEY": "sk_live_x"}, "was not sent"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    secrets: dict[str, str], arguments: list[str], changes: dict[str, str], says: str
) -> None:
    """And what to do instead; never a traceback."""
    ended = run(*arguments, secrets={**secrets, **changes})

    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_stranger_is_told_from_a_local_stripe(secrets: dict[str, str], strangers_url: str) -> None:
    """Whoever listens on that port may be somebody else."""
    ended = run("show", "--url", strangers_url, secrets=secrets)

    assert ended.returncode == 1
    assert "is no local Stripe" in ended.stderr


@pytest.fixture
def strangers_url(receiver: Any) -> str:
    """Something else that speaks HTTP."""
    assert httpx2.get(f"http://127.0.0.1:{receiver.port}/", trust_env=False).status_code != 200
    return f"http://127.0.0.1:{receiver.port}"


def _json(*arguments: str, secrets: dict[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(run(*arguments, secrets=secrets).stdout)
    return shown
