"""The contract suite's app on the adapter that docs/adding/a-framework.md shows: plain WSGI, and no framework."""

from __future__ import annotations

import json
import types
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.test import Client

from paydesk import Paydesk, Settings, User
from tests.contracts.web.app import BASE_URL, Reply, Wiring
from tests.docs.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class PageApp:
    """An app of a few lines, in process."""

    def __init__(self, desk: Paydesk, client: Client) -> None:
        self.desk = desk
        self._client = client

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(target)
        try:
            answer = self._client.open(
                parts.path, method=method, query_string=parts.query, headers={**headers}, data=body, base_url=BASE_URL
            )
        except Exception:
            return Reply(500, {}, b"")  # as any server would say
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data)

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """As the desk's own routes refuse."""
        told = reply.json()
        return {**told, **told["error"]}


@contextmanager
def opened(wiring: Wiring) -> Iterator[PageApp]:
    (code,) = blocks("docs/adding/a-framework.md", "python")
    page: Any = types.ModuleType("wsgi")
    exec(compile(code, "wsgi.py", "exec"), page.__dict__)  # noqa: S102 - our own page
    desk = Paydesk(Settings.read(wiring.secrets), catalog=wiring.catalog, **wiring.options)
    gated = page.gated(desk, "export", current_user, export)

    def others(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/export":
            return gated(environ, start_response)
        start_response("404 Not Found", [])
        return []

    yield PageApp(desk, Client(page.application(desk, current_user, others), use_cookies=False))
    desk.close()


def export(environ: dict[str, Any], start_response: Any) -> Any:
    user = current_user(environ)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"for": user.id if user else None}).encode()]


def current_user(environ: dict[str, Any]) -> User | None:
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    name = cookies["user"].value if "user" in cookies else ""
    return User(name, f"{name}@example.com") if name else None
