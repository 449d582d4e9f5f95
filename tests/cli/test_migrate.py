"""`paydesk migrate`: the tables, as a step of somebody's deployment."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from paydesk.billing.store.store import Store
from tests.cli import ENVIRONMENT, ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database's URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'app.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def migrate(**settings: str) -> subprocess.CompletedProcess[str]:
    return run("migrate", folder=ROOT, environment=ENVIRONMENT | settings)


def tables(url: str) -> set[str]:
    store = Store.open(url)
    with store.read() as connection:
        found = set(inspect(connection).get_table_names())
    store.close()
    return found


def test_an_empty_database_gets_its_tables_once(empty: str) -> None:
    """It says what it did, and done again it says that there was nothing to do."""
    command, environment = [sys.executable, "-m", "paydesk", "migrate"], ENVIRONMENT | {"DATABASE_URL": empty}
    first = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    second = migrate(DATABASE_URL=empty)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "are now at revision" in first.stdout
    assert "are up to date" in second.stdout
    assert {"orders", "events", "attempts"} <= tables(empty)


def test_tables_are_called_as_the_app_calls_them(empty: str) -> None:
    """The same Secrets as the app's: in a database that others share, ours carry a prefix."""
    done = migrate(DATABASE_URL=empty, PAYDESK_TABLE_PREFIX="pay_")

    assert done.returncode == 0, done.stderr
    assert {"pay_orders", "pay_events"} <= tables(empty)
    assert "orders" not in tables(empty)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://shop:hush@db/shop", "SQLite (sqlite:///app.db) or PostgreSQL"),
        ("postgresql://shop:hush@127.0.0.1:9/shop", "The database does not answer"),
        ("sqlite:////nowhere/at/all/app.db", "The database does not answer"),
    ],
)
def test_what_cannot_work_is_said_plainly(url: str, says: str) -> None:
    """In a sentence, and without the password."""
    refused = migrate(DATABASE_URL=url)

    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hush" not in refused.stderr
