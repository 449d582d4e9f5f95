"""Migrations: any start of any process leaves the tables this version needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, inspect, select, text

import paydesk.billing.store.migrations as migrations
from paydesk.billing.store.migrations import HEAD, migrate, version_table
from paydesk.billing.store.store import Store
from tests.postgres import Server, launch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with launch() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        server: Server = request.getfixturevalue("server")
        name = server.create()
        yield server.url(name)
        server.drop(name)


@pytest.mark.parametrize("prefix", ["", "pay_"])
def test_a_migrated_database_is_exactly_what_the_tables_say(empty_url: str, prefix: str) -> None:
    """An app that includes our metadata in its own history sees no difference to what we created."""
    assert_migrates_to_the_tables(empty_url, prefix, None)


@pytest.mark.parametrize("prefix", ["", "pay_"])
def test_the_tables_may_live_in_a_schema_of_their_own(server: Server, prefix: str) -> None:
    """On PostgreSQL an app can keep our tables apart from its own, in a schema that we create."""
    name = server.create()
    assert_migrates_to_the_tables(server.url(name), prefix, "billing")
    server.drop(name)


def assert_migrates_to_the_tables(url: str, prefix: str, schema: str | None) -> None:
    store = Store.open(url, prefix=prefix, schema=schema)

    assert migrate(store) == HEAD

    ours = {table.name for table in store.tables.metadata.tables.values()} | {version_table(store)}
    with store.write() as connection:
        assert set(inspect(connection).get_table_names(schema=schema)) == ours
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": schema is not None,
                "include_name": lambda name, kind, _: kind != "schema" or name == schema,
                "version_table": version_table(store),
                "version_table_schema": schema,
            },
        )
        assert compare_metadata(context, store.tables.metadata) == []
    store.close()


def test_a_database_of_the_first_version_keeps_its_rows(empty_url: str) -> None:
    """Whoever sold something before there were subscriptions has everything afterwards, and finds it filled in."""
    store = Store.open(empty_url)
    migrate(store, "0001")
    now = datetime(2026, 11, 23, tzinfo=UTC)
    monthly = {"id": "price_1", "recurring": {"interval": "month", "interval_count": 3}}
    once = {"id": "price_2", "recurring": None}
    named = {"active": True, "currency": "usd", "product_id": "prod_1", "created_at": now}
    with store.write() as connection:
        of_then = (Column(name, store.tables.prices.c[name].type) for name in (*named, "id", "type", "object"))
        prices = Table("prices", MetaData(), *of_then)
        for whole in (monthly, once):
            connection.execute(prices.insert().values(**named, id=whole["id"], type="recurring", object=whole))
        order = {"id": "ord_1", "sku": "ebook", "quantity": 1, "amount_minor": 1900, "currency": "usd"}
        connection.execute(store.tables.orders.insert().values(**order, status="paid", created_at=now, updated_at=now))

    assert migrate(store) == HEAD

    with store.read() as connection:
        table = store.tables.prices
        assert [*connection.execute(select(table.c.id, table.c.billed_every).order_by(table.c.id))] == [
            ("price_1", "3 months"),
            ("price_2", None),
        ]
        assert connection.scalar(select(store.tables.orders.c.status)) == "paid"
    store.close()


def test_migrating_again_does_nothing(empty_url: str) -> None:
    """Every start may migrate: a second one finds nothing to do."""
    store = Store.open(empty_url)
    migrate(store)

    assert migrate(store) is None
    store.close()


def test_a_database_that_is_ahead_of_us_is_left_as_it_is(empty_url: str) -> None:
    """While a new version is rolled out, a process of the old one may start again."""
    store = Store.open(empty_url)
    migrate(store)
    with store.write() as connection:
        connection.execute(text("UPDATE paydesk_alembic_version SET version_num = '9999'"))

    assert migrate(store) is None
    store.close()


def test_processes_that_start_together_take_turns(empty_url: str) -> None:
    """Eight workers started at once on an empty database all come up."""
    stores = [Store.open(empty_url) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(migrate, stores))

    assert sorted(outcomes, key=str) == [HEAD, *[None] * 7]
    for store in stores:
        store.close()


def test_a_new_sqlite_file_takes_many_first_connections_at_once(tmp_path: Path) -> None:
    """Switching a file to its write-ahead log is the one lock SQLite does not wait for by itself."""
    together = Barrier(8)

    def start(store: Store) -> None:
        together.wait()
        with store.write():
            pass
        store.close()

    for attempt in range(20):
        stores = [Store.open(f"sqlite:///{tmp_path}/{attempt}.db") for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, stores))


def test_the_newest_step_is_the_one_we_ask_for() -> None:
    """A migration file somebody adds is also the one that starts run to."""
    directory = ScriptDirectory(Path(migrations.__file__).parent)

    assert directory.get_heads() == [HEAD]
