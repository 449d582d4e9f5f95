"""The app under test: found by its name, and asked as a server would ask it, whatever its framework."""

from __future__ import annotations

import importlib
import inspect
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from paydesk.testing.asgi import Answer, Loop, Request, call
from paydesk.testing.misuse import Misused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk import Paydesk


def named(name: str, option: str) -> Any:
    """What `myapp.main:app`, or `myapp.main:create_app()`, names. Raises Misused where there is no such thing."""
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise Misused(f"{option} = {name!r} names nothing. Write it as module:name, such as myapp.billing:desk.")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not module_name.startswith(error.name or " "):
            raise
        raise Misused(
            f"{option} = {name!r}: there is no module {error.name!r} here. "
            'Is its folder on the path? pythonpath = ["."] in [tool.pytest.ini_options] puts it there.'
        ) from error
    for part in path.removesuffix("()").split("."):
        if not hasattr(found, part):
            raise Misused(f"{option} = {name!r}: {module_name} has no {part!r}.")
        found = getattr(found, part)
    return found() if path.endswith("()") else found


def desk_of(found: Any, app: Any) -> Paydesk:
    """The Paydesk that an app's own object stands for: itself, Django's lazy one, or that of a Flask app."""
    desk = found
    if hasattr(type(found), "itself"):
        desk = found.itself()
    elif found is None or hasattr(type(found), "init_app"):
        desk = getattr(app, "extensions", {}).get("paydesk")
    if desk is None:
        raise Misused(
            "The fixture `billing` needs to know your app's desk. Say where it is, "
            '[tool.pytest.ini_options] paydesk_desk = "myapp.billing:desk", or override the fixture paydesk_desk. '
            'For a Flask app paydesk_app = "myapp:create_app()" is enough.'
        )
    known: Paydesk = desk
    return known


class App:
    """An ASGI or WSGI app."""

    def __init__(self, app: Any, loop: Loop) -> None:
        self.app = app
        self._loop = loop
        self.is_asgi = inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)

    def ask(self, request: Request) -> Answer:
        """Its answer. What it raises is raised here."""
        return self._loop.run(call(self.app, request)) if self.is_asgi else _ask_wsgi(self.app, request)

    def client(self, base_url: str) -> Any:
        """The test client of its own framework, which does not follow redirects: they lead to Stripe."""
        if hasattr(self.app, "test_client"):
            return self.app.test_client()
        if type(self.app).__module__.startswith("django."):
            from django.test import Client

            return Client()
        if not self.is_asgi:
            raise Misused(f"{self.app!r} is a WSGI app with no test client of its own that paydesk knows.")
        from starlette.testclient import TestClient

        return TestClient(self.app, base_url=base_url, follow_redirects=False)


def _ask_wsgi(app: Callable[..., Any], request: Request) -> Answer:
    path, _, query = request.url.partition("?")
    host = request.headers.get("host", "testserver")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": host,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        said.update(status=int(status.split()[0]), headers={name.lower(): value for name, value in headers})
        return lambda _: None

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return Answer(said["status"], said["headers"], body)
