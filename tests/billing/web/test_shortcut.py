"""The shortcut: the webhook is met first, and nothing else about the app is different."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route
from starlette.testclient import TestClient

from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from tests.billing.inbox.deliveries import SECRET, event, sign
from tests.billing.till import CATALOG

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

INTENT = {"id": "pi_1", "object": "payment_intent"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Paydesk]:
    opened = _desk(tmp_path / "app.db")
    yield opened
    opened.close()


def _desk(file: Path, *, prefix: str = "") -> Paydesk:
    secrets = {
        "STRIPE_SECRET_KEY": "sk_test_desk",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "BASE_URL": "https://shop.example",
        "DATABASE_URL": f"sqlite:///{file}",
        "PAYDESK_WORKER": "0",
    }
    return Paydesk(Settings.read(secrets), catalog=Catalog.parse(CATALOG), prefix=prefix)


def deliver(visitor: TestClient, path: str = "/webhooks/stripe") -> Any:
    body = event("payment_intent.created", INTENT)
    return visitor.post(path, content=body, headers={"Stripe-Signature": sign(body, datetime.now(UTC))})


def events(desk: Paydesk) -> int:
    with desk.store.read() as connection:
        return len(connection.execute(desk.store.tables.events.select()).all())


async def page(_request: Request) -> Response:
    return PlainTextResponse("the app's own page")


def test_the_webhook_is_met_first_for_as_long_as_the_app_runs(desk: Paydesk) -> None:
    """The documented two lines are all it takes; before and afterwards the app's routes are as it wrote them."""
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router())
    as_written = list(app.routes)

    with TestClient(app) as visitor:
        first, *others = app.routes
        assert deliver(visitor).json() == {"received": True}

    assert isinstance(first, Route)
    assert first.path == "/webhooks/stripe"
    assert others == as_written
    assert app.routes == as_written
    assert events(desk) == 1


def test_prefixes_add_up_and_the_apps_middleware_is_passed(tmp_path: Path) -> None:
    """What an app puts around its routes is around this one."""
    desk = _desk(tmp_path / "app.db", prefix="/billing")
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(), prefix="/shop")
    passed: list[str] = []

    @app.middleware("http")
    async def note(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        passed.append(request.url.path)
        return await call_next(request)

    with TestClient(app) as visitor:
        assert isinstance(app.routes[0], Route)
        assert app.routes[0].path == "/shop/billing/webhooks/stripe"
        assert deliver(visitor, "/shop/billing/webhooks/stripe").status_code == 200
        assert deliver(visitor).status_code == 404
        assert app.url_path_for("paydesk_webhook") == "/shop/billing/webhooks/stripe"

    assert passed == ["/shop/billing/webhooks/stripe", "/webhooks/stripe"]
    desk.close()


def test_two_desks_in_one_app_each_have_their_own(tmp_path: Path) -> None:
    """Two Stripe accounts behind one address."""
    one, two = _desk(tmp_path / "one.db", prefix="/one"), _desk(tmp_path / "two.db", prefix="/two")
    app = FastAPI()
    for desk in (one, two):
        router = APIRouter(lifespan=desk.lifespan)
        app.include_router(router)
        app.include_router(desk.router())

    with TestClient(app) as visitor:
        assert {route.path for route in app.routes[:2] if isinstance(route, Route)} == {
            "/one/webhooks/stripe",
            "/two/webhooks/stripe",
        }
        deliver(visitor, "/two/webhooks/stripe")

    assert (events(one), events(two)) == (0, 1)
    one.close()
    two.close()


def test_other_methods_and_slashes_are_answered_as_by_any_route(desk: Paydesk) -> None:
    """405 with the methods there are, and the redirect of a stray slash."""
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router())

    with TestClient(app) as visitor:
        refused = visitor.get("/webhooks/stripe")
        redirected = visitor.post("/webhooks/stripe/", follow_redirects=False)

    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert redirected.status_code == 307


def _catch_all(app: FastAPI, desk: Paydesk) -> None:
    app.add_route("/{path:path}", page, methods=["POST"])
    app.include_router(desk.router())


def _mount(app: FastAPI, desk: Paydesk) -> None:
    app.mount("/webhooks", Starlette(routes=[Route("/stripe", page, methods=["POST"])]))
    app.include_router(desk.router())


def _host(app: FastAPI, desk: Paydesk) -> None:
    app.host("testserver", Starlette(routes=[Route("/webhooks/stripe", page, methods=["POST"])]))
    app.include_router(desk.router())


def _earlier_in_a_router(app: FastAPI, desk: Paydesk) -> None:
    router = APIRouter(prefix="/webhooks")
    router.add_api_route("/{sender}", page, methods=["POST"])
    app.include_router(router)
    app.include_router(desk.router())


@pytest.mark.parametrize("arrange", [_catch_all, _mount, _host, _earlier_in_a_router])
def test_a_route_the_app_put_before_it_stays_before_it(
    desk: Paydesk, arrange: Callable[[FastAPI, Paydesk], None]
) -> None:
    """Routes are tried in their order; whoever relies on that is not overtaken."""
    app = FastAPI(lifespan=desk.lifespan)
    arrange(app, desk)
    as_written = list(app.routes)

    with TestClient(app) as visitor:
        assert app.routes == as_written
        assert deliver(visitor).text == "the app's own page"


def test_a_limit_of_the_included_router_still_holds(desk: Paydesk) -> None:
    """FastAPI can limit the bodies a router takes; the webhook inside it too."""
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(), max_body_size=10)

    with TestClient(app) as visitor:
        assert deliver(visitor).status_code == 413


def _nested(desk: Paydesk) -> Starlette:
    inner = APIRouter()
    inner.include_router(desk.router(), prefix="/inner")
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(inner, prefix="/outer")
    return app


def _mounted(desk: Paydesk) -> Starlette:
    shop = FastAPI()
    shop.include_router(desk.router(), prefix="/inner")
    return FastAPI(lifespan=desk.lifespan, routes=[Mount("/outer", shop)])


def _by_host(desk: Paydesk) -> Starlette:
    shop = FastAPI()
    shop.include_router(desk.router(), prefix="/outer/inner")
    return FastAPI(lifespan=desk.lifespan, routes=[Host("testserver", shop)])


def _starlette(desk: Paydesk) -> Starlette:
    return Starlette(lifespan=desk.lifespan, routes=[Mount("/outer/inner", routes=desk.router().routes)])


@pytest.mark.parametrize("build", [_nested, _mounted, _by_host, _starlette])
def test_in_any_other_arrangement_it_is_found_where_it_is(desk: Paydesk, build: Callable[[Paydesk], Starlette]) -> None:
    """Routers in routers, apps in apps, and no FastAPI at all: nothing is moved, and everything is kept."""
    app = build(desk)
    as_written = list(app.routes)

    with TestClient(app) as visitor:
        assert app.routes == as_written
        assert deliver(visitor, "/outer/inner/webhooks/stripe").status_code == 200

    assert events(desk) == 1
