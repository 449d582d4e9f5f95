"""How much of the floor's speed receiving keeps, on SQLite and on PostgreSQL.

A row `A on B` is our routes inside A against a bare server in B.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import load
from bench.servers import Server, running
from tests import postgres

ROUNDS = 5
COUNT = 3_000
CONCURRENCY = 16
SECRET = "whsec_bench"
CATALOG = '[products.ebook]\nname = "E-book"\nprice = "$19"\n'


def main() -> None:
    """Alternate between both servers and print the medians of their ratios."""
    print(f"\nReceiving signed events of {len(body_of(0))} bytes against the floor ")
    print(f"({ROUNDS} rounds of {COUNT} events, {CONCURRENCY} connections)")
    print(f"{'':36}{'ours /s':>10}{'floor /s':>10}{'rate':>8}{'cpu':>8}{'goal':>8}{'p99 ms':>9}")
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "paydesk.toml"
        catalog.write_text(CATALOG, encoding="utf-8")
        with postgres.launch(durable=True) as server:
            # The last row is what a user of the FastAPI adapter pays, framework included.
            for ours_in, floor_in in (("Starlette", "Starlette"), ("FastAPI", "FastAPI"), ("FastAPI", "Starlette")):
                pair = f"{ours_in} on {floor_in}"
                ours, floor = (f"sqlite:///{folder}/{pair}-{name}.db" for name in ("ours", "floor"))
                _compare(f"SQLite, {pair}", ours, floor, catalog, ours_in, floor_in)
                url = server.url(server.create())
                _compare(f"PostgreSQL, {pair}", url, url, catalog, ours_in, floor_in)


def _compare(name: str, ours_url: str, floor_url: str, catalog: Path, ours_in: str, floor_in: str) -> None:
    with (
        running("bench.desk_receive", ours_url, SECRET, str(catalog), ours_in) as ours,
        running("bench.floor_receive", floor_url, SECRET, floor_in) as floor,
    ):
        rates, ratios, cpu_ratios = [], [], []
        for number in range(ROUNDS):
            numbers = range(number * COUNT, (number + 1) * COUNT)
            before = ours.cpu_seconds(), floor.cpu_seconds()
            mine, its = _rate(ours, numbers), _rate(floor, numbers)
            rates.append((mine, its))
            ratios.append(mine.per_second / its.per_second)
            cpu_ratios.append((floor.cpu_seconds() - before[1]) / (ours.cpu_seconds() - before[0]))
    mine, its = rates[ratios.index(statistics.median(ratios))]
    print(
        f"{name:36}{mine.per_second:10.0f}{its.per_second:10.0f}{statistics.median(ratios):8.0%}"
        f"{statistics.median(cpu_ratios):8.0%}{0.8:8.0%}{mine.p99_ms:9.2f}"
    )


def _rate(server: Server, numbers: range) -> load.Rate:
    requests: dict[int, bytes] = {number: _signed(number) for number in numbers}
    send: Callable[[int], bytes] = requests.__getitem__
    return load.run(server.url, send, numbers, concurrency=CONCURRENCY)


def _signed(number: int) -> bytes:
    body = body_of(number)
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={stamp},v1={signature}"}
    return load.post("/webhooks/stripe", body, headers)


def body_of(number: int) -> bytes:
    """An event about a payment, of a size that Stripe's have."""
    intent = {
        "id": f"pi_bench{number:08}",
        "object": "payment_intent",
        "amount": 1900,
        "currency": "usd",
        "customer": f"cus_bench{number % 500:06}",
        "livemode": False,
        "metadata": {"paydesk_order": f"ord_{number:024}"},
        "status": "succeeded",
        "filler": "x" * 2_600,
    }
    event = {
        "id": f"evt_bench{number:08}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "data": {"object": intent},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "payment_intent.succeeded",
    }
    return json.dumps(event).encode()
