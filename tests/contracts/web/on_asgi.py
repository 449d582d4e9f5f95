"""The contract suite's app on plain ASGI: mounted in Starlette, and in Litestar."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, get
from litestar.handlers import asgi
from litestar.testing import TestClient as LitestarClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from paydesk import Paydesk, Settings, User
from tests.contracts.web.app import BASE_URL, Reply, Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping


class AsgiApp:
    """An app of a few lines, in process."""

    def __init__(self, desk: Paydesk, client: Any) -> None:
        self.desk = desk
        self._client = client

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        answer = self._client.request(method, target, headers={**headers}, content=body, follow_redirects=False)
        return Reply(answer.status_code, {**answer.headers}, answer.content)

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """As the desk's own routes refuse."""
        told = reply.json()
        return {**told, **told["error"]}


def on_starlette(wiring: Wiring) -> AbstractContextManager[AsgiApp]:
    desk = _desk(wiring)

    async def export(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"for": request.scope["paydesk.user"].id})

    routes = [
        Route("/export", export, middleware=[Middleware(desk.gate, code="export")]),
        Mount("/", desk.asgi(user=current_user)),
    ]
    app = Starlette(routes=routes, lifespan=desk.lifespan)
    return _served(desk, TestClient(app, base_url=BASE_URL, raise_server_exceptions=False))


def on_litestar(wiring: Wiring) -> AbstractContextManager[AsgiApp]:
    desk = _desk(wiring)

    gated: Any = partial(desk.gate, code="export")

    @get("/export", middleware=[gated])
    async def export(request: Request[Any, Any, Any]) -> dict[str, str]:
        return {"for": request.scope["paydesk.user"].id}  # type: ignore[typeddict-item]  # its scope knows no keys but its own

    mounted = asgi("/", is_mount=True, copy_scope=True)(desk.asgi(user=current_user))
    app = Litestar([export, mounted], lifespan=[desk.lifespan], openapi_config=None, logging_config=None)
    return _served(desk, LitestarClient(app, base_url=BASE_URL, raise_server_exceptions=False))


@contextmanager
def _served(desk: Paydesk, client: Any) -> Iterator[AsgiApp]:
    with client:
        yield AsgiApp(desk, client)
    desk.close()


def _desk(wiring: Wiring) -> Paydesk:
    return Paydesk(Settings.read(wiring.secrets), catalog=wiring.catalog, **wiring.options)


async def current_user(scope: MutableMapping[str, Any]) -> User | None:
    cookies = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode())
    name = cookies["user"].value if "user" in cookies else ""
    return User(name, f"{name}@example.com") if name else None
