"""What is Flask's own: its factories and config, its contexts, and what else a Flask app puts before its views."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, current_app, request

from paydesk import ConfigurationError, HandlerRefused, StripeEvent, UnknownFeature, User
from paydesk.flask import Desk
from tests.billing.inbox.deliveries import SECRET, event, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    MakeApp = Callable[..., Flask]

THING = {"id": "unknown", "object": "nothing_we_mirror"}
CATALOG = """
[plans.pro]
name = "Pro"
price = "$29/mo"
[products.ebook]
name = "E-book"
price = "$19"
"""
NOTED = "balance.available"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MakeApp]:
    """Makes apps as a factory does; each has a database of its own."""
    (tmp_path / "paydesk.toml").write_text(CATALOG)
    apps: list[Flask] = []

    def create_app(desk: Desk, name: str = "shop", *, root: Path | None = None, **config: Any) -> Flask:
        app = Flask(name, root_path=str(root or tmp_path))
        app.config.from_mapping(
            STRIPE_SECRET_KEY="sk_test_flask",
            STRIPE_WEBHOOK_SECRET=SECRET,
            BASE_URL="https://shop.example",
            DATABASE_URL=f"sqlite:///{tmp_path / name}.db",
            PAYDESK_CATALOG=tmp_path / "paydesk.toml",
            PAYDESK_WORKER=False,
        )
        app.config.from_mapping(config)
        desk.init_app(app)
        apps.append(app)
        return app

    yield create_app
    for app in apps:
        app.extensions["paydesk"].stop()
        app.extensions["paydesk"].close()


def deliver(app: Flask, kind: str = NOTED) -> int:
    body = event(kind, THING)
    signed = {"Stripe-Signature": sign(body, datetime.now(UTC))}
    return app.test_client().post("/webhooks/stripe", data=body, headers=signed).status_code


def events(app: Flask) -> int:
    store = app.extensions["paydesk"].store
    with store.read() as connection:
        return len(connection.execute(store.tables.events.select()).all())


def test_a_factory_that_is_called_twice_makes_two_apps(made: MakeApp) -> None:
    """One extension, two apps in one process: two databases, and each handler in the context of its own app."""
    desk, noted = Desk(), []

    @desk.on(NOTED)
    def note(_event: StripeEvent) -> None:
        noted.append(current_app.name)

    one, two = made(desk, "one"), made(desk, "two")
    delivered = [deliver(one), deliver(two), deliver(two)]
    for app in (one, two):
        with app.app_context():
            desk.work()

    assert delivered == [200, 200, 200]
    assert (events(one), events(two)) == (1, 2)
    assert noted == ["one", "two", "two"]


def test_the_extensions_verbs_are_the_current_apps(made: MakeApp) -> None:
    """Within a context `desk` is that app's Paydesk; without one, Flask says what is missing."""
    desk = Desk()
    app = made(desk, PAYDESK_PREFIX="/billing", PAYDESK_NAME="The Bookshop")

    with app.app_context():
        assert not desk.allows(User("ada"), "pro")
        assert desk.catalog.products["ebook"].price.amount_minor == 1900
        assert desk.prefix == "/billing"
        assert desk.pages.shop.name == "The Bookshop"
    with pytest.raises(RuntimeError, match="application context"):
        desk.orders(User("ada"))


def test_coroutines_and_handlers_with_db_run_in_the_apps_context_too(made: MakeApp) -> None:
    """Whatever a handler reaches for through current_app is there."""
    desk, noted = Desk(), []

    @desk.on(NOTED)
    async def wait(_event: StripeEvent) -> None:
        noted.append(("waiting", current_app.name))

    @desk.on(NOTED)
    def write(_event: StripeEvent, db: Any) -> None:
        noted.append((type(db).__name__, current_app.name))

    app = made(desk)
    deliver(app)
    with app.app_context():
        desk.work()

    assert sorted(noted) == [("HandlerSession", "shop"), ("waiting", "shop")]


def test_a_handler_may_come_after_the_app_and_not_twice(made: MakeApp) -> None:
    """Modules are imported in any order; one name is one handler."""
    desk, noted = Desk(), []
    app = made(desk)

    @desk.on(NOTED)
    def note(told: StripeEvent) -> None:
        noted.append(told.type)

    deliver(app)
    with app.app_context():
        desk.work()

    assert noted == [NOTED]
    with pytest.raises(HandlerRefused):
        desk.on(NOTED)(note)


def test_config_goes_before_the_environment(made: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the app does not say is read from its Secrets; true, false and numbers are welcome."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_environment")
    monkeypatch.setenv("PAYDESK_LATE_SECONDS", "60")

    settings = made(Desk(), PAYDESK_KEEP_DAYS=40).extensions["paydesk"].settings

    assert settings.stripe_secret_key.get_secret_value() == "sk_test_flask"
    assert (settings.late_seconds, settings.keep_days, settings.is_working) == (60, 40, False)


def test_a_wrong_config_is_refused_whole(made: MakeApp) -> None:
    """Every mistake at once, when the app is made."""
    with pytest.raises(ConfigurationError) as refusal:
        made(Desk(), STRIPE_SECRET_KEY="pk_test_browser", BASE_URL="")

    assert len(refusal.value.mistakes) == 2


def test_a_misspelt_gate_keeps_the_app_from_starting(made: MakeApp) -> None:
    """Whether the view or the app is there first."""
    early, late = Desk(), Desk()
    early.require("prp")
    late_app = made(late, "late")

    with pytest.raises(UnknownFeature):
        made(early, "early")
    with pytest.raises(UnknownFeature):
        late.require("prp")
    assert late_app.extensions["paydesk"].catalog.plans.keys() == {"pro"}


def test_a_gate_keeps_what_a_view_is(made: MakeApp) -> None:
    """Its name, which is its endpoint, and its arguments."""
    desk = Desk(user=lambda: User("ada"))
    app = made(desk)
    desk_of_app = app.extensions["paydesk"]
    desk_of_app.open()
    row = {"id": "sub_1", "user_id": "ada", "plan": "pro", "slot": "main", "status": "active", "seats": 1}
    with desk_of_app.store.write() as connection:
        table = desk_of_app.store.tables.subscriptions
        connection.execute(table.insert().values(**row, livemode=False, created_at=datetime.now(UTC)))

    @app.get("/reports/<int:number>")
    @desk.require("pro")
    def report(number: int) -> dict[str, int]:
        return {"number": number}

    assert app.test_client().get("/reports/7").get_json() == {"number": 7}
    assert app.url_map.bind("").build("report", {"number": 7}) == "/reports/7"


def test_the_user_may_be_named_by_a_decorator(made: MakeApp) -> None:
    """As Flask-Login's loader is; before or after the app."""
    desk = Desk()
    app = made(desk)

    @desk.user
    def whoever() -> User:
        return User("ada")

    assert app.test_client().get("/account").status_code == 200


def test_templates_beside_the_apps_own_go_first(made: MakeApp, tmp_path: Path) -> None:
    """In templates/paydesk, where a Flask developer would put them."""
    folder = tmp_path / "site" / "templates" / "paydesk"
    folder.mkdir(parents=True)
    (folder / "error.html").write_text("Ours: {{ view.title }}")

    app = made(Desk(), root=tmp_path / "site")

    assert app.test_client().get("/account").text == "Ours: Please sign in first"


def test_a_form_that_the_app_has_looked_at_is_still_a_form(made: MakeApp) -> None:
    """Guards against forgery read the form before the view does, and use it up."""
    app = made(Desk())

    @app.before_request
    def guard() -> None:
        request.form.get("csrf_token")

    sent = app.test_client().post("/checkout", data={"sku": "nothing we sell", "quantity": "1"})
    doubled = app.test_client().post("/checkout", data={"sku": ["ebook", "mug"]})

    assert (sent.status_code, "We do not sell that" in sent.text) == (404, True)
    assert doubled.status_code == 400


def test_the_apps_own_limit_is_for_its_own_views(made: MakeApp) -> None:
    """An app that takes little still hears Stripe out, and one that takes much opens no door here."""
    small, large = made(Desk(), "small", MAX_CONTENT_LENGTH=10), made(Desk(), "large", MAX_CONTENT_LENGTH=10**9)

    assert deliver(small) == 200
    sent = large.test_client().post("/checkout", data={"sku": "x" * 20_000}, headers={"Accept": "application/json"})
    assert (sent.status_code, sent.get_json()["error"]["code"]) == (413, "too_large")


def threads(app: Flask) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("paydesk-worker")]


def test_the_worker_begins_with_the_first_request_that_is_served(made: MakeApp) -> None:
    """Not with the app: shells and commands make one too. And it works."""
    desk, told = Desk(), threading.Event()

    @desk.on(NOTED)
    def note(_event: StripeEvent) -> None:
        told.set()

    app = made(desk, PAYDESK_WORKER=True)
    before = threads(app)
    delivered = deliver(app)

    assert (before, delivered) == ([], 200)
    assert told.wait(timeout=10)


@pytest.mark.parametrize("config", [{"TESTING": True, "PAYDESK_WORKER": True}, {"PAYDESK_WORKER": False}])
def test_no_worker_begins_in_tests_or_where_it_is_elsewhere(made: MakeApp, config: dict[str, Any]) -> None:
    """A test says itself when the work is done: desk.work()."""
    app = made(Desk(), **config)

    assert deliver(app) == 200
    assert threads(app) == []


@pytest.mark.parametrize("trouble", ["no tables", "no database"])
def test_a_worker_that_cannot_start_leaves_the_app_alone(
    made: MakeApp, tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    """The shop's other pages go on while the database is away, and the log says what is wrong."""
    if trouble == "no database":
        (tmp_path / "shop.db").write_text("This is a letter to a friend, and nobody's database.\n" * 100)
    app = made(Desk(), PAYDESK_WORKER=True, PAYDESK_MIGRATE=trouble != "no tables")

    @app.get("/")
    def home() -> str:
        return "Welcome"

    answers = [app.test_client().get("/").text for _ in range(2)]

    assert answers == ["Welcome", "Welcome"]
    assert caplog.text.count("The worker did not start") == 1


def test_the_commands_are_at_the_apps_own_desk(made: MakeApp) -> None:
    """`flask paydesk …`: the inbox, the tables and the Secrets of this app; nothing to pass on."""
    app = made(Desk())
    deliver(app)

    def run(*arguments: str) -> Any:
        return app.test_cli_runner().invoke(args=["paydesk", *arguments])

    (kept,) = json.loads(run("events", "list", "--json").stdout)
    migrated, elsewhere = run("migrate"), run("events", "list", "--database-url", "sqlite:///other.db")

    assert (kept["type"], kept["state"]) == (NOTED, "received")
    assert migrated.output == "paydesk's tables are up to date.\n"
    assert (elsewhere.exit_code, "the app's own" in elsewhere.output) == (2, True)
    assert "worker" in run("--help").output


def test_tables_are_made_by_the_command_where_the_app_may_not(made: MakeApp) -> None:
    """With PAYDESK_MIGRATE=0 it is a step of the deployment, and commands say which."""
    app = made(Desk(), PAYDESK_MIGRATE=False)
    runner = app.test_cli_runner()

    early = runner.invoke(args=["paydesk", "events", "list"])
    made_now = runner.invoke(args=["paydesk", "migrate"])

    assert (early.exit_code, "flask paydesk migrate" in early.output) == (1, True)
    assert "are now at revision" in made_now.output
    assert deliver(app) == 200
