"""What every test may ask for: a running local Stripe, and a sandbox of its own in it."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests import postgres
from tests.flarex import Flarex
from tests.schema import CheckedClient

ROOT = Path(__file__).parent.parent


class LocalStripe:
    """A local Stripe in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.process = subprocess.Popen(
            [sys.executable, "-m", "paydesk", "stripe", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        # The first line says where it listens.
        first = self.process.stdout.readline()
        assert "http://" in first, f"the local Stripe did not start: {first!r}"
        self.url = "http://" + first.partition("http://")[2].split()[0]

    def client(self, key: str) -> stripe.StripeClient:
        """The official client; every answer it gets is checked against Stripe's schema."""
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, max_network_retries=0, http_client=CheckedClient()
        )

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self._end()

    def stop(self) -> None:
        """As a person would."""
        self.process.terminate()
        self._end()

    def _end(self) -> None:
        self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def local_stripe() -> Iterator[LocalStripe]:
    """One server for all tests of a process; tests keep apart by their keys."""
    server = LocalStripe("--memory")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A real PostgreSQL, started when the first test asks for it."""
    with postgres.launch() as server:
        yield server


@pytest.fixture
def key() -> str:
    """A secret key nobody used before: it opens an empty sandbox."""
    return f"sk_test_{secrets.token_hex(12)}"


@pytest.fixture
def client(local_stripe: LocalStripe, key: str) -> stripe.StripeClient:
    """Stripe's official client on an empty sandbox."""
    return local_stripe.client(key)


@pytest.fixture(scope="session")
def flarex_on_sqlite(local_stripe: LocalStripe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flarex]:
    """The FlareX shop on its own default database."""
    folder = tmp_path_factory.mktemp("flarex")
    yield from open_shop(local_stripe, f"sqlite:///{folder / 'shop.db'}", folder / "log")


@pytest.fixture(scope="session")
def flarex_on_postgresql(
    local_stripe: LocalStripe, postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flarex]:
    """The FlareX shop on an empty PostgreSQL database."""
    name = postgres_server.create()
    yield from open_shop(local_stripe, postgres_server.url(name), tmp_path_factory.mktemp("flarex") / "log")
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def flarex(request: pytest.FixtureRequest) -> Iterator[Flarex]:
    """The open shop of this process's tests, once on each database; they keep apart by their visitors' names."""
    opened: Flarex = request.getfixturevalue(f"flarex_on_{request.param}")
    yield opened
    opened.everybody_leaves()
    opened.controls.delete("/faults")


def open_shop(stripe: LocalStripe, database_url: str, log: Path) -> Iterator[Flarex]:
    """A shop in a sandbox of its own."""
    opened = Flarex(ROOT, stripe, f"sk_test_{secrets.token_hex(12)}", database_url, log)
    opened.start()
    yield opened
    opened.close()
