"""The local Stripe that all tests of a process share: one thread, and a sandbox for each test.

It answers over HTTP, as any Stripe does, and to tests in its own process without. Its clock stands still: time passes
in a sandbox when its test says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import stripe
import uvicorn

from paydesk.emulator import server as local
from paydesk.emulator.app import Front, create_app
from paydesk.emulator.kernel.kernel import Options
from paydesk.testing.asgi import Answer, Loop, Request, call
from paydesk.testing.line import Line
from paydesk.testing.misuse import Misused
from paydesk.testing.sandbox import LocalStripe

if TYPE_CHECKING:
    from datetime import datetime

    from paydesk.billing.catalog import Catalog


class Server:
    """A local Stripe in memory, whose sandboxes begin at one moment, with the same ids each time."""

    def __init__(self, begins_at: datetime) -> None:
        moment = begins_at.timestamp()
        self._socket = local.listen(0)
        self.url = local.url_of(self._socket)
        self.front: Front = create_app(None, Options(base_url=self.url, seed="paydesk"), now=lambda: moment)
        self._uvicorn = _Ready(
            uvicorn.Config(self.front, log_config=None, access_log=False, lifespan="on", server_header=False)
        )
        self._loop = Loop("local-stripe")
        self._serving = self._loop.start(self._uvicorn.serve(sockets=[self._socket]))
        self._uvicorn.is_ready.wait()
        self._used: Counter[str] = Counter()
        self._shelves: list[tuple[Catalog, str]] = []

    def ask(self, request: Request) -> Answer:
        """Ask it, from any thread but its own."""
        return self._loop.run(call(self.front, request))

    async def ask_async(self, request: Request) -> Answer:
        """The same, for coroutines."""
        return await self._loop.run_async(call(self.front, request))

    def control(self, key: str, method: str, path: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask one of the controls under /_local. Raises Misused with what it says to nonsense."""
        body = b"" if fields is None else json.dumps(fields).encode()
        answer = self.ask(Request(method, f"{self.url}/_local{path}", {"authorization": f"Bearer {key}"}, body))
        said: dict[str, Any] = json.loads(answer.body)
        if answer.status >= 400:
            raise Misused(said["error"]["message"])
        return said

    def sandbox(self, name: str) -> LocalStripe:
        """An empty sandbox for a test of that name, which nobody has used."""
        self._used[name] += 1
        return LocalStripe(self, f"sk_test_{hashlib.sha256(f'{name} {self._used[name]}'.encode()).hexdigest()[:16]}")

    def client(self, key: str, line: Line | None = None) -> stripe.StripeClient:
        """The official client."""
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, max_network_retries=0, http_client=line or Line(self)
        )

    def close(self) -> None:
        """Stop, and forget everything."""
        self._uvicorn.should_exit = True
        self._serving.result()
        self._loop.close()
        self._socket.close()

    def shelf(self, catalog: Catalog) -> str:
        """The key of a sandbox in which only this catalog is on sale: pushed once, copied for each test."""
        for known, key in self._shelves:
            if known == catalog:
                return key
        key = f"sk_test_shelf{len(self._shelves)}"
        catalog.push(self.client(key))
        self._shelves.append((catalog, key))
        return key


class _Ready(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        # What runs beside it, clock and deliveries, has its first turn before anybody asks.
        await asyncio.sleep(0)
        self.is_ready.set()
