"""An app's side of the wire: a real HTTP server on loopback that keeps what it is sent."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Received:
    """One delivery as it arrived. Header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        return self.headers["stripe-signature"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Answer:
    """What the receiver answers. It first waits for `when`, where there is one."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    when: threading.Event | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed takes its connection with it: nothing to say about that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """Answers 200 to everything, unless told otherwise."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda received: Answer()
        self._arrived = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/stripe"

    @property
    def types(self) -> list[str]:
        """The types of the events that arrived, in order."""
        return [received.event["type"] for received in self.received]

    def wait_for(self, count: int) -> list[Received]:
        """What arrived, as soon as it is so many."""
        return self.wait_until(lambda received: len(received) >= count)

    def wait_until(self, is_so: Callable[[list[Received]], bool]) -> list[Received]:
        """What arrived, as soon as something did and it is so."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: bool(self.received) and is_so(self.received), PATIENCE_SECONDS)
            assert arrived, f"in vain after {[received.path for received in self.received]}"
            return list(self.received)

    def close(self) -> None:
        """Stop listening: whoever connects now is refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    # The sender was killed while it was speaking.
                    self.close_connection = True
                    return
                received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver._note(received)
                answer = receiver.answer(received)
                if answer.when is not None:
                    answer.when.wait(PATIENCE_SECONDS)
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        return Handler

    def _note(self, received: Received) -> None:
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
