"""The desk: composed whole, opened by itself, and the same for coroutines."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

import paydesk
from paydesk import ConfigurationError, HandlerRefused, OrderPaid, Paydesk, User
from paydesk.billing.catalog import Catalog
from paydesk.billing.settings import Settings
from paydesk.billing.store.migrations import migrate
from paydesk.errors import CatalogError, DatabaseUnavailable
from tests.billing.paying import pay
from tests.billing.till import CATALOG, Till

if TYPE_CHECKING:
    from pathlib import Path

    import stripe

    from tests.conftest import LocalStripe

SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_desk",
    "STRIPE_WEBHOOK_SECRET": "whsec_desk",
    "BASE_URL": "https://shop.example",
}
ADA = User("ada", "ada@example.com")


def desk_in(folder: Path, *, prefix: str = "", **secrets: str) -> Paydesk:
    settings = Settings.read({**SECRETS, "DATABASE_URL": f"sqlite:///{folder / 'app.db'}", **secrets})
    return Paydesk(settings, catalog=Catalog.parse(CATALOG), prefix=prefix)


def tables(desk: Paydesk) -> list[str]:
    with desk.store.read() as connection:
        return inspect(connection).get_table_names()


def test_an_app_needs_its_secrets_and_its_catalog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`Paydesk()` reads both from where an app keeps them."""
    for name, value in {**SECRETS, "DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match="no such file"):
        Paydesk()

    (tmp_path / "paydesk.toml").write_text(CATALOG)
    desk = Paydesk()

    assert list(desk.catalog.products) == ["ebook", "mug"]


def test_c4_a_desk_without_a_webhook_secret_does_not_open(tmp_path: Path) -> None:
    """Never "no secret, so no check"."""
    with pytest.raises(ConfigurationError, match="STRIPE_WEBHOOK_SECRET is missing"):
        desk_in(tmp_path, STRIPE_WEBHOOK_SECRET="")


def test_a_missing_driver_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is an extra, and easily forgotten."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigurationError, match=r"pip install paydesk\[postgres\]"):
        desk_in(tmp_path, DATABASE_URL="postgresql://shop@127.0.0.1/shop")


def test_a_database_that_cannot_be_reached_is_told_in_a_sentence(tmp_path: Path) -> None:
    """With what the database said, and without its password."""
    desk = desk_in(tmp_path, DATABASE_URL="postgresql://shop:hush@127.0.0.1:9/shop")

    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL") as refusal:
        desk.start()

    assert "refused" in str(refusal.value)
    assert "hush" not in str(refusal.value)
    desk.close()


@pytest.mark.parametrize("prefix", ["billing", "https://other.example", "/bill ing", "//other.example"])
def test_a_prefix_is_a_path(tmp_path: Path, prefix: str) -> None:
    """It follows BASE_URL in the address customers come back to, and must not lead them to another host."""
    with pytest.raises(ConfigurationError, match="such as /billing"):
        desk_in(tmp_path, prefix=prefix)


def test_a_shop_may_live_below_a_path(tmp_path: Path) -> None:
    """Behind a proxy that strips it, forms must post below it all the same."""
    desk = desk_in(tmp_path, BASE_URL="https://example.com/shop", prefix="/billing/")

    assert 'action="/shop/billing/checkout"' in desk.pages.pricing(desk.catalog.products.values())


def test_making_a_desk_touches_nothing(tmp_path: Path) -> None:
    """An app is imported by tools and tests: nothing is opened before it is used."""
    desk_in(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_desk_goes_on_with_other_secrets(
    tmp_path: Path, local_stripe: LocalStripe, key: str, client: stripe.StripeClient
) -> None:
    """Tests give an app's one desk a Stripe of its own, and its handlers stay."""
    delivered = []

    def deliver(paid: OrderPaid) -> None:
        delivered.append(paid.order.sku)

    def secrets(name: str, key: str) -> dict[str, str]:
        at = f"sqlite:///{tmp_path / name}.db"
        return {**SECRETS, "STRIPE_SECRET_KEY": key, "STRIPE_API_BASE": local_stripe.url, "DATABASE_URL": at}

    desk = desk_in(tmp_path, **secrets("first", f"{key}first"))
    desk.on(OrderPaid)(deliver)
    desk.catalog.push(local_stripe.client(f"{key}first"))
    before = desk.checkout("ebook", user=ADA)

    desk.rewire(Settings.read(secrets("second", key)))
    desk.catalog.push(client)
    checkout = desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    desk.look_up(client.v1.checkout.sessions.list().data[0].id)
    desk.work()

    assert delivered == ["ebook"]
    assert [order.id for order in desk.orders(ADA)] == [checkout.order.id]
    assert before.order.id != checkout.order.id
    desk.close()


def test_an_empty_database_is_brought_up_to_date_by_itself(tmp_path: Path) -> None:
    """The first verb finds its tables."""
    desk = desk_in(tmp_path)

    assert desk.orders(ADA) == []

    assert {"orders", "events", "attempts"} <= set(tables(desk))
    desk.close()


def test_migrating_can_be_left_to_the_command(tmp_path: Path) -> None:
    """Where changes to the database are somebody's own step, the app makes none, and says if it was forgotten."""
    desk = desk_in(tmp_path, PAYDESK_MIGRATE="0")

    with pytest.raises(ConfigurationError, match="Run `paydesk migrate`"):
        desk.open()

    assert tables(desk) == []
    migrate(desk.store)
    assert desk.orders(ADA) == []
    desk.close()


def test_the_worker_runs_for_as_long_as_the_app(till: Till, client: stripe.StripeClient) -> None:
    """Nobody calls `work` in an app: within its lifespan, what arrives is done."""
    delivered = threading.Event()

    @till.desk.on(OrderPaid)
    def deliver(_paid: OrderPaid) -> None:
        delivered.set()

    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)

    async def live() -> bool:
        async with till.desk.lifespan(None):
            await asyncio.to_thread(till.deliver, client)
            return await asyncio.to_thread(delivered.wait, 10)

    assert asyncio.run(live())


@pytest.mark.parametrize(("setting", "is_working"), [("", True), ("1", True), ("0", False)])
def test_the_work_can_be_left_to_the_command(tmp_path: Path, setting: str, is_working: bool) -> None:
    """Where `paydesk worker` runs beside it, an app need not work as well: it opens, and only receives."""
    desk = desk_in(tmp_path, PAYDESK_WORKER=setting)
    before = set(threading.enumerate())

    async def started() -> set[str]:
        async with desk.lifespan(None):
            return {thread.name for thread in set(threading.enumerate()) - before}

    names = asyncio.run(started())

    assert any(name.startswith("paydesk-worker") for name in names) == is_working
    assert "events" in tables(desk)
    desk.close()


def test_a_coroutine_handler_is_welcome(till: Till) -> None:
    """For what only touches the outside world."""
    told: list[str] = []

    @till.desk.on(OrderPaid)
    async def tell(paid: OrderPaid) -> None:
        await asyncio.sleep(0)
        told.append(paid.order.id)

    checkout = till.desk.checkout("ebook")
    pay(checkout.url)
    till.desk.look_up(till.orders[0]["session_id"])
    till.desk.work()

    assert told == [checkout.order.id]


def test_every_verb_is_there_for_coroutines(till: Till) -> None:
    """The same functions, in a thread; the event loop stays free."""

    async def buy() -> paydesk.Order:
        checkout = await till.desk.aio.checkout("ebook", user=ADA)
        await asyncio.to_thread(pay, checkout.url)
        assert (await till.desk.aio.look_up(till.orders[0]["session_id"])).stage == "paid"
        assert [order.id for order in await till.desk.aio.orders(ADA)] == [checkout.order.id]
        return await till.desk.aio.refund(await till.desk.aio.order(checkout.order.id))

    assert asyncio.run(buy()).status == "refunded"


def test_a_handler_for_nothing_we_know_is_refused(till: Till) -> None:
    """A misspelt fact would wait for ever."""
    with pytest.raises(HandlerRefused, match="neither a fact"):
        till.desk.on("OrderPaid")(print)


def test_stripes_own_client_is_there_for_the_rest(till: Till) -> None:
    """Configured for the same account and address."""
    assert {"paydesk_mug", "paydesk_ebook"} <= {product.id for product in till.desk.stripe.v1.products.list().data}


def test_every_public_name_can_be_imported() -> None:
    """What is promised is there, and nothing else is."""
    for name in paydesk.__all__:
        assert getattr(paydesk, name) is not None
    assert dir(paydesk) == sorted(paydesk.__all__)
    for name in ("Nothing", "orderpaid"):
        assert not hasattr(paydesk, name)


def test_an_apps_type_checker_sees_our_types() -> None:
    """The marker without which everything of ours is Any."""
    assert (files("paydesk") / "py.typed").is_file()


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Commands start at once because nobody waits for a database toolkit they do not use."""
    code = "import paydesk, sys; print(sorted({'stripe', 'sqlalchemy', 'fastapi', 'pydantic'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_the_desk_itself_loads_stripe_only_when_it_calls() -> None:
    """Stripe's client is the slowest thing to import, and a web process starts without it."""
    code = "import paydesk.billing.desk, sys; print('stripe' in sys.modules, 'fastapi' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout == "False False\n"
