"""Other databases: the app's own test database, wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from tests.testing.shop import shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.testing import Billing
    from tests.postgres import Server
    from tests.testing.shop import Shop


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[str]:
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def paydesk_database(database: str) -> str:
    """A real PostgreSQL."""
    return database


@pytest.fixture
def paydesk_tables(paydesk_database: str) -> None:
    """The app's own tables are the app's to make, and to empty."""
    engine = sqlalchemy.create_engine(paydesk_database.replace("postgresql://", "postgresql+psycopg://"))
    shelf.metadata.drop_all(engine)
    shelf.metadata.create_all(engine)
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_finds_paydesks_tables_empty(billing: Billing, shop: Shop, again: int) -> None:
    """On PostgreSQL, too; the catalog is known all the same."""
    assert billing.facts == []
    assert billing.desk.verify().is_true

    billing.buy("ada", "ebook")
    billing.subscribe("ada", "pro")

    assert shop.shelf() == ["ebook"]
    assert billing.desk.store.is_postgresql
    assert billing.desk.verify().is_true
