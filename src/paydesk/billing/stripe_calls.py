"""Calls to Stripe, as they go out one by one: each try is told to whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import stripe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.billing.watch import Act, Watch


class WatchedClient(stripe.HTTPClient):
    """Has another client make the requests, and tells of them."""

    name = "requests"  # as Stripe is told: the library that makes them

    def __init__(self, carrier: stripe.HTTPClient, watch: Watch) -> None:
        super().__init__(async_fallback_client=carrier)
        self._carrier: Any = carrier  # Stripe has not said what its methods take and give
        self._watch = watch

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> Any:
        with self._watch.during("call", method=method.upper(), path=urlsplit(url).path) as act:
            answer = self._carrier.request(method, url, headers, post_data, **more)
            _note(act, answer[1], answer[2])
            return answer

    def request_stream(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> Any:
        with self._watch.during("call", method=method.upper(), path=urlsplit(url).path) as act:
            answer = self._carrier.request_stream(method, url, headers, post_data, **more)
            _note(act, answer[1], answer[2])
            return answer

    def close(self) -> None:
        self._carrier.close()


def _note(act: Act, status: int, headers: Mapping[str, str]) -> None:
    act.outcome = outcome_of(status)
    act.about["status"] = status
    request_id = next((value for name, value in headers.items() if name.lower() == "request-id"), None)
    if request_id is not None:
        act.about["request_id"] = request_id


def outcome_of(status: int) -> str:
    """What came of a call. Where there was no answer at all, that is "failed"."""
    if status < 400:
        return "ok"
    if status == 429:
        return "rate_limited"
    return "refused" if status < 500 else "broken"
