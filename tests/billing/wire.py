"""The wire to the local Stripe, where a test can cut it: before a request arrives, or before its answer is back.

After a cut nothing gets through until the wire is mended. For the library that
is the same as dying there and being started again later: what it had committed
is all it has.
"""

from __future__ import annotations

import http.client
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Cut = Literal["before", "after"]


@dataclass(frozen=True)
class Call:
    """A request that the library sent."""

    method: str
    path: str
    key: str | None
    body: str


class Wire:
    """Listens on `url`, passes on to the local Stripe, and remembers."""

    def __init__(self, url: str, stripe_url: str) -> None:
        self.url = url
        self.calls: list[Call] = []
        self.stripe_url = stripe_url
        self._stripe = urlsplit(stripe_url).netloc
        self._lock = threading.Lock()
        self._planned: tuple[Cut, str] | None = None
        self._answers: list[tuple[str, int, bytes, dict[str, str]]] = []
        self._held: str | None = None
        self._meanwhile: tuple[str, Callable[[], object]] | None = None
        self._let_go = threading.Event()
        self._is_cut = False

    def cut_before(self, request: str) -> None:
        """The next request that looks like this, such as "POST /v1/refunds", never arrives."""
        self._planned = ("before", request)

    def cut_after(self, request: str) -> None:
        """The next request that looks like this is carried out at Stripe, and its answer never arrives."""
        self._planned = ("after", request)

    def mend(self) -> None:
        self._planned, self._is_cut = None, False

    @contextmanager
    def held(self, request: str) -> Iterator[None]:
        """Until the block ends, requests that look like this are under way; they never arrive."""
        self._held = request
        try:
            yield
        finally:
            self._held = None
            self._let_go.set()

    @contextmanager
    def meanwhile(self, request: str, do: Callable[[], object]) -> Iterator[None]:
        """While the first request that looks like this is under way, something else is done, from start to end."""
        self._meanwhile = (request, do)
        yield
        assert self._meanwhile is None, f"there was no {request}"

    def answer(self, request: str, status: int, body: bytes = b"{}", **headers: str) -> None:
        """The next request that looks like this is answered so, without asking the local Stripe."""
        self._answers.append(
            (request, status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        )

    def sent(self, request: str) -> list[Call]:
        """The requests so far that look like this."""
        return [call for call in self.calls if _looks_like(call, request)]

    def handle(self, call: Call, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]] | None:
        """What goes back to the library; None is a broken connection."""
        with self._lock:
            self.calls.append(call)
            is_held = self._held is not None and _looks_like(call, self._held)
            cut = self._cut_for(call)
            scripted = next((answer for answer in self._answers if _looks_like(call, answer[0])), None)
            if scripted is not None:
                self._answers.remove(scripted)
            meanwhile = self._meanwhile
            if meanwhile is not None and _looks_like(call, meanwhile[0]):
                self._meanwhile = None
            else:
                meanwhile = None
        if meanwhile is not None:
            meanwhile[1]()
        if is_held:
            self._let_go.wait()
        if is_held or cut == "before":
            return None
        answer = scripted[1:] if scripted is not None else self._forward(call, headers)
        return None if cut == "after" else answer

    def _cut_for(self, call: Call) -> Cut | None:
        if self._is_cut:
            return "before"
        if self._planned is None or not _looks_like(call, self._planned[1]):
            return None
        self._is_cut = True
        return self._planned[0]

    def _forward(self, call: Call, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self._stripe, timeout=30)
        try:
            connection.request(call.method, call.path, call.body or None, headers)
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
            return response.status, response.read(), kept
        finally:
            connection.close()


_HOP_BY_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}


def _looks_like(call: Call, request: str) -> bool:
    return re.match(request, f"{call.method} {call.path}") is not None


@contextmanager
def wire_to(stripe_url: str) -> Iterator[Wire]:
    """A wire on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    wire = Wire(f"http://127.0.0.1:{server.server_port}", stripe_url)
    server.wire = wire
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: Wire


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        call = Call(self.command, self.path, self.headers.get("idempotency-key"), body)
        assert isinstance(self.server, _Server)
        passed = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        answer = self.server.wire.handle(call, passed)
        self.close_connection = True
        if answer is None:
            return
        status, content, headers = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: a test that fails says enough."""


# The server looks for a method of this name; the name is not ours to choose.
for _method in ("GET", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.pass_on)
