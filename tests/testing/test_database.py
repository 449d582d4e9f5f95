"""The database: as it was before the first test, also for whoever has it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from sqlalchemy import select

from paydesk.testing import Misused
from tests.testing.shop import shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.testing import Billing


@pytest.fixture(scope="module")
def apps_own_engine(paydesk_database: str) -> Iterator[sqlalchemy.Engine]:
    """Connections that stay open from test to test, as an app's do."""
    engine = sqlalchemy.create_engine(paydesk_database)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_open_connections_see_the_fresh_database(
    apps_own_engine: sqlalchemy.Engine, billing: Billing, again: int
) -> None:
    """The file is the same; what is in it is put back."""
    with apps_own_engine.connect() as connection:
        assert connection.scalars(select(shelf.c.sku)).all() == []

    billing.buy("ada", "ebook")

    with apps_own_engine.connect() as connection:
        assert connection.scalars(select(shelf.c.sku)).all() == ["ebook"]


def test_a_session_that_was_left_open_is_told_of(
    apps_own_engine: sqlalchemy.Engine, billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the next test's database from being made; the message says what to look for."""
    monkeypatch.setattr("paydesk.testing.database.LOCK_SECONDS", 0.01)
    database = billing.database

    with apps_own_engine.begin() as left_open:
        left_open.execute(shelf.insert().values(sku="left"))
        with pytest.raises(Misused, match="something still has a transaction open"):
            database.renew(billing.desk, "sk_test_shelf0", lambda: None)
