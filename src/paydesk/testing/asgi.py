"""Calling an ASGI app as a server would, without a server, and a loop to call it on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

T = TypeVar("T")

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """What is asked. `url` is a path, or a whole address."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def call(app: Callable[..., Any], request: Request) -> Answer:
    """Ask an ASGI app. What it raises is raised here."""
    parts = urlsplit(request.url)
    host = request.headers.get("host") or parts.netloc or "testserver"
    headers = {"host": host, **{name.lower(): value for name, value in request.headers.items()}}
    headers.setdefault("content-length", str(len(request.body)))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme or "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (host.partition(":")[0], parts.port or 80),
        "state": {},
    }
    asked = False
    status, answered, chunks = 500, {}, list[bytes]()
    is_over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await is_over.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, answered
        if message["type"] == "http.response.start":
            status = message["status"]
            answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                is_over.set()

    await app(scope, receive, send)
    return Answer(status, answered, b"".join(chunks))


class Loop:
    """An event loop in a thread of its own. Tests may be running on theirs."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end, and answer what it answers. Blocks this thread meanwhile."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT_SECONDS)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin, and answer what will hold the end."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def run_async(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The same, for a coroutine on another loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def close(self) -> None:
        """Stop, once everything that was started has been cancelled."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
