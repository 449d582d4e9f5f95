"""The plugin in a real pytest run of a small app's tests: what passes, what is told, and what it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import paydesk
from tests.inner_runs import LOADED

assert LOADED
SOURCE = Path(paydesk.__file__).parents[1]
PLUGIN = ("-p", "paydesk.testing.plugin", "-p", "no:cacheprovider")
SHOP = """
from fastapi import FastAPI, Request
from paydesk import OrderPaid, Paydesk, User

desk = Paydesk()
delivered = []

async def current_user(request: Request):
    return User("ada", "ada@example.com")

app = FastAPI(lifespan=desk.lifespan)
app.include_router(desk.router(user=current_user))

@desk.on(OrderPaid)
def deliver(paid):
    if paid.order.sku == "brick":
        raise ValueError("too heavy to deliver")
    delivered.append(paid.order.sku)
"""
CATALOG = """
[products.ebook]
name = "Ebook"
price = "$19"

[products.brick]
name = "Brick"
price = "$1"

[plans.pro]
name = "Pro"
price = "$29/mo"
"""
OPTIONS = """
[pytest]
paydesk_desk = shop:desk
paydesk_app = shop:app
pythonpath = .
filterwarnings = error
"""


@pytest.fixture
def app(pytester: pytest.Pytester) -> pytest.Pytester:
    """An app as its author has it: a module, a catalog, and two lines for pytest."""
    pytester.makepyfile(shop=SHOP)
    pytester.path.joinpath("paydesk.toml").write_text(CATALOG)
    pytester.makeini(OPTIONS)
    return pytester


def test_two_lines_are_all_an_app_has_to_say(app: pytest.Pytester) -> None:
    """Where its desk is, and where it is itself. Then its tests read like sentences."""
    app.makepyfile(
        """
        from shop import delivered

        def test_a_book_is_bought(billing):
            answer = billing.client.post("/checkout", json={"sku": "ebook"})
            payment = billing.pay(answer)
            assert billing.client.get(payment.url).status_code == 200
            assert delivered == ["ebook"]

        def test_nobody_has_bought_anything_yet(billing):
            assert billing.facts == []

        def test_nobody_knows_the_real_secrets(billing):
            import os
            assert os.environ["STRIPE_SECRET_KEY"] == "sk_test_nobody"
            assert "STRIPE_PRICE_EBOOK" not in os.environ
        """
    )
    before = {**os.environ, "STRIPE_SECRET_KEY": "sk_live_real", "STRIPE_PRICE_EBOOK": "price_real"}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in before.items():
            environment.setenv(name, value)

        result = app.runpytest_inprocess(*PLUGIN)

        left = {name: os.environ.get(name) for name in ("STRIPE_SECRET_KEY", "STRIPE_PRICE_EBOOK")}
    result.assert_outcomes(passed=3)
    assert left == {"STRIPE_SECRET_KEY": "sk_live_real", "STRIPE_PRICE_EBOOK": "price_real"}


def test_failures_say_what_is_wrong(app: pytest.Pytester) -> None:
    """The sentence, and the app's own traceback where it was the app's own fault."""
    app.makepyfile(
        """
        def test_a_handler_fails(billing):
            billing.buy("ada", "brick")

        def test_a_helper_is_misused(billing):
            billing.lose_next("invoice.payed")

        def test_something_is_lost_in_vain(billing):
            billing.lose_next("invoice.paid")
        """
    )

    result = app.runpytest_inprocess(*PLUGIN)

    result.assert_outcomes(failed=2, passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ValueError: too heavy to deliver",
            "*HandlerFailed: The handler shop.deliver failed for fact:order.paid:*with billing.failures_allowed()*",
            "*Misused: Stripe has no event 'invoice.payed'. Did you mean invoice.paid?",
        ]
    )
    result.stdout.fnmatch_lines(["*Misused: lose_next('invoice.paid') waited in vain: no such event came."])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("", '*paydesk_desk = "myapp.billing:desk", or override the fixture paydesk_desk.*'),
        ("paydesk_desk = shop", "*paydesk_desk = 'shop' names nothing. Write it as module:name*"),
        ("paydesk_desk = shops:desk", "*there is no module 'shops' here. Is its folder on the path?*"),
        ("paydesk_desk = shop:counter", "*paydesk_desk = 'shop:counter': shop has no 'counter'.*"),
        ("paydesk_desk = shop:desk\npaydesk_app = shop:apple", "*paydesk_app = 'shop:apple': shop has no 'apple'.*"),
        ("paydesk_desk = shop:desk\npaydesk_now = soon", "*paydesk_now = 'soon' is no moment. Write it like 2026*"),
    ],
)
def test_an_option_that_leads_nowhere_says_what_to_write(app: pytest.Pytester, option: str, told: str) -> None:
    """Before anything else goes wrong because of it."""
    app.makeini(f"[pytest]\npythonpath = .\n{option}")
    app.makepyfile("def test_it(billing): pass")

    result = app.runpytest_inprocess(*PLUGIN)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])


def test_an_app_from_a_factory_overrides_two_fixtures(app: pytest.Pytester) -> None:
    """And needs no option at all."""
    app.makeini("[pytest]\npythonpath = .\nfilterwarnings = error")
    app.makeconftest(
        """
        import pytest
        from fastapi import FastAPI
        from paydesk import Paydesk, Settings
        from paydesk.testing.secrets import SECRETS

        def create_app():
            desk = Paydesk(Settings.read({**SECRETS, "DATABASE_URL": "sqlite:///never-opened.db"}), prefix="/money")
            app = FastAPI(lifespan=desk.lifespan)
            app.include_router(desk.router())
            app.state.desk = desk
            return app

        @pytest.fixture
        def paydesk_app():
            return create_app()

        @pytest.fixture
        def paydesk_desk(paydesk_app):
            return paydesk_app.state.desk
        """
    )
    app.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("again", [1, 2])
        def test_each_test_has_an_app_of_its_own(billing, again):
            assert billing.pay(billing.client.post("/money/checkout", json={"sku": "ebook"})).is_paid
            assert billing.facts == ["order.paid"]
        """
    )

    app.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=2)

    assert not app.path.joinpath("never-opened.db").exists()


FLASK = """
from flask import Flask, jsonify, request
from paydesk import OrderPaid, User
from paydesk.flask import Desk

def current_user():
    return User("ada", "ada@example.com")

desk = Desk(user=current_user)
delivered = []

def create_app():
    app = Flask(__name__)
    desk.init_app(app)

    @app.before_request
    def guard():
        if request.path == app.config.get("SHUT"):
            return "Please sign in", 401

    return app

@desk.on(OrderPaid)
def deliver(paid):
    delivered.append(paid.order.sku)
"""


@pytest.mark.parametrize("more", ["", "paydesk_desk = shop:desk"])
def test_a_flask_app_is_tested_in_its_own_grammar(app: pytest.Pytester, more: str) -> None:
    """Its factory is all that has to be named; the client is Flask's own."""
    app.makepyfile(shop=FLASK)
    app.makeini(f"[pytest]\npythonpath = .\nfilterwarnings = error\npaydesk_app = shop:create_app()\n{more}")
    app.makepyfile(
        """
        import pytest
        from paydesk.testing import WebhookRefused
        from shop import delivered

        def test_a_book_is_bought(billing):
            answer = billing.client.post("/checkout", data={"sku": "ebook"})
            payment = billing.pay(answer)
            assert billing.client.get(payment.url).status_code == 200
            assert billing.pay(billing.client.post("/checkout", json={"sku": "ebook"})).is_paid
            assert delivered == ["ebook", "ebook"]

        def test_webhooks_take_the_apps_own_route(billing, paydesk_app):
            paydesk_app.config["SHUT"] = "/webhooks/stripe"
            with pytest.raises(WebhookRefused, match="answered 401"):
                billing.buy("ada", "ebook")
            del paydesk_app.config["SHUT"]

        def test_a_crash_goes_through_its_code(billing):
            with billing.crash_between("call", "commit"):
                billing.client.post("/checkout", data={"sku": "ebook"})
            with billing.crash_between("receive", "apply"):
                billing.buy("ada", "ebook")
            assert billing.facts == ["order.paid"]

        def test_a_browser_can_come(billing):
            import httpx2
            with billing.serve() as url:
                assert httpx2.get(f"{url}/pricing", trust_env=False).status_code == 200
        """
    )

    app.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=4)


def test_a_django_project_is_tested_in_its_own_grammar(app: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client, its ORM, its migrations; handlers run in Django's transaction, which a crash undoes."""
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "project")
    app.makeini(
        "[pytest]\npythonpath = .\npaydesk_desk = paydesk.django:desk\n"
        "paydesk_app = django.core.wsgi:get_wsgi_application()"
    )
    app.makepyfile(
        project="""
        import os
        SECRET_KEY = "tests"
        ALLOWED_HOSTS = ["*"]
        USE_TZ = True
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "paydesk.django"]
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ["DATABASE_URL"].removeprefix("sqlite:///"),
            }
        }
        ROOT_URLCONF = "urls"
        BASE_DIR = "."
        """,
        urls="""
        from django.urls import include, path
        urlpatterns = [path("", include("paydesk.django.urls"))]
        """,
    )
    app.makeconftest(
        """
        import django
        import pytest

        django.setup()

        from django.contrib.auth.models import Group
        from paydesk import OrderPaid
        from paydesk.django import desk

        @desk.on(OrderPaid)
        def deliver(paid):
            Group.objects.create(name=paid.order.sku)

        @pytest.fixture(scope="session")
        def paydesk_tables():
            from django.core.management import call_command
            call_command("migrate", verbosity=0)
        """
    )
    app.makepyfile(
        """
        import pytest
        from django.contrib.auth.models import Group

        def test_a_book_is_bought(billing):
            answer = billing.client.post("/checkout", {"sku": "ebook"}, content_type="application/json")
            assert billing.pay(answer).is_paid
            assert [group.name for group in Group.objects.all()] == ["ebook"]

        def test_each_test_has_fresh_tables(billing):
            assert Group.objects.count() == 0
            billing.subscribe("ada", "pro")
            assert billing.desk.subscription(type("Ada", (), {"id": "ada"})).active

        @pytest.mark.parametrize("between", [("apply", "effect"), ("effect", "commit")])
        def test_a_crash_undoes_what_the_orm_wrote(billing, between):
            with billing.crash_between(*between):
                billing.buy("ada", "ebook")
            assert [group.name for group in Group.objects.all()] == ["ebook"]
        """
    )

    app.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=4)


def test_tests_run_side_by_side(app: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under xdist each process has a local Stripe and a database of its own."""
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    app.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_one_of_many(billing, number):
            assert billing.buy("ada", "ebook").status == "paid"
            assert len(billing.stripe.client.v1.charges.list().data) == 1
        """
    )

    result = app.runpytest_subprocess(*PLUGIN, "-n", "2")

    result.assert_outcomes(passed=8)


def test_whoever_does_not_use_it_does_not_notice_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by pytest itself, as after an installation; loads nothing, warns of nothing, touches nothing."""
    installed = pytester.mkdir("installed").joinpath("paydesk-1.0.dist-info")
    installed.mkdir()
    installed.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: paydesk\nVersion: 1.0\n")
    installed.joinpath("entry_points.txt").write_text("[pytest11]\npaydesk = paydesk.testing.plugin\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCE), str(installed.parent)]))
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    pytester.makepyfile(
        """
        import os
        import sys
        import threading

        def test_it(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("paydesk")
            loaded = {name.partition(".")[0] for name in sys.modules}
            assert not loaded & {"stripe", "sqlalchemy", "starlette", "uvicorn", "pydantic", "fastapi", "alembic"}
            ours = {name for name in sys.modules if name.startswith("paydesk")}
            assert ours - {"paydesk"} == {
                "paydesk.testing",
                "paydesk.testing.beginning",
                "paydesk.testing.plugin",
                "paydesk.testing.secrets",
            }
            assert "STRIPE_SECRET_KEY" not in os.environ
            assert threading.active_count() == 1
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", "--strict-config")

    result.assert_outcomes(passed=1)
