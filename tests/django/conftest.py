"""A Django project for tests: settled once, with another database for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.django import project

project.settle()

from django.test import override_settings

from paydesk.billing.store.store import Store
from paydesk.django.database import url_of
from paydesk.django.orm import DjangoOrm
from tests.billing.conftest import Clock
from tests.billing.shop import Shop
from tests.billing.stand_in import StandIn, stand_in
from tests.django.databases import PostgresDatabases, SqliteFiles, connected_to
from tests.django.deliveries import WEBHOOK_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import LocalStripe
    from tests.postgres import Server


@pytest.fixture(scope="session")
def django_sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("django"))


@pytest.fixture(scope="session")
def django_postgres_databases(postgres_server: Server) -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Django's default database, migrated and empty; every test that asks for it runs once on each kind."""
    kind = "django_sqlite_files" if request.param == "sqlite" else "django_postgres_databases"
    databases: SqliteFiles | PostgresDatabases = request.getfixturevalue(kind)
    with databases.fresh(tmp_path) as fresh, connected_to(fresh):
        yield fresh


@pytest.fixture
def secrets(local_stripe: LocalStripe, key: str) -> Iterator[dict[str, Any]]:
    """PAYDESK in settings.py, wired to an empty sandbox."""
    wired = {
        "STRIPE_SECRET_KEY": key,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": local_stripe.url,
        "BASE_URL": "https://shop.example",
    }
    with override_settings(PAYDESK=wired):
        yield wired


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stripe_stand_in() -> Iterator[StandIn]:
    with stand_in() as made:
        yield made


@pytest.fixture
def shop(database: dict[str, Any], stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """An inbox beside Django's ORM."""
    store = Store.open(url_of("default"), prefix="paydesk_", orm=DjangoOrm("default"))
    opened = Shop(store, stripe_stand_in, clock)
    yield opened
    opened.inbox.close()
    store.close()
