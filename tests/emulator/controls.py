"""The controls of one sandbox, asked over HTTP as anybody would."""

from __future__ import annotations

import ssl
from typing import Any

import httpx2

# Nothing here is encrypted, and to read the machine's certificates takes longer than most tests.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Controls:
    """What is under /_local, with the sandbox's key."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx2.Client(
            base_url=f"{url}/_local",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> httpx2.Response:
        """Any answer."""
        return self._http.request(method, path, json=fields)

    def get(self, path: str) -> dict[str, Any]:
        return self._good(self.ask("GET", path))

    def post(self, path: str, /, **fields: Any) -> dict[str, Any]:
        return self._good(self.ask("POST", path, fields))

    def delete(self, path: str) -> dict[str, Any]:
        return self._good(self.ask("DELETE", path))

    def push(self, seconds: int) -> None:
        """Push the clock; comes back when everything that was due has happened and was delivered."""
        self.post("/clock/advance", seconds=seconds)

    def settle(self) -> None:
        """Come back when everything that is due now was delivered."""
        self.push(0)

    def deliveries(self, event: str) -> list[dict[str, Any]]:
        """An event's deliveries, with their attempts."""
        found: list[dict[str, Any]] = self.get(f"/events/{event}/deliveries")["deliveries"]
        return found

    def close(self) -> None:
        self._http.close()

    @staticmethod
    def _good(response: httpx2.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer
