"""What is ASGI's own: where the application is mounted, how it lives when it is served alone, and websockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from litestar import Litestar
from litestar.handlers import asgi
from litestar.testing import TestClient as LitestarClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from paydesk import Paydesk, Settings, User
from paydesk.billing.catalog import Catalog
from tests.billing.inbox.deliveries import SECRET, event, sign
from tests.billing.till import CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    DeskAt = Callable[..., Paydesk]

INTENT = {"id": "pi_1", "object": "payment_intent"}


@pytest.fixture
def desk_at(tmp_path: Path) -> Iterator[DeskAt]:
    """Opens a desk with this prefix."""
    opened: list[Paydesk] = []

    def made(prefix: str = "", **secrets: str) -> Paydesk:
        settings = {
            "STRIPE_SECRET_KEY": "sk_test_asgi",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "BASE_URL": "https://shop.example",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}",
            "PAYDESK_WORKER": "0",
        }
        desk = Paydesk(Settings.read(settings | secrets), catalog=Catalog.parse(CATALOG), prefix=prefix)
        opened.append(desk)
        return desk

    yield made
    for desk in opened:
        desk.close()


@pytest.mark.parametrize(
    ("prefix", "mount", "found", "missing"),
    [
        ("", "/", ["/pricing", "/pricing/"], ["/shop/pricing"]),
        ("", "/shop", ["/shop/pricing"], ["/pricing"]),
        ("/billing", "/", ["/billing/pricing"], ["/pricing"]),
        ("/billing", "/billing", ["/billing/pricing"], ["/pricing"]),
        ("/billing", "/shop", ["/shop/billing/pricing"], ["/pricing", "/billing/pricing", "/shop/pricing"]),
    ],
)
@pytest.mark.parametrize("framework", ["starlette", "litestar"])
def test_the_routes_are_found_wherever_it_is_mounted(
    desk_at: DeskAt, framework: str, prefix: str, mount: str, found: list[str], missing: list[str]
) -> None:
    """At the root, below a path of the app's, or at the very prefix that the desk has."""
    desk = desk_at(prefix)
    mounted = desk.asgi()
    client: Any
    if framework == "starlette":
        client = TestClient(Starlette(routes=[Mount(mount, mounted)]))
    else:
        handler = asgi(mount, is_mount=True, copy_scope=True)(mounted)
        client = LitestarClient(Litestar([handler], openapi_config=None, logging_config=None))

    with client:
        assert [client.get(path).status_code for path in found] == [200] * len(found)
        assert [client.get(path).status_code for path in missing] == [404] * len(missing)


def test_served_by_itself_it_works_in_its_own_lifespan(desk_at: DeskAt) -> None:
    """`uvicorn billing:app` for billing = desk.asgi(): what Stripe tells is worked on while it runs."""
    desk, told = desk_at(PAYDESK_WORKER="1"), threading.Event()

    @desk.on("payment_intent.created")
    def note(_event: object) -> None:
        told.set()

    body = event("payment_intent.created", {"id": "unknown", "object": "nothing_we_mirror"})
    with TestClient(desk.asgi()) as client:
        signed = {"Stripe-Signature": sign(body, datetime.now(UTC))}
        sent = client.post("/webhooks/stripe", content=body, headers=signed)

        assert sent.json() == {"received": True}
        assert told.wait(timeout=10)


def test_a_start_that_fails_is_told_to_the_server(desk_at: DeskAt) -> None:
    """The server stops and says why, and does not serve what cannot work."""
    app = desk_at(DATABASE_URL="sqlite:////nowhere/at/all.db").asgi()
    sent: list[Any] = []

    async def live() -> None:
        async def receive() -> Any:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "lifespan"}, receive, send)

    with pytest.raises(Exception, match="database"):
        asyncio.run(live())

    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]


def test_who_is_asking_is_found_by_a_plain_function_too(desk_at: DeskAt) -> None:
    """It runs in a thread, so it may ask a database."""
    threads: list[str] = []

    def find(scope: Any) -> User:
        threads.append(threading.current_thread().name)
        return User(scope["query_string"].decode())

    with TestClient(desk_at().asgi(user=find)) as client:
        assert client.get("/account?ada").status_code == 200

    assert threads
    assert all("asyncio_" in name for name in threads)


def test_nobody_is_looked_for_when_machines_ask(desk_at: DeskAt) -> None:
    """Where sessions cannot be read, health still says how billing is."""
    asked: list[str] = []

    def find(scope: Any) -> User:
        asked.append(scope["path"])
        raise ConnectionError("the sessions are away")

    with TestClient(desk_at().asgi(user=find)) as client:
        statuses = [client.get(f"/paydesk/{what}").status_code for what in ("health", "metrics")]

    assert (statuses, asked) == ([200, 404], [])


def test_gates_hold_for_websockets(desk_at: DeskAt) -> None:
    """Whoever may not see the page does not get the stream behind it."""
    desk = desk_at()
    desk.open()
    row = {"id": "sub_1", "user_id": "ada", "plan": "pro", "slot": "main", "status": "active", "seats": 1}
    with desk.store.write() as connection:
        table = desk.store.tables.subscriptions
        connection.execute(table.insert().values(**row, livemode=False, created_at=datetime.now(UTC)))

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(str(websocket.scope["paydesk.user"].id))
        await websocket.close()

    def find(scope: Any) -> User:
        return User(scope["query_string"].decode())

    around = [Middleware(desk.gate, code="export", user=find)]
    with TestClient(Starlette(routes=[WebSocketRoute("/", stream)], middleware=around)) as client:
        with client.websocket_connect("/?ada") as passed:
            assert passed.receive_text() == "ada"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/?grace"):
            pass


def test_the_desks_own_application_is_no_websocket(desk_at: DeskAt) -> None:
    """Closed, and not left hanging."""
    refused = pytest.raises(WebSocketDisconnect)

    with TestClient(desk_at().asgi()) as client, refused, client.websocket_connect("/pricing"):
        pass


def test_it_asks_for_no_framework() -> None:
    """Whatever can mount an ASGI application needs to install nothing for it."""
    code = "import sys, paydesk.billing.web.asgi; print({'starlette', 'fastapi', 'anyio'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
