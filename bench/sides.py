"""The two sides of `bench.applied`: how each is started, and how one sees that an event has been applied."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench import stripe_objects as stripe
from bench.servers import Server, cpu_seconds, running

SECRET = "whsec_bench"
WAIT_SECONDS_MAX = 100
DJSTRIPE_ENDPOINT = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Rows:
    """Where a side keeps things: its events and which of them wait, and the table and JSON column of each path."""

    finished: sql.SQL
    tables: Mapping[str, str]
    column: str


OURS = Rows(
    sql.SQL("SELECT count(*) FROM events WHERE state = 'applied'"),
    {
        "/v1/customers": "customers",
        "/v1/subscriptions": "subscriptions",
        "/v1/invoices": "invoices",
        "/v1/payment_intents": "payments",
    },
    "object",
)
THEIRS = Rows(
    sql.SQL("SELECT count(*) FROM djstripe_event"),
    {
        "/v1/customers": "djstripe_customer",
        "/v1/subscriptions": "djstripe_subscription",
        "/v1/invoices": "djstripe_invoice",
        "/v1/payment_intents": "djstripe_paymentintent",
    },
    "stripe_data",
)


class Side:
    """One side: its processes, its database, and its own stand-in for Stripe."""

    def __init__(
        self, name: str, url: str, processes: Sequence[Server], api: Server, database_url: str, rows: Rows
    ) -> None:
        self.name = name
        self.url = url
        self._processes = processes
        self._api = api
        self._rows = rows
        self._database = psycopg.connect(database_url, autocommit=True)
        self._database_pid = parent_of(self._database.info.backend_pid)

    def stripe_is(self, *, revision: int, latency_seconds: float, livemode: bool) -> None:
        """How Stripe stands from now on; its calls are counted anew."""
        self._control({"revision": revision, "latency_seconds": latency_seconds, "livemode": livemode})

    def calls(self) -> dict[str, int]:
        """What was asked of Stripe since."""
        return self._control(None)

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time of the processes, and of the database server."""
        return sum(process.cpu_seconds() for process in self._processes), cpu_seconds(self._database_pid)

    def finished(self) -> int:
        """How many events are done with."""
        return int(self._one(self._rows.finished))

    def wait_until_finished(self, number: int) -> None:
        """Until so many events are done with, looked at fifty times a second."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (finished := self.finished()) < number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} applied {finished} of {number} events in {WAIT_SECONDS_MAX} s")
            time.sleep(0.02)

    def behind(self, path: str, objects: int, revision: int) -> int:
        """How many of the first objects below this path have no row that says what Stripe says."""
        table, column = sql.Identifier(self._rows.tables[path]), sql.Identifier(self._rows.column)
        key = sql.Identifier("stripe_id" if table == sql.Identifier("customers") else "id")
        query = sql.SQL(
            "SELECT count(*) FROM {table} WHERE {key} < {end} AND {column}->'metadata'->>'rev' = {revision}"
        ).format(
            table=table,
            key=key,
            column=column,
            end=stripe.stripe_id(stripe.SHOWN[path](0, 0)["id"].partition("_load")[0], objects),
            revision=str(revision),
        )
        return objects - int(self._one(query))

    def _one(self, query: sql.SQL | sql.Composed) -> Any:
        row = self._database.execute(query).fetchone()
        return row[0] if row else None

    def _control(self, told: dict[str, Any] | None) -> dict[str, int]:
        body = None if told is None else json.dumps(told).encode()
        request = urllib.request.Request(self._api.url + "/control", body)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            counted: dict[str, int] = json.load(answer)
        return counted


def parent_of(pid: int) -> int:
    """The process that started it. A backend's is the server itself."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


@contextmanager
def ours(database_url: str, *, livemode: bool) -> Iterator[Side]:
    """An app that receives, and a `paydesk worker` beside it."""
    with ExitStack() as stack:
        api = stack.enter_context(running("bench.stand_in_stripe"))
        env = {
            "STRIPE_SECRET_KEY": "sk_live_local_bench" if livemode else "sk_test_bench",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": api.url,
            "BASE_URL": "http://127.0.0.1:8000",
            "DATABASE_URL": database_url,
            "PAYDESK_WORKER": "0",
        }
        app = stack.enter_context(running("bench.desk_app", env=env))
        worker = stack.enter_context(running("paydesk", "worker", "bench.desk_app:desk", env=env, is_logging=False))
        yield Side("paydesk", f"{app.url}/webhooks/stripe", [app, worker], api, database_url, OURS)


@contextmanager
def theirs(name: str, database_url: str, gunicorn: Mapping[str, Any], *, livemode: bool) -> Iterator[Side]:
    """dj-stripe, which applies an event while it receives it."""
    python = os.environ.get("PAYDESK_PEERS_PYTHON")
    if python is None:
        sys.exit("dj-stripe has an environment of its own. Start this with ./run bench applied")
    with ExitStack() as stack:
        api = stack.enter_context(running("bench.stand_in_stripe"))
        mode = "live" if livemode else "test"
        options = json.dumps(gunicorn)
        server = stack.enter_context(
            running("bench.djstripe_receive", database_url, SECRET, api.url, mode, options, python=python)
        )
        url = f"{server.url}/stripe/webhook/{DJSTRIPE_ENDPOINT}"
        yield Side(name, url, [server], api, database_url, THEIRS)
