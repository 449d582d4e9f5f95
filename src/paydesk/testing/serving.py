"""Serving the app under test over HTTP, for a browser."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

from paydesk.emulator import server as local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.testing.apps import App


@contextmanager
def serving(app: App) -> Iterator[str]:
    """The app on a free port of this machine, for as long as the block lasts; answers its address."""
    with _asgi(app.app) if app.is_asgi else _wsgi(app.app) as url:
        yield url


@contextmanager
def _asgi(app: Any) -> Iterator[str]:
    listening = local.listen(0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with local.in_thread(server, listening):
        yield local.url_of(listening)


@contextmanager
def _wsgi(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, server_class=_Threads, handler_class=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="app")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Threads(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: a test that fails says enough."""
