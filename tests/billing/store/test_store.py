"""The store: the same promises on both engines."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from paydesk.billing.store.listen import listening
from paydesk.billing.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import Databases

NOON = datetime(2026, 11, 23, 12, 0, 0, 123, tzinfo=UTC)


def product(number: int, **changes: object) -> dict[str, object]:
    return {
        "id": f"prod_{number}",
        "name": "E-book",
        "active": True,
        "created_at": NOON,
        "object": {"a": [1]},
    } | changes


def test_times_come_back_as_they_went_in_and_sort_as_time(store: Store) -> None:
    """To the microsecond, in UTC, whatever zone they were said in."""
    products = store.tables.products
    moments = [
        NOON,
        NOON + timedelta(microseconds=1),
        NOON.astimezone(timezone(timedelta(hours=5))) + timedelta(days=1),
    ]
    with store.write() as connection:
        for number, moment in enumerate(reversed(moments)):
            connection.execute(products.insert().values(**product(number, created_at=moment)))

    with store.read() as connection:
        found = list(connection.scalars(select(products.c.created_at).order_by(products.c.created_at)))
        later = list(connection.scalars(select(products.c.created_at).where(products.c.created_at > NOON)))

    assert found == moments
    assert all(moment.tzinfo is UTC for moment in found)
    assert len(later) == 2


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    """Nobody can say which moment it means."""
    naive = NOON.replace(tzinfo=None)

    with pytest.raises(Exception, match="without a zone"), store.write() as connection:
        connection.execute(store.tables.products.insert().values(**product(1, created_at=naive)))


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    """All of it or none of it."""
    with pytest.raises(ZeroDivisionError):
        write_and_fail(store)

    with store.read() as connection:
        assert connection.execute(select(store.tables.products)).all() == []


def write_and_fail(store: Store) -> None:
    with store.write() as connection:
        connection.execute(store.tables.products.insert().values(**product(1)))
        raise ZeroDivisionError


def test_only_what_is_new_is_inserted(store: Store) -> None:
    """The answer says how many were, and what was there stays as it is."""
    products = store.tables.products
    with store.write() as connection:
        assert store.insert_new(connection, products, product(1), product(2)) == 2
        assert store.insert_new(connection, products, product(2, name="other"), product(3)) == 1

    with store.read() as connection:
        assert connection.scalar(select(products.c.name).where(products.c.id == "prod_2")) == "E-book"


def test_d6_writers_at_once_wait_for_each_other(store: Store) -> None:
    """Eight threads that each read a number and write it back one higher lose none, and none is refused."""
    products = store.tables.products
    with store.write() as connection:
        connection.execute(products.insert().values(**product(1, name="0")))

    def count(_: int) -> None:
        with store.write() as connection:
            query = store.locked(select(products.c.name).where(products.c.id == "prod_1"))
            now = int(connection.scalar(query) or 0)
            connection.execute(update(products).values(name=str(now + 1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))

    with store.read() as connection:
        assert connection.scalar(select(products.c.name)) == "200"


def test_a_reader_is_not_held_up_by_a_writer(store: Store) -> None:
    """A page is shown while a webhook is being written, and shows what is committed."""
    with store.write() as writing:
        writing.execute(store.tables.products.insert().values(**product(1)))
        with store.read() as reading:
            assert reading.execute(select(store.tables.products)).all() == []


def test_another_process_is_heard(postgres_databases: Databases) -> None:
    """A committed notification wakes whoever listens; one that was rolled back does not."""
    with postgres_databases.fresh() as url:
        store, other = Store.open(url), Store.open(url)
        with listening(store) as heard:
            with pytest.raises(ZeroDivisionError):
                notify_and_fail(other)
            assert not heard(0.2)
            with other.write() as connection:
                other.notify(connection)
            assert heard(10)
        store.close()
        other.close()


def notify_and_fail(store: Store) -> None:
    with store.write() as connection:
        store.notify(connection)
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("url", "reason"),
    [("sqlite://", "in memory"), ("sqlite:///:memory:", "in memory"), ("mysql://u:secretpassword@h/d", "'mysql'")],
)
def test_a_database_we_cannot_keep_money_in_is_refused(url: str, reason: str) -> None:
    """With what to write instead, and without the password."""
    with pytest.raises(ValueError, match=reason) as caught:
        Store.open(url)

    assert "secretpassword" not in str(caught.value)


def test_sqlite_is_set_to_keep_what_it_committed(tmp_path: Path) -> None:
    """A power cut after a commit loses nothing, and readers do not block writers."""
    store = Store.open(f"sqlite:///{tmp_path / 'app.db'}")

    with store.read() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert settings == ["wal", 2, 1]
    store.close()


FORKED = """
import os, sys
from paydesk.billing.store.store import Store

store = Store.open(sys.argv[1])
with store.read() as connection:
    parents = connection.connection.driver_connection
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with store.write() as connection:
    os._exit(int(connection.connection.driver_connection is parents))
"""


def test_a_forked_process_has_connections_of_its_own(database_url: str) -> None:
    """A server that loads the app first and forks then: two processes on one connection would read each other's."""
    forked = subprocess.run([sys.executable, "-c", FORKED, database_url], check=False, timeout=60)

    assert forked.returncode == 0
