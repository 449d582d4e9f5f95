"""The local Stripe without any SDK: what goes over the wire, byte by byte."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.schema import check


@dataclass(frozen=True)
class Reply:
    """An answer as it came. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """What the body says, held against Stripe's schema."""
        value = json.loads(self.body)
        check(value)
        return value

    @property
    def error(self) -> dict[str, Any]:
        """The `error` envelope of a refusal."""
        assert self.status >= 400, f"not a refusal: {self.status} {self.body[:200]!r}"
        envelope = self.value
        assert set(envelope) == {"error"}
        found: dict[str, Any] = envelope["error"]
        return found


@dataclass(frozen=True)
class Wire:
    """Somebody who speaks plain HTTP to a local Stripe, with a key or without one."""

    url: str
    key: str | None

    def send(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        authorization = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body, authorization | (headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """Underscores in header names stand for hyphens."""
        return self.send("GET", path, headers=_hyphened(headers))

    def post(self, path: str, body: str | bytes = "", **headers: str) -> Reply:
        """Underscores in header names stand for hyphens."""
        return self.send("POST", path, body, _hyphened(headers))


def _hyphened(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
