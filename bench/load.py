"""A load on loopback, small enough not to be what is measured: raw requests over kept-alive connections."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Rate:
    """Requests answered in a second, and how long one took (milliseconds)."""

    per_second: float
    p50_ms: float
    p99_ms: float


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST as it goes over the wire."""
    return _head("POST", path, headers | {"Content-Length": str(len(body))}) + body


def get(path: str, headers: dict[str, str]) -> bytes:
    """A GET as it goes over the wire."""
    return _head("GET", path, headers)


def run(url: str, request: Callable[[int], bytes], numbers: range, *, concurrency: int) -> Rate:
    """Send `request(n)` for each of the numbers, over that many connections; every answer must be a 200.

    Raises:
        RuntimeError: An answer was not a 200; its first line and body are in the message.
    """
    return asyncio.run(_run(url, request, numbers, concurrency))


async def _run(url: str, request: Callable[[int], bytes], numbers: range, concurrency: int) -> Rate:
    parts = urlsplit(url)
    waiting = iter(numbers)
    took: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in waiting:
            began = time.perf_counter()
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            took.append(time.perf_counter() - began)
            if b" 200 " not in head[:16]:
                raise RuntimeError(f"{head.splitlines()[0].decode()}: {body[:300]!r}")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(concurrency)))
    seconds = time.perf_counter() - began
    marks = statistics.quantiles(took, n=100)
    return Rate(len(numbers) / seconds, marks[49] * 1000, marks[98] * 1000)


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
