"""What applying costs as the inbox grows, what more workers bring, and where the time goes.

The first part fills the inbox with events that are long done, ten thousand and a million, and applies the same new ones
behind them. The second starts one, two and four workers on one PostgreSQL. The third says in whose code a worker's
processor time is spent. Live mode: payloads are believed where they are provably newer, and payments are always read.
"""

from __future__ import annotations

import cProfile
import json
import statistics
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

import psycopg
from pydantic import SecretStr
from sqlalchemy import text

from bench import webhook_load
from bench.servers import Server, cpu_seconds, running
from bench.sides import SECRET, parent_of
from bench.stripe_objects import CATALOG
from bench.webhook_load import Load
from paydesk import Catalog, Paydesk, Settings
from tests import postgres

SIZES = (10_000, 1_000_000)
NEW = 400
ROUNDS = 3
WORKERS = (1, 2, 4)
TOLD = ("customer.subscription.updated", "invoice.paid")
READ = ("payment_intent.succeeded",)
LATENCY_SECONDS = 0.15
WAIT_SECONDS_MAX = 120
KEY = "sk_live_local_bench"

# Copies of an event that was applied, of ten in each lane; what they say is cut short, to fill no disk.
FILL = """
    INSERT INTO events (id, type, lane, object_id, object_type, livemode, created, payload, state, attempts, next_at,
                        received_at, applied_at)
    WITH RECURSIVE series(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM series WHERE n < :last)
    SELECT 'evt_old' || n, type, 'cus_old' || (n / 10), object_id, object_type, livemode, created,
           substr(payload, 1, 300), state, attempts, next_at, received_at, applied_at
    FROM (SELECT * FROM events WHERE state = 'applied' ORDER BY seq DESC LIMIT 1) AS one CROSS JOIN series
"""


@dataclass
class Inbox:
    """A desk on a database of its own, and new events for it, each about an object a little further than before."""

    desk: Paydesk
    api: Server
    database_pid: int | None = None
    events: int = 0
    revision: int = 0
    began: int = field(default_factory=lambda: int(time.time()) - 500)

    def keep(self, number: int, kinds: Sequence[str], latency_seconds: float = 0) -> None:
        """So many new events, evenly about as many objects; Stripe shows those, after so long."""
        self.revision += 1
        stands = {"revision": self.revision, "latency_seconds": latency_seconds, "livemode": True}
        urllib.request.urlopen(self.api.url + "/control", json.dumps(stands).encode()).close()  # noqa: S310 - loopback
        for kind in kinds:
            load = Load(
                "",
                SECRET,
                count=number // len(kinds),
                kind=kind,
                start=self.events,
                revision=self.revision,
                created=self.began + 10 * self.revision,
                livemode=True,
            )
            self.events += load.count
            self.desk._inbox.keep(map(json.loads, webhook_load.bodies(load)))  # noqa: SLF001 - as a sweep does

    def apply(self) -> None:
        """All that is due, in this thread."""
        while self.desk._inbox.apply_due():  # noqa: SLF001 - without the handlers and chores of `work`
            pass

    def cpu_ms_each(self) -> float:
        """Processor time to apply one of some new events, the database's included."""
        self.keep(NEW, TOLD)
        before = self._cpu_seconds()
        self.apply()
        return (self._cpu_seconds() - before) * 1000 / NEW

    def fill(self, number: int) -> None:
        """Have so many events that were applied long ago."""
        store = self.desk.store
        with store.write() as connection:
            held = connection.scalar(text("SELECT count(*) FROM events")) or 0
            connection.execute(text(FILL), {"first": 10_000_000 + held, "last": 10_000_000 + number - 1})
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def _cpu_seconds(self) -> float:
        return time.process_time() + (cpu_seconds(self.database_pid) if self.database_pid else 0.0)


@contextmanager
def inbox(database_url: str, api: Server) -> Iterator[Inbox]:
    """An inbox whose rows exist."""
    settings = Settings(
        stripe_secret_key=SecretStr(KEY),
        stripe_webhook_secrets=(SecretStr(SECRET),),
        stripe_api_base=api.url,
        base_url="http://127.0.0.1:8000",
        database_url=SecretStr(database_url),
    )
    desk = Paydesk(settings, catalog=Catalog.parse(CATALOG))
    desk.open()
    try:
        opened = Inbox(desk, api)
        if desk.store.is_postgresql:
            with psycopg.connect(database_url) as connection:
                opened.database_pid = parent_of(connection.info.backend_pid)
        opened.keep(NEW, TOLD)
        opened.apply()
        yield opened
    finally:
        desk.close()


def grow(name: str, opened: Inbox) -> None:
    """The cost of an event behind few and behind many."""
    costs = []
    for size in SIZES:
        opened.fill(size)
        opened.cpu_ms_each()  # the first finds cold pages
        costs.append(statistics.median(opened.cpu_ms_each() for _ in range(ROUNDS)))
    print(f"{name:36}{costs[0]:10.2f}{costs[1]:12.2f}{costs[1] / costs[0]:8.2f}", flush=True)


def share(name: str, server: postgres.Server, api: Server, kinds: Sequence[str], number: int, latency: float) -> None:
    """Events a second with one worker and with more, from the first that is applied to the last."""
    database_url = server.url(server.create())
    rates = []
    with inbox(database_url, api) as opened, psycopg.connect(database_url, autocommit=True) as connection:
        for workers in WORKERS:
            with ExitStack() as stack:
                for _ in range(workers):
                    command = ("paydesk", "worker", "bench.desk_app:desk")
                    stack.enter_context(running(*command, env=_environment(database_url, api), is_logging=False))
                opened.keep(number, kinds, latency)
                rates.append(_rate(connection, opened.events, number))
    row = "".join(f"{rate:10.0f}" for rate in rates)
    print(f"{name:36}{row}{rates[-1] / rates[0]:8.2f}", flush=True)


def _rate(connection: psycopg.Connection, events: int, number: int) -> float:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while _one(connection, "SELECT count(*) FROM events WHERE state = 'applied'") < events:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Not all of {number} events were applied within {WAIT_SECONDS_MAX} s")
        time.sleep(0.05)
    newest = "(SELECT applied_at FROM events ORDER BY seq DESC LIMIT %s) AS newest"
    query = f"SELECT extract(epoch FROM max(applied_at) - min(applied_at)) FROM {newest}"  # noqa: S608 - our own words
    return number / max(float(_one(connection, query, number)), 0.001)


def _one(connection: psycopg.Connection, query: str, *parameters: int) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    return row[0] if row else 0


def _environment(database_url: str, api: Server) -> dict[str, str]:
    return {
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": api.url,
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": database_url,
    }


def profile(name: str, opened: Inbox, kinds: Sequence[str]) -> None:
    """In whose code the time of a worker's thread goes, waiting for the database and for Stripe included."""
    opened.keep(NEW, kinds)
    opened.apply()
    opened.keep(NEW, kinds)
    profiler = cProfile.Profile()
    profiler.runcall(opened.apply)
    spent: defaultdict[str, float] = defaultdict(float)
    for entry in profiler.getstats():
        spent[_whose(entry.code)] += entry.inlinetime
    total = sum(spent.values())
    most = sorted(spent.items(), key=lambda each: -each[1])[:7]
    shares = ", ".join(f"{whose} {seconds / total:.0%}" for whose, seconds in most)
    print(f"{name}: {shares}", flush=True)


def _whose(code: CodeType | str) -> str:
    place = code if isinstance(code, str) else code.co_filename
    for package in ("sqlalchemy", "psycopg", "requests", "urllib3", "stripe", "paydesk", "json"):
        if f"/{package}" in place or f"{package}." in place:
            return "requests" if package == "urllib3" else package
    return "sockets" if "socket" in place or "poll" in place or "select" in place else "Python"


def main() -> None:
    """Print the three parts, one after the other."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = stack.enter_context(postgres.launch(durable=True))
        api = stack.enter_context(running("bench.stand_in_stripe"))
        print(f"\nProcessor time for an event behind so many rows (ms; {ROUNDS} rounds of {NEW} events)")
        print(f"{'':36}{SIZES[0]:10,}{SIZES[1]:12,}{'times':>8}")
        for name, url in (
            ("SQLite", f"sqlite:///{Path(folder) / 'inbox.db'}"),
            ("PostgreSQL", server.url(server.create())),
        ):
            with inbox(url, api) as opened:
                grow(name, opened)
        print("\nEvents applied in a second by so many workers on one PostgreSQL, that come at once")
        print(f"{'':36}" + "".join(f"{workers:10}" for workers in WORKERS) + f"{'times':>8}")
        share("told by their payloads", server, api, TOLD, 2_000, 0)
        share("read, Stripe takes 150 ms", server, api, READ, 400, LATENCY_SECONDS)
        print("\nWhere a worker's time goes, PostgreSQL")
        with inbox(server.url(server.create()), api) as opened:
            profile("told by their payloads", opened, TOLD)
            profile("read, Stripe answers at once", opened, READ)


if __name__ == "__main__":
    main()
