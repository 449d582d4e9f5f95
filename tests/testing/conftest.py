"""The plugin under test, used as an app's own tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from tests.testing.shop import Shop
from tests.testing.shop import shelf as shelf_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from paydesk import Paydesk
    from paydesk.testing import LocalStripe
    from paydesk.testing.server import Server


@pytest.fixture
def local_stripe(paydesk_server: Server, request: pytest.FixtureRequest) -> Iterator[LocalStripe]:
    """The plugin's own; everywhere else in this suite a fixture of that name is a process."""
    sandbox = paydesk_server.sandbox(request.node.nodeid)
    yield sandbox
    sandbox.forget()


@pytest.fixture(scope="session")
def the_shop() -> Shop:
    return Shop()


@pytest.fixture
def shop(the_shop: Shop) -> Shop:
    """The app, with nothing in its outside world."""
    the_shop.mails.clear()
    the_shop.breaks = None
    return the_shop


@pytest.fixture(scope="session")
def paydesk_desk(the_shop: Shop) -> Paydesk:
    return the_shop.desk


@pytest.fixture(scope="session")
def paydesk_app(the_shop: Shop) -> FastAPI:
    return the_shop.app


@pytest.fixture(scope="session")
def paydesk_tables(paydesk_database: str) -> None:
    """The app's own tables."""
    engine = sqlalchemy.create_engine(paydesk_database)
    shelf_table.metadata.create_all(engine)
    engine.dispose()
