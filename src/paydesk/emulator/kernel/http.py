"""The HTTP edge of the API: one small ASGI application around the kernel."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from paydesk.emulator.kernel.errors import StripeError, unexpected
from paydesk.emulator.kernel.group_commit import GroupCommit
from paydesk.emulator.kernel.kernel import Admitted, Kernel
from paydesk.emulator.kernel.messages import Answered, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("paydesk.local")

BODY_BYTES_MAX = 4 * 1024 * 1024
QUERY_BYTES_MAX = 16 * 1024

# The headers the kernel reads; a server has already put their names in lower case.
_READ = {name.encode(): name for name in ("authorization", "idempotency-key", "stripe-account", "stripe-version")}

# What every answer carries.
_STANDING = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-cache, no-store"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Request-Id, Stripe-Manage-Version, Stripe-Should-Retry"),
    (b"vary", b"Origin"),
)


@cache
def _wire(name: str) -> bytes:
    return name.lower().encode()


class Cut(Exception):
    """A request ends without any answer: its connection is cut."""


class Fault(Protocol):
    """Something that goes wrong with a request on purpose. Raising a StripeError answers with it, Cut with nothing."""

    async def before(self) -> None:
        """Before the work: it is not done when this raises."""

    async def after(self) -> None:
        """After the work was committed: only the answer can suffer."""


# The faults that strike a request, decided once for each.
Interference = Callable[[Admitted], "Sequence[Fault]"]


def _nothing_strikes(admitted: Admitted) -> Sequence[Fault]:
    return ()


class Api:
    """Everything under /v1."""

    def __init__(self, kernel: Kernel, interference: Interference = _nothing_strikes) -> None:
        self.kernel = kernel
        self.interference = interference
        self._commits = GroupCommit(kernel.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        answered: Answered | None
        if len(scope["query_string"]) > QUERY_BYTES_MAX:
            answered = self.refuse(StripeError("The URL is longer than Stripe's servers take.", status=414))
        elif body is None:
            answered = self.refuse(StripeError("The request body is larger than the local Stripe takes.", status=413))
        else:
            query = scope["query_string"].decode("latin-1")
            request = Request(scope["method"], scope["path"], query, _headers(scope["headers"]), body)
            try:
                answered = await self._answer(request)
            except sqlite3.Error:
                log.exception("The store failed under %s %s", request.method, request.path)
                answered = self.refuse(unexpected())
        if answered is None:
            await _cut(receive, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": answered.status,
                "headers": [
                    *_STANDING,
                    (b"content-length", b"%d" % len(answered.body)),
                    *((_wire(name), value.encode("latin-1", "replace")) for name, value in answered.headers.items()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": answered.body})

    def refuse(self, refusal: StripeError) -> Answered:
        """An answer in Stripe's envelope, from a layer that knows no sandbox."""
        return self.kernel.refused(Request("", "", "", {}), self.kernel.request_ids.next(), None, refusal)

    async def _answer(self, request: Request) -> Answered | None:
        kernel = self.kernel
        admitted = kernel.admit(request)
        if isinstance(admitted, Answered):
            return admitted
        faults = self.interference(admitted)
        try:
            for fault in faults:
                await fault.before()
            answered = kernel.perform(admitted)
            await self._commits.done()
            for fault in faults:
                await fault.after()
        except StripeError as refusal:
            return kernel.refused(request, admitted.id, admitted.sandbox, refusal)
        except Cut:
            return None
        else:
            return answered
        finally:
            kernel.release(admitted)


def _headers(sent: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """What the kernel reads of the headers. One that was sent twice is both of them, which names no key and no
    version: nothing is chosen for the caller.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in sent:
        name = _READ.get(raw_name)
        if name is not None:
            value = raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _cut(receive: Receive, send: Send) -> None:
    """Close the connection without a word, as a time-out or a broken line would."""
    # ASGI has no word for it: uvicorn's `send` is a method of the object that holds the connection.
    cycle = getattr(send, "__self__", None)
    if cycle is None:
        raise ConnectionAbortedError("cut on purpose; only under uvicorn can this be done without a traceback")
    cycle.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= BODY_BYTES_MAX else None
    chunks = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_BYTES_MAX:
            return None
    return b"".join(chunks)
