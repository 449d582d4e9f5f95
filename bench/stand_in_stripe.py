"""A stand-in for Stripe's API: shows the load's objects as they stand, after as long as it is told to take.

It counts who asks for what. `POST /control` sets the revision that every object is at, the latency and the mode, and
counts from nought again; `GET /control` tells the count.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from bench import stripe_objects as stripe
from paydesk.emulator.server import listen, url_of

Message = MutableMapping[str, Any]

ACCOUNT = {"id": "acct_load", "object": "account", "country": "US", "created": stripe.BEGAN, "email": "a@example.com"}


class StandIn:
    """The ASGI application."""

    def __init__(self) -> None:
        self._revision = 0
        self._latency_seconds = 0.0
        self._livemode = False
        self._calls: Counter[str] = Counter()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["path"] == "/control":
            status, answer = 200, self._control((await receive()).get("body", b""))
        else:
            await asyncio.sleep(self._latency_seconds)
            status, answer = self._show(scope["path"])
        body = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _control(self, body: bytes) -> Any:
        if body:
            told = json.loads(body)
            self._revision, self._latency_seconds = told["revision"], told["latency_seconds"]
            self._livemode = told["livemode"]
            self._calls.clear()
        return dict(self._calls)

    def _show(self, path: str) -> tuple[int, Any]:
        kind, _, object_id = path.rpartition("/")
        self._calls[path if path == "/v1/account" else kind] += 1
        if path == "/v1/account" or object_id == ACCOUNT["id"]:
            return 200, ACCOUNT
        if object_id in ("features", "events"):
            return 200, {"object": "list", "data": [], "has_more": False, "url": path}
        if kind in stripe.SHOWN:
            shown = stripe.SHOWN[kind](stripe.index_of(object_id), self._revision)
            return 200, {**shown, "livemode": self._livemode}
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": f"No {path}"}}


def main() -> None:
    """Serve on a free port."""
    listening = listen(0)
    print(f"The stand-in listens on {url_of(listening)}", flush=True)
    config = uvicorn.Config(StandIn(), lifespan="off", log_config=None, access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
