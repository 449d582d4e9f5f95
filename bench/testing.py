"""What a test of billing costs: its Stripe, its desk and its database, and a call by the ways there are to Stripe."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import stripe

from bench.servers import running
from paydesk import Catalog, Paydesk, Settings
from paydesk.testing.billing import Billing
from paydesk.testing.database import Database
from paydesk.testing.secrets import SECRETS, new_folder
from paydesk.testing.server import Server

TESTS = 200
CALLS = 300
GOAL_MS = 20.0
CATALOG = Path(__file__).parent.parent / "examples" / "flarex_shop" / "paydesk.toml"


def main() -> None:
    """Print what each costs, the median of many."""
    with ExitStack() as stack:
        began = time.perf_counter()
        server = Server(datetime(2026, 3, 2, 9, tzinfo=UTC))
        stack.callback(server.close)
        started = time.perf_counter() - began
        folder = new_folder()
        url = f"sqlite:///{folder / 'app.db'}"
        desk = Paydesk(Settings.read({**SECRETS, "DATABASE_URL": url}), catalog=Catalog.load(CATALOG))
        database = Database(url)
        stack.callback(database.close)
        stack.callback(desk.close)

        def empty() -> None:
            server.sandbox("bench").forget()

        def wired() -> None:
            sandbox = server.sandbox("bench")
            Billing(desk, sandbox, database, None, seed="bench").close()
            sandbox.forget()

        wired()
        print(f"\nA test of billing (medians of {TESTS}, goal {GOAL_MS:.0f} ms; its server started in {started:.2f} s)")
        print(f"{'':40}{'waited ms':>12}{'worked ms':>12}")
        _row("local_stripe, made and forgotten", empty, TESTS)
        _row("billing, made and forgotten", wired, TESTS)
        billing = Billing(desk, server.sandbox("bench"), database, None, seed="bench")
        _row("buy: checkout, page, webhooks, handlers", lambda: _buy(billing), TESTS // 5)
        billing.close()
        _ways(server, stack)


def _row(name: str, what: Callable[[], object], times: int) -> None:
    """What it takes by the clock, and of that by this process's own work: neighbours cost the rest."""
    before = time.process_time()
    waited = _median_ms(what, times)
    print(f"{name:40}{waited:12.2f}{(time.process_time() - before) / times * 1000:12.2f}")


def _buy(billing: Billing) -> None:
    billing.buy("ada", "ebook")


def _ways(server: Server, stack: ExitStack) -> None:
    """The same call without a socket, to a thread of this process, and to another process."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    other = stack.enter_context(running("paydesk", "stripe", "--port", "0", "--data", folder))
    clients = {
        "without a socket": server.sandbox("ways").client,
        "over HTTP, to a thread": _over_http(server.url),
        "over HTTP, to a process": _over_http(other.url),
    }
    costs = {name: _median_ms(client.v1.customers.create, CALLS) for name, client in clients.items()}
    floor = costs["without a socket"]
    print(f"\nPOST /v1/customers by the official client ({CALLS} calls each)")
    for name, cost in costs.items():
        print(f"{name:40}{cost:8.2f} ms{cost / floor:8.1f} x")


def _over_http(url: str) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_ways", base_addresses={"api": url}, http_client=stripe.RequestsClient())


def _median_ms(what: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000
