"""The webhook: what Stripe tells one desk, kept before it is answered.

It is the one route that is called all the time, so for ASGI it is an application of its own, which takes what it needs
straight from the server: the raw body, which the signature is over, and one header.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from paydesk.billing.log import get_logger
from paydesk.errors import MalformedEvent, PaydeskError, PayloadTooLarge, SignatureRefused, WrongMode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from paydesk.billing.desk import Paydesk

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

logger = get_logger(__name__)

RECEIVED = b'{"received":true}'
REFUSALS = (PayloadTooLarge, SignatureRefused, MalformedEvent, WrongMode)


class Disconnected(Exception):
    """The other side hung up before it had said everything."""


class Webhook:
    """Keeps what Stripe tells one desk."""

    def __init__(self, desk: Paydesk) -> None:
        self.desk = desk

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            body = await read_body(receive, headers.get(b"content-length", b""), self.desk.webhook_bytes_max)
        except Disconnected:
            return
        status, answer = await self._answer(body, headers.get(b"stripe-signature"))
        length = str(len(answer)).encode()
        about = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": about})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, body: bytes | None, signature: bytes | None) -> tuple[int, bytes]:
        """It is only answered with 200 once it is on disk."""
        if body is None:
            return _refused(PayloadTooLarge(self.desk.webhook_bytes_max))
        try:
            await self.desk.receive_async(body, signature.decode("latin-1") if signature is not None else None)
        except REFUSALS as error:
            return _refused(error)
        return 200, RECEIVED


def answer_to(desk: Paydesk, body: bytes | None, signature: str | None) -> tuple[int, bytes]:
    """The same for synchronous code: status and body. `body` is None if it is larger than `desk.webhook_bytes_max`."""
    if body is None:
        return _refused(PayloadTooLarge(desk.webhook_bytes_max))
    try:
        desk.receive(body, signature)
    except REFUSALS as error:
        return _refused(error)
    return 200, RECEIVED


async def read_body(receive: Receive, declared: bytes, bytes_max: int) -> bytes | None:
    """The raw body, or None as soon as it is known to be larger than it may be. Raises Disconnected.

    `declared` is the Content-Length header, empty where there is none.
    """
    if declared.isdigit() and int(declared) > bytes_max:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _refused(error: PaydeskError) -> tuple[int, bytes]:
    status = 413 if isinstance(error, PayloadTooLarge) else 400
    if status == 400:
        logger.warning("%s", error)
    return status, json.dumps({"error": {"message": str(error)}}).encode()
