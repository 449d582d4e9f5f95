"""A shop in every framework that has an adapter, each test anew."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from tests.billing.inbox.deliveries import SECRET
from tests.billing.till import CATALOG
from tests.contracts.adapters import ADAPTERS
from tests.contracts.web.app import BASE_URL, Shop, Wiring
from tests.postgres import Databases, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import stripe

    from tests.conftest import LocalStripe
    from tests.contracts.web.app import Adapter

    OpenShop = Callable[..., AbstractContextManager[Shop]]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with empty tables, to copy."""
    file = tmp_path_factory.mktemp("contracts") / "empty.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_databases(postgres_server: Server) -> Iterator[Databases]:
    databases = Databases(postgres_server, _migrate)
    yield databases
    databases.close()


@pytest.fixture(params=ADAPTERS, ids=[adapter.name for adapter in ADAPTERS])
def open_shop(
    request: pytest.FixtureRequest, local_stripe: LocalStripe, client: stripe.StripeClient, key: str, tmp_path: Path
) -> OpenShop:
    """Opens a shop with other Secrets or options than all others have."""
    adapter: Adapter = request.param

    @contextmanager
    def opened(secrets: dict[str, str] | None = None, **options: Any) -> Iterator[Shop]:
        with ExitStack() as closing:
            if adapter.database == "sqlite":
                file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "shop.db")
                url = f"sqlite:///{file}"
            else:
                databases: Databases = request.getfixturevalue("migrated_databases")
                url = closing.enter_context(databases.fresh())
            wiring = Wiring(
                {
                    "STRIPE_SECRET_KEY": key,
                    "STRIPE_WEBHOOK_SECRET": SECRET,
                    "STRIPE_API_BASE": local_stripe.url,
                    "BASE_URL": BASE_URL,
                    "DATABASE_URL": url,
                    "PAYDESK_WORKER": "0",
                    **(secrets or {}),
                },
                Catalog.parse(CATALOG),
                {"name": "The Bookshop", **options},
            )
            yield Shop(closing.enter_context(adapter.opened(wiring)), client)

    return opened


@pytest.fixture
def shop(open_shop: OpenShop) -> Iterator[Shop]:
    """A shop whose catalog Stripe does not know: enough where nothing is sold."""
    with open_shop() as opened:
        yield opened


@pytest.fixture
def selling(shop: Shop, client: stripe.StripeClient) -> Shop:
    """A shop that can sell."""
    shop.desk.catalog.push(client)
    return shop


def _migrate(url: str) -> None:
    store = Store.open(url)
    migrate(store)
    store.close()
