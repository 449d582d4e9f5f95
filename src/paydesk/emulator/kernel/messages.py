"""A request and its answer, as the kernel sees them: no HTTP server is known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """What came over the wire. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


class Answered(NamedTuple):
    """What goes back: JSON, under the headers that are this answer's own."""

    status: int
    headers: Mapping[str, str]
    body: bytes
