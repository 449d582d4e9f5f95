"""The pytest plugin: its options, and the fixtures `local_stripe` and `billing`.

Pytest loads this file in every run, also where nobody tests billing, so it imports nothing that takes time.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.testing.beginning import BEGINS_AT, moment
from paydesk.testing.secrets import Given, new_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk import Paydesk
    from paydesk.testing import Billing, LocalStripe
    from paydesk.testing.database import Database
    from paydesk.testing.server import Server

_GIVEN = pytest.StashKey[Given]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What an app says about itself, once."""
    parser.addini("paydesk_desk", "Where the app's Paydesk is: myapp.billing:desk", default="")
    parser.addini("paydesk_app", "Where the ASGI or WSGI app is: myapp.main:app, or myapp:create_app()", default="")
    parser.addini("paydesk_now", "When each test begins, for Stripe and the desk", default=BEGINS_AT)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the app is imported: whatever it finds in the environment is not its real Secrets."""
    _give_secrets(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """The same, where a conftest.py names this plugin."""
    _give_secrets(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the environment as it was."""
    given = config.stash.get(_GIVEN, None)
    if given is not None:
        given.take_back()
        del config.stash[_GIVEN]


def _give_secrets(config: pytest.Config) -> None:
    is_told = config.getini("paydesk_desk") or config.getini("paydesk_app")
    if is_told and _GIVEN not in config.stash:
        config.stash[_GIVEN] = Given()


@pytest.fixture(scope="session")
def paydesk_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The local Stripe that all tests of this process share."""
    from paydesk.testing.server import Server

    told = pytestconfig.getini("paydesk_now")
    try:
        begins_at = moment(told)
    except ValueError:
        raise pytest.UsageError(f"paydesk_now = {told!r} is no moment. Write it like {BEGINS_AT}") from None
    server = Server(begins_at)
    yield server
    server.close()


@pytest.fixture
def local_stripe(paydesk_server: Server, request: pytest.FixtureRequest) -> Iterator[LocalStripe]:
    """A Stripe of the test's own, empty: `url` and `key` for any SDK, `client` for Python's."""
    sandbox = paydesk_server.sandbox(request.node.nodeid)
    yield sandbox
    sandbox.forget()


@pytest.fixture(scope="session")
def paydesk_desk(pytestconfig: pytest.Config, paydesk_app: Any) -> Paydesk:
    """The app's desk: what the option `paydesk_desk` names, or that of a Flask app.

    Override this fixture where each test has an app of its own.
    """
    from paydesk.testing.apps import desk_of, named

    name = pytestconfig.getini("paydesk_desk")
    return desk_of(named(name, "paydesk_desk") if name else None, paydesk_app)


@pytest.fixture(scope="session")
def paydesk_app(pytestconfig: pytest.Config) -> Any:
    """The app: what the option `paydesk_app` names, or None. Webhooks go through it, as in production."""
    from paydesk.testing.apps import named

    name = pytestconfig.getini("paydesk_app")
    return named(name, "paydesk_app") if name else None


@pytest.fixture(scope="session")
def paydesk_database(pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of the database the tests use: a SQLite file that nothing else does.

    Override it with the app's own test database. On SQLite it is put back after each test as it stood before the first;
    elsewhere paydesk's tables are emptied, and the app's are yours to see to.
    """
    given = pytestconfig.stash.get(_GIVEN, None)
    if given is not None:
        yield given.database_url
        return
    folder = new_folder()
    yield f"sqlite:///{folder / 'app.db'}"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def paydesk_tables() -> None:
    """Override it to make the app's own tables, once, before the first test."""


@pytest.fixture(scope="session")
def _paydesk_databases() -> Iterator[dict[str, Database]]:
    """The databases of a run, by their addresses: modules may have different ones."""
    databases: dict[str, Database] = {}
    yield databases
    for database in databases.values():
        database.close()


@pytest.fixture(scope="session")
def _paydesk_loop() -> Iterator[Any]:
    from paydesk.testing.asgi import Loop

    loop = Loop("app-under-test")
    yield loop
    loop.close()


@pytest.fixture
def billing(
    local_stripe: LocalStripe,
    paydesk_tables: None,
    paydesk_desk: Paydesk,
    paydesk_app: Any,
    paydesk_database: str,
    _paydesk_databases: dict[str, Database],
    _paydesk_loop: Any,
    request: pytest.FixtureRequest,
) -> Iterator[Billing]:
    """The app's desk, wired to a Stripe, a database and a time of the test's own, with its catalog on sale."""
    from paydesk.testing.apps import App
    from paydesk.testing.billing import Billing
    from paydesk.testing.database import Database

    database = _paydesk_databases.setdefault(paydesk_database, Database(paydesk_database))
    app = None if paydesk_app is None else App(paydesk_app, _paydesk_loop)
    billing = Billing(paydesk_desk, local_stripe, database, app, seed=request.node.nodeid)
    yield billing
    billing.close()
