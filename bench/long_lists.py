"""Whether lists stay fast when they are long: a page of a million customers against a page of a hundred."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from bench import load
from bench.servers import Server, running
from paydesk.emulator.kernel.store import Store

ROUNDS = 3
COUNT = 2_000
CONCURRENCY = 8
SHORT, LONG = 100, 1_000_000
EMAILS = 10


def main() -> None:
    """Print the medians of the ratio, for a plain page, a page from the middle, and one found by an e-mail address."""
    with tempfile.TemporaryDirectory() as folder:
        with running("paydesk", "stripe", "--port", "0", "--data", folder) as server:
            customers = {size: _first_customer(server, size) for size in (SHORT, LONG)}
        for size, customer in customers.items():
            _multiply(Path(folder), customer, size)
        with running("paydesk", "stripe", "--port", "0", "--data", folder) as server:
            print(f"\nListing 10 of {LONG:,} customers against 10 of {SHORT} ({ROUNDS} rounds of {COUNT} requests)")
            print(f"{'':24}{'long /s':>10}{'short /s':>10}{'rate':>8}")
            for name, query in (
                ("newest", "limit=10"),
                ("from the middle", "limit=10&starting_after=cus_{middle}"),
                ("by e-mail", "limit=10&email=7@example.com"),
            ):
                _compare(server, name, query)
            print(f"resident: {server.memory_mb():.0f} MB")


def _compare(server: Server, name: str, query: str) -> None:
    ratios, rates = [], []
    for _ in range(ROUNDS):
        pair = [_rate(server, size, query.format(middle=f"{size // 2:014}")) for size in (LONG, SHORT)]
        rates.append(pair)
        ratios.append(pair[0] / pair[1])
    long, short = rates[ratios.index(statistics.median(ratios))]
    print(f"{name:24}{long:10.0f}{short:10.0f}{statistics.median(ratios):8.0%}")


def _rate(server: Server, size: int, query: str) -> float:
    request = load.get(f"/v1/customers?{query}", {"Authorization": f"Bearer sk_test_{size}"})
    return load.run(server.url, lambda _: request, range(COUNT), concurrency=CONCURRENCY).per_second


def _first_customer(server: Server, size: int) -> dict[str, object]:
    """A customer as the server makes them, in a sandbox of its own."""
    headers = {"Authorization": f"Bearer sk_test_{size}", "Content-Type": "application/x-www-form-urlencoded"}
    customer: dict[str, object] = server.ask("/v1/customers", headers, b"name=Ada")
    return customer


def _multiply(folder: Path, customer: dict[str, object], size: int) -> None:
    """Put that many like it into their sandbox: through the API it would take ten minutes."""
    store = Store(folder)
    (sandbox,) = store.db.execute("SELECT number FROM sandboxes WHERE name = ?", (str(size),)).fetchone()
    (first,) = store.db.execute("SELECT coalesce(max(seq), 0) + 1 FROM objects").fetchone()
    shown = [json.dumps(customer | {"email": f"{n}@example.com"}, separators=(",", ":")) for n in range(EMAILS)]
    bodies = [text.replace(str(customer["id"]), "cus_{:014}", 1).split("{:014}") for text in shown]
    with store.transaction() as db:
        db.executemany(
            "INSERT INTO objects (seq, sandbox, kind, id, created, body) VALUES (?, ?, 'customer', ?, ?, ?)",
            (
                (first + n, sandbox, f"cus_{n:014}", customer["created"], f"{n:014}".join(bodies[n % EMAILS]))
                for n in range(size)
            ),
        )
        db.executemany(
            "INSERT INTO links (sandbox, kind, field, value, seq) VALUES (?, 'customer', 'email', ?, ?)",
            ((sandbox, f"{n % EMAILS}@example.com", first + n) for n in range(size)),
        )
    store.close()
