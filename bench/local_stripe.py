"""How much of the floor's speed the local Stripe keeps: writes and reads, side by side."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from bench import load
from bench.servers import Server, running

ROUNDS = 3
COUNT = 2_000
CONCURRENCY = 8

FORM = "application/x-www-form-urlencoded"
KEY = {"Authorization": "Bearer sk_test_bench", "Stripe-Version": "2026-10-28.endive"}
CUSTOMER = b"email=ada%40example.com&name=Ada&metadata[plan]=pro&address[line1]=1+Road&address[city]=London"
SESSION = (
    b"mode=payment&success_url=https%3A%2F%2Fexample.com%2Fthanks&cancel_url=https%3A%2F%2Fexample.com%2Fpricing"
    b"&client_reference_id=order_1&metadata[order]=1&line_items[0][quantity]=1&line_items[0][price]="
)


@dataclass(frozen=True)
class Pair:
    """What is asked of us, and what is asked of the floor."""

    name: str
    ours: Callable[[int], bytes]
    floor: Callable[[int], bytes]
    goal: float


def main() -> None:
    """Alternate between both servers and print the medians of their ratios."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running("paydesk", "stripe", "--port", "0", "--data", folder) as ours,
        running("bench.floor_stripe", folder) as floor,
    ):
        print(f"\nLocal Stripe against the floor ({ROUNDS} rounds of {COUNT} requests, {CONCURRENCY} connections)")
        print(f"{'':28}{'ours /s':>10}{'floor /s':>10}{'rate':>8}{'cpu':>8}{'goal':>8}{'p99 ms':>9}")
        for pair in _pairs(ours):
            _compare(pair, ours, floor)
        print(f"resident after all this: {ours.memory_mb():.0f} MB")


def _compare(pair: Pair, ours: Server, floor: Server) -> None:
    rates, ratios, cpu_ratios = [], [], []
    for number in range(ROUNDS):
        before = ours.cpu_seconds(), floor.cpu_seconds()
        numbers = range(number * COUNT, (number + 1) * COUNT)
        mine = load.run(ours.url, pair.ours, numbers, concurrency=CONCURRENCY)
        its = load.run(floor.url, pair.floor, numbers, concurrency=CONCURRENCY)
        rates.append((mine, its))
        ratios.append(mine.per_second / its.per_second)
        cpu_ratios.append((floor.cpu_seconds() - before[1]) / (ours.cpu_seconds() - before[0]))
    mine, its = rates[ratios.index(statistics.median(ratios))]
    print(
        f"{pair.name:28}{mine.per_second:10.0f}{its.per_second:10.0f}{statistics.median(ratios):8.0%}"
        f"{statistics.median(cpu_ratios):8.0%}{pair.goal:8.0%}{mine.p99_ms:9.2f}"
    )


def _pairs(ours: Server) -> list[Pair]:
    customer = _create(ours, "/v1/customers", CUSTOMER)
    price = _create(ours, "/v1/prices", b"unit_amount=1900&currency=usd&product_data[name]=Ebook")
    session = SESSION + price.encode()

    def keyed(path: str, body: bytes) -> Callable[[int], bytes]:
        kind = path.rsplit("/", 1)[1]
        return lambda n: load.post(path, body, KEY | {"Content-Type": FORM, "Idempotency-Key": f"{kind}-{n}"})

    def bare(body: bytes) -> Callable[[int], bytes]:
        return lambda _: load.post("/things", body, {"Content-Type": FORM})

    return [
        Pair("POST /v1/customers", keyed("/v1/customers", CUSTOMER), bare(CUSTOMER), 0.4),
        Pair("POST /v1/checkout/sessions", keyed("/v1/checkout/sessions", session), bare(session), 0.4),
        Pair(
            "GET /v1/customers/:id",
            lambda _: load.get(f"/v1/customers/{customer}", KEY),
            lambda _: load.get("/things/one", {}),
            0.5,
        ),
    ]


def _create(server: Server, path: str, body: bytes) -> str:
    identifier: str = server.ask(path, KEY | {"Content-Type": FORM}, body)["id"]
    return identifier
