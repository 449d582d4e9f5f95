"""The contract suite's app, in FastAPI."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request
from starlette.testclient import TestClient

from paydesk import Paydesk, Settings, User
from tests.contracts.web.app import BASE_URL, Reply, Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class FastApiApp:
    """An app of a few lines, in process."""

    def __init__(self, desk: Paydesk, client: TestClient) -> None:
        self.desk = desk
        self._client = client

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        answer = self._client.request(method, target, headers={**headers}, content=body, follow_redirects=False)
        return Reply(answer.status_code, {**answer.headers}, answer.content)

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """In an HTTPException's detail."""
        detail: Mapping[str, Any] = reply.json()["detail"]
        return detail


@contextmanager
def opened(wiring: Wiring) -> Iterator[FastApiApp]:
    desk = Paydesk(Settings.read(wiring.secrets), catalog=wiring.catalog, **wiring.options)
    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(user=current_user))

    allowed = Depends(desk.require("export"))

    @app.get("/export")
    def export(user: User = allowed) -> dict[str, str]:
        return {"for": user.id}

    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield FastApiApp(desk, client)
    desk.close()


async def current_user(request: Request) -> User | None:
    name = request.cookies.get("user")
    return User(name, f"{name}@example.com") if name else None
