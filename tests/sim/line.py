"""The line between the library and the local Stripe: no socket, the same bytes, and everything that can go wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import stripe

from paydesk.emulator.kernel.messages import Request

if TYPE_CHECKING:
    from tests.sim.universe import Universe


class Line(stripe.HTTPClient):
    """The official client's way to the local Stripe. It may be silent, busy, broken, or slow to answer."""

    name = "simulated"

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> Any:
        universe, parts = self._universe, urlsplit(url)
        what = f"{method.upper()} {parts.path}"
        universe.baton.pause()
        if universe.strikes("api_silent", what):
            raise _silence("The request did not arrive.")
        if universe.strikes("api_busy", what):
            return _failure(429, "lock_timeout", "This object cannot be accessed right now.")
        if universe.strikes("api_error", what):
            return _failure(500, None, "An unknown error occurred.")
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        lowered = {name.lower(): value for name, value in headers.items()}
        answered = universe.kernel.answer(Request(method.upper(), parts.path, parts.query, lowered, body))
        universe.note(f"{what} -> {answered.status}")
        if universe.strikes("answer_lost", what):
            raise _silence("The answer was lost.")
        # While the answer is on its way the world goes on: it may be old when it is read.
        if universe.strikes("answer_late", what):
            universe.delay()
        universe.baton.pause()
        return answered.body, answered.status, dict(answered.headers)

    def close(self) -> None:
        """There is nothing to close."""


def _silence(message: str) -> Exception:
    unreachable: Any = stripe.APIConnectionError
    error: Exception = unreachable(message, should_retry=True)
    return error


def _failure(status: int, code: str | None, message: str) -> tuple[bytes, int, dict[str, str]]:
    error = {"type": "invalid_request_error" if status == 429 else "api_error", "message": message, "code": code}
    return json.dumps({"error": error}).encode(), status, {}
