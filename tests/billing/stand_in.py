"""A stand-in for Stripe that answers GETs as scripted: late, wrongly, or with what was true a moment ago.

The local Stripe plays the whole of Stripe. This is for tests that need one answer to be exactly so slow or so stale.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from paydesk.billing.stripe_api import StripeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = {
    "customer": "/v1/customers",
    "product": "/v1/products",
    "price": "/v1/prices",
    "checkout.session": "/v1/checkout/sessions",
    "payment_intent": "/v1/payment_intents",
    "charge": "/v1/charges",
    "dispute": "/v1/disputes",
    "subscription": "/v1/subscriptions",
    "invoice": "/v1/invoices",
}


class Gate:
    """Holds one answer back: it is made when the request arrives, and sent when the gate is opened."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def hold(self) -> None:
        self.arrived.set()
        self._open.wait(timeout=30)


class StandIn:
    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[str] = []
        self._objects: dict[str, Any] = {}
        self._gates: dict[str, list[Gate]] = {}
        self._failures: dict[str, list[tuple[int, str]]] = {}

    def put(self, *objects: dict[str, Any]) -> None:
        """From now on, this is how the objects stand."""
        for each in objects:
            self._objects[f"{PATHS[each['object']]}/{each['id']}"] = json.loads(json.dumps(each))

    def put_list(self, path: str, data: list[dict[str, Any]]) -> None:
        self._objects[path] = {"object": "list", "url": path, "has_more": False, "data": data}

    def remove(self, kind: str, object_id: str) -> None:
        del self._objects[f"{PATHS[kind]}/{object_id}"]

    def hold_next(self, kind: str, object_id: str) -> Gate:
        gate = Gate()
        self._gates.setdefault(f"{PATHS[kind]}/{object_id}", []).append(gate)
        return gate

    def fail(self, kind: str, object_id: str, *, times: int, status: int, code: str = "") -> None:
        self._failures.setdefault(f"{PATHS[kind]}/{object_id}", []).extend([(status, code)] * times)

    def api(self) -> StripeApi:
        """A client that does not wait between its tries."""
        return StripeApi(SecretStr("sk_test_standin"), self.url, sleep=lambda _: None)

    def answer(self, path: str) -> tuple[int, bytes]:
        self.calls.append(path)
        status, body = self._looked_up(path)
        answer = json.dumps(body).encode()
        if self._gates.get(path):
            self._gates[path].pop(0).hold()
        return status, answer

    def _looked_up(self, path: str) -> tuple[int, Any]:
        if self._failures.get(path):
            status, code = self._failures[path].pop(0)
            return status, {"error": {"type": "api_error", "code": code, "message": f"scripted {status}"}}
        if path in self._objects:
            return 200, self._objects[path]
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": f"No {path}"}}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, body = made.answer(unquote(urlsplit(self.path).path))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed hangs up without a word. That is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    made = StandIn(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
