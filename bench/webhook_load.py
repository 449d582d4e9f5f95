"""Signed webhooks, as many and as fast as they are asked for, and what became of them.

    python -m bench.webhook_load --url http://127.0.0.1:8000/webhooks/stripe --secret whsec_x -n 2000 -c 8
    … --kind invoice.paid               other events
    … --objects 50                      fifty objects, n / 50 events about each
    … --duplicate 3 --shuffle           each event three times, in no order
    … --rate 200                        200 events a second, whatever comes back
    … --start 5000                      other ids than the last run
    … --cpu server=123 --cpu db=456     and the processor time of these process trees

What the clock says suffers from neighbours on a shared machine; processor time per event does not.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bench import stripe_objects as stripe
from bench.servers import cpu_seconds

SILENT, CUT = -1, -2  # where others have a status: no answer in time, no connection

Change = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A type of event: the object it is about, and what of it was different before."""

    of: Callable[[int, int], stripe.Json]
    before: Change | None = None
    changes: Change = lambda _index: {}


def _ended(index: int) -> dict[str, Any]:
    return {"status": "canceled", "canceled_at": stripe.BEGAN + index, "ended_at": stripe.BEGAN + index}


KINDS = {
    "customer.subscription.created": Kind(stripe.subscription),
    "customer.subscription.updated": Kind(
        stripe.subscription, lambda revision: {"cancel_at_period_end": not revision % 2, "quantity": revision}
    ),
    "customer.subscription.deleted": Kind(stripe.subscription, changes=_ended),
    "customer.updated": Kind(stripe.customer, lambda _revision: {"name": "Old name"}),
    "invoice.paid": Kind(stripe.invoice),
    "payment_intent.succeeded": Kind(stripe.payment_intent),
    "checkout.session.completed": Kind(stripe.checkout_session),
}


@dataclass(frozen=True)
class Load:
    """What is sent: `count` different events about `objects` objects (as many as events, unless it is told)."""

    url: str
    secret: str
    count: int
    concurrency: int = 8
    kind: str = "customer.subscription.updated"
    objects: int = 0
    object_start: int = 0
    start: int = 0
    revision: int = 0
    created: int | None = None
    duplicate: int = 1
    shuffle: bool = False
    seed: int = 1
    rate: float = 0
    timeout_seconds: float = 30
    headers: tuple[str, ...] = ()
    keep_alive: bool = True
    livemode: bool = False
    api_version: str = stripe.API_VERSION


@dataclass(frozen=True)
class Outcome:
    """What became of a load. In an open loop latency counts from when the event was due."""

    requests: int
    seconds: float
    events_per_second: float
    ok: int
    statuses: dict[int, int]
    body_bytes_mean: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    first_sent_at: float


def event(
    kind: str, number: int, index: int, revision: int, *, created: int, livemode: bool, api_version: str
) -> stripe.Json:
    """The event of that number: a pure function of what is given."""
    about = KINDS[kind]
    subject = {**about.of(index, revision), **about.changes(index), "livemode": livemode}
    data: stripe.Json = {"object": subject}
    if about.before is not None:
        data["previous_attributes"] = about.before(revision)
    return {
        "id": f"evt_load{number:012d}",
        "object": "event",
        "api_version": api_version,
        "created": created,
        "data": data,
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": f"req_load{number:010d}", "idempotency_key": None},
        "type": kind,
    }


def bodies(load: Load) -> list[bytes]:
    """Every request's body, in the order they are sent."""
    objects = load.objects or load.count
    made: list[bytes] = []
    for nth in range(load.count):
        told = event(
            load.kind,
            load.start + nth,
            load.object_start + nth % objects,
            load.revision + nth // objects,
            created=int(time.time()) if load.created is None else load.created,
            livemode=load.livemode,
            api_version=load.api_version,
        )
        made += [json.dumps(told).encode()] * load.duplicate
    if load.shuffle:
        random.Random(load.seed).shuffle(made)
    return made


def sign(body: bytes, secret: str) -> str:
    """The header that signs the body at this moment."""
    stamp = int(time.time())
    signature = hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={signature}"


def send(load: Load, made: Sequence[bytes] | None = None) -> Outcome:
    """Send it all; `made` is what `bodies(load)` gives, where it was prepared before."""
    return asyncio.run(_send(load, bodies(load) if made is None else made))


async def _send(load: Load, made: Sequence[bytes]) -> Outcome:
    url = urlsplit(load.url)
    took: list[float] = []
    statuses: Counter[int] = Counter()
    waiting = iter(enumerate(made))
    first_sent_at, began = time.time(), time.perf_counter()

    async def connection() -> None:
        line = Line(url, load)
        for nth, body in waiting:
            due = began + nth / load.rate if load.rate else None
            if due is not None and (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            since = time.perf_counter() if due is None else due
            statuses[await line.post(body, sign(body, load.secret))] += 1
            took.append(time.perf_counter() - since)
        line.close()

    await asyncio.gather(*(connection() for _ in range(load.concurrency)))
    seconds = time.perf_counter() - began
    marks = statistics.quantiles(took, n=100)
    return Outcome(
        requests=len(made),
        seconds=seconds,
        events_per_second=len(made) / seconds,
        ok=sum(number for status, number in statuses.items() if 200 <= status < 300),
        statuses=dict(sorted(statuses.items())),
        body_bytes_mean=sum(map(len, made)) // len(made),
        p50_ms=marks[49] * 1000,
        p90_ms=marks[89] * 1000,
        p99_ms=marks[98] * 1000,
        max_ms=max(took) * 1000,
        first_sent_at=first_sent_at,
    )


class Line:
    """One HTTP connection, made by hand, to leave the processor to the server."""

    def __init__(self, url: SplitResult, load: Load) -> None:
        self._url = url
        self._load = load
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._head = "\r\n".join(
            [
                f"POST {path} HTTP/1.1",
                f"Host: {url.netloc}",
                "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Content-Type: application/json; charset=utf-8",
                f"Connection: {'keep-alive' if load.keep_alive else 'close'}",
                *load.headers,
                "",
            ]
        )

    async def post(self, body: bytes, signature: str) -> int:
        """The answer's status. A kept connection that the server had closed meanwhile is opened once more."""
        was_kept = self._streams is not None
        try:
            return await asyncio.wait_for(self._post(body, signature), self._load.timeout_seconds)
        except TimeoutError:
            self.close()
            return SILENT
        except (OSError, asyncio.IncompleteReadError):
            self.close()
        return await self.post(body, signature) if was_kept else CUT

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _post(self, body: bytes, signature: str) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._url.hostname, self._url.port or 80)
        reader, writer = self._streams
        head = f"{self._head}Content-Length: {len(body)}\r\nStripe-Signature: {signature}\r\n\r\n"
        writer.write(head.encode() + body)
        status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        await _read_body(reader, headers)
        if not self._load.keep_alive or headers.get("connection", "").lower() == "close":
            self.close()
        return int(status_line.split(" ", 2)[1])


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    if headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))


def _read_arguments(given: Sequence[str] | None) -> tuple[Load, dict[str, int], str]:
    parser = argparse.ArgumentParser(
        "python -m bench.webhook_load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("-n", dest="count", type=int, default=2000, help="how many different events")
    parser.add_argument("-c", dest="concurrency", type=int, default=8, help="how many connections")
    parser.add_argument("--kind", default=Load.kind, choices=sorted(KINDS))
    parser.add_argument("--objects", type=int, default=0, help="how many objects they are about (default: n)")
    parser.add_argument("--object-start", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first event: ids must differ between runs")
    parser.add_argument("--revision", type=int, default=0, help="first revision of each object")
    parser.add_argument("--created", type=int, help="when Stripe made the events (default: now)")
    parser.add_argument("--duplicate", type=int, default=1, help="send each event so many times")
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0, help="so many a second, instead of one after the other")
    parser.add_argument("--timeout-seconds", type=float, default=Load.timeout_seconds)
    parser.add_argument("--header", dest="headers", action="append", default=[])
    parser.add_argument("--no-keep-alive", dest="keep_alive", action="store_false")
    parser.add_argument("--livemode", action="store_true")
    parser.add_argument("--api-version", default=stripe.API_VERSION)
    parser.add_argument("--cpu", action="append", default=[], metavar="NAME=PID", help="processor time of a tree, too")
    parser.add_argument("--label", default="")
    chosen = vars(parser.parse_args(given))
    trees = {name: int(pid) for name, _, pid in (each.partition("=") for each in chosen.pop("cpu"))}
    label: str = chosen.pop("label")
    load = Load(**chosen)
    return replace(load, headers=tuple(load.headers)), trees, label


def main(given: Sequence[str] | None = None) -> int:
    """Send what the arguments ask for and print the outcome as JSON; 1 unless everything was answered with a 2xx."""
    load, trees, label = _read_arguments(given)
    before = {name: cpu_seconds(pid) for name, pid in trees.items()}
    outcome = send(load)
    told = {"label": label, "url": load.url, "kind": load.kind, "concurrency": load.concurrency, **asdict(outcome)}
    if trees:
        told["cpu_ms_per_request"] = {
            name: (cpu_seconds(pid) - before[name]) * 1000 / outcome.requests for name, pid in trees.items()
        }
    json.dump(
        {name: round(value, 3) if isinstance(value, float) else value for name, value in told.items()}, sys.stdout
    )
    print()
    return 0 if outcome.ok == outcome.requests else 1


if __name__ == "__main__":
    sys.exit(main())
