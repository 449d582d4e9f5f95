"""What the library's tests stand on: an empty, migrated database of each kind, and a clock that is moved by hand."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests.billing.shop import Shop
from tests.billing.stand_in import StandIn, stand_in
from tests.billing.till import Till
from tests.billing.wire import Wire, wire_to
from tests.emulator.controls import Controls
from tests.postgres import Databases, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import stripe

    from tests.conftest import LocalStripe


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: Server) -> Iterator[Databases]:
    databases = Databases(postgres_server, _migrate)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with empty tables, to copy."""
    file = tmp_path_factory.mktemp("billing") / "empty.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database; every test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_file'), tmp_path / 'app.db')}"
    else:
        databases: Databases = request.getfixturevalue("postgres_databases")
        with databases.fresh() as url:
            yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def stripe_stand_in() -> Iterator[StandIn]:
    with stand_in() as made:
        yield made


@pytest.fixture
def shop(store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    opened = Shop(store, stripe_stand_in, clock)
    yield opened
    opened.inbox.close()


def _migrate(url: str) -> None:
    store = Store.open(url)
    migrate(store)
    store.close()


@pytest.fixture
def wire(local_stripe: LocalStripe) -> Iterator[Wire]:
    """The connection to the local Stripe, which a test can cut."""
    with wire_to(local_stripe.url) as opened:
        yield opened


@pytest.fixture
def unstocked_till(database_url: str, wire: Wire, key: str, clock: Clock) -> Iterator[Till]:
    """A desk whose catalog has no prices at Stripe yet."""
    till = Till(database_url, wire, key, clock)
    yield till
    till.desk.close()


@pytest.fixture
def till(unstocked_till: Till, client: stripe.StripeClient) -> Till:
    """A desk that can sell."""
    unstocked_till.desk.catalog.push(client)
    return unstocked_till


@pytest.fixture
def second_till(database_url: str, wire: Wire, key: str, clock: Clock) -> Iterator[Till]:
    """A second process of the same app."""
    till = Till(database_url, wire, key, clock)
    yield till
    till.desk.close()


@pytest.fixture
def controls(local_stripe: LocalStripe, key: str) -> Iterator[Controls]:
    """The controls of this test's sandbox."""
    opened = Controls(local_stripe.url, key)
    yield opened
    opened.close()
