"""Sending one event over HTTP: as Stripe does, with a time limit and an eye on where it goes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from paydesk.emulator.deliveries.attempts import ANSWER_CHARACTERS_MAX, Outcome
from paydesk.emulator.deliveries.reach import is_this_machine

if TYPE_CHECKING:
    import httpx2

HEADERS = {
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
}
CONNECTIONS_KEPT = 20
CONNECTION_KEPT_SECONDS = 30.0


class Client:
    """Posts to endpoints; connections are kept for the next event."""

    def __init__(self, *, anywhere: bool, timeout_seconds: float, connections_max: int) -> None:
        self._anywhere = anywhere
        self._timeout_seconds = timeout_seconds
        self._connections_max = connections_max
        self._http: httpx2.AsyncClient | None = None

    async def post(self, url: str, body: bytes, signature: str) -> Outcome:
        """One attempt. Anything but an answer in time comes back as an outcome without a status."""
        if not self._anywhere and not is_this_machine(url):
            return Outcome(
                None,
                "Not sent: the local Stripe delivers to this machine only. "
                "Start it with --deliver-anywhere to deliver to other hosts too.",
                0,
                is_refused=True,
            )
        import httpx2

        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, answer = await self._exchange(url, body, signature)
        except TimeoutError:
            status, answer = None, f"No answer within {self._timeout_seconds:g} seconds."
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            status, answer = None, f"{type(error).__name__}: {error}"
        return Outcome(status, answer, round((time.perf_counter() - began) * 1000))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _exchange(self, url: str, body: bytes, signature: str) -> tuple[int, str]:
        headers = {**HEADERS, "Stripe-Signature": signature}
        async with self._client().stream("POST", url, content=body, headers=headers) as response:
            answer = b""
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > ANSWER_CHARACTERS_MAX:
                    break
            return response.status_code, answer.decode("utf-8", "replace")

    def _client(self) -> httpx2.AsyncClient:
        if self._http is None:
            # Imported at the first delivery: the server starts faster without it.
            import httpx2

            self._http = httpx2.AsyncClient(
                # Certificates on this machine are self-made; anywhere else they must be right.
                verify=self._anywhere,
                follow_redirects=False,
                trust_env=False,
                timeout=None,
                limits=httpx2.Limits(
                    max_connections=self._connections_max,
                    max_keepalive_connections=CONNECTIONS_KEPT,
                    keepalive_expiry=CONNECTION_KEPT_SECONDS,
                ),
            )
        return self._http
