"""The line between the library and the local Stripe: no socket, the same bytes, and everything that can go wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import stripe

from paydesk.emulator.kernel.messages import Answered, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sim.universe import Universe


# A number that could be somebody's, and one that live mode knows to be a test card's, and declines.
GOOD_NUMBER, TEST_NUMBER = "4539578763621486", "4242424242424242"


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
        # While the answer is on its way the world goes on: it is old when it is read.
        if universe.strikes("answer_late", what):
            if method == "get":
                universe.seller.touch(parts.path)
            universe.delay()
        universe.baton.pause()
        return answered.body, answered.status, dict(answered.headers)

    def ask(self, method: str, path: str, **fields: str) -> int:
        """Ask Stripe without the app, and without fail: as its hosted pages and its dashboard do."""
        return self._asked(method, path, fields).status

    def pay(self, session: str, card: str, email: str) -> int:
        """Pay on a hosted page with one of the test cards; live mode takes none, but other cards."""
        if self._universe.is_live:
            number = GOOD_NUMBER if card == "pm_card_visa" else TEST_NUMBER
            saved = {"type": "card", "card[number]": number, "card[exp_month]": "1", "card[exp_year]": "2040"}
            made = self._asked("POST", "/v1/payment_methods", saved)
            if made.status != 200:
                return made.status
            card = json.loads(made.body)["id"]
        return self.ask("POST", f"/v1/payment_pages/{session}/confirm", payment_method=card, email=email)

    def _asked(self, method: str, path: str, fields: Mapping[str, str]) -> Answered:
        headers = {"authorization": f"Bearer {self._universe.key}"}
        answered = self._universe.kernel.answer(Request(method, path, "", headers, urlencode(fields).encode()))
        if answered.status not in (200, 400, 402, 404):
            raise AssertionError(f"{path}: {answered.status} {json.loads(answered.body)}")
        return answered

    def close(self) -> None:
        """There is nothing to close."""


def _silence(message: str) -> Exception:
    unreachable: Any = stripe.APIConnectionError
    error: Exception = unreachable(message, should_retry=True)
    return error


def _failure(status: int, code: str | None, message: str) -> tuple[bytes, int, dict[str, str]]:
    error = {"type": "invalid_request_error" if status == 429 else "api_error", "message": message, "code": code}
    return json.dumps({"error": error}).encode(), status, {}
