"""A request and its answer, as the kernel sees them: no HTTP server is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What came over the wire. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answered:
    """What goes back: JSON, under the headers that are this answer's own."""

    status: int
    headers: Mapping[str, str]
    body: bytes
