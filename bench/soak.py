"""`./run soak [--minutes M] [--seed S]`: everything is killed in turn, and nothing may be lost.

An app, two workers and PostgreSQL get `kill -9` under a load of signed webhooks, and are started again. Each webhook is
sent until it is acknowledged, as Stripe does. At the end every event that was acknowledged has been applied, every
handler has done its work once, and the mirror says what Stripe says. It ends with 0 if that is so, and with 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg

from bench import stripe_objects as stripe
from bench.servers import ROOT, Server, running
from bench.sides import SECRET
from bench.webhook_load import Line, Load, bodies, sign
from tests.cluster import Node
from tests.hosts import Host
from tests.postgres import PREFIX, free_port, programs, user_for_server

KINDS = ("customer.subscription.updated", "invoice.paid")
OBJECTS = 200
EVENTS_A_ROUND = 400
CONNECTIONS = 8
KILL_EVERY_SECONDS = (4, 10)
DOWN_SECONDS = (0.2, 2.0)
TELL_EVERY_SECONDS = 10
# A dead worker's handlers are started again after two minutes.
SETTLE_SECONDS_MAX = 300
MIRROR = {
    "/v1/subscriptions": "SELECT id, object FROM subscriptions",
    "/v1/invoices": "SELECT id, object FROM invoices",
}


@dataclass
class Program:
    """A process that is started again whenever it is killed."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        with self.log.open("ab") as out:
            environment = {**os.environ, **self.environment}
            command = [sys.executable, "-m", *self.command]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def kill(self) -> None:
        """Raises RuntimeError if it had ended by itself."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"The {self.name} ended by itself. Its log: {self.log}")
        self.process.kill()
        self.process.wait()
        self.kills += 1


@dataclass
class Database:
    """PostgreSQL, killed and started again on what it left."""

    node: Node
    name: str = "PostgreSQL"
    kills: int = 0

    def start(self) -> None:
        self.node.start()

    def kill(self) -> None:
        self.node.host.lose_power()
        self.kills += 1


@dataclass
class Stripe:
    """Sends webhooks, each until it is acknowledged, in rounds that each change every object again."""

    url: str
    api: Server
    acknowledged: set[str] = field(default_factory=set)
    requests: Counter[int] = field(default_factory=Counter)
    revision: int = 0

    def send_until(self, is_over: threading.Event) -> None:
        asyncio.run(self._send_until(is_over))

    async def _send_until(self, is_over: threading.Event) -> None:
        number = 0
        while not is_over.is_set():
            for kind in KINDS:
                load = Load(
                    self.url,
                    SECRET,
                    EVENTS_A_ROUND,
                    kind=kind,
                    objects=OBJECTS,
                    start=number,
                    revision=self.revision,
                    duplicate=2,
                    shuffle=True,
                    timeout_seconds=10,
                )
                number += EVENTS_A_ROUND
                stands_at = self.revision + EVENTS_A_ROUND // OBJECTS - 1
                self._stands_at(stands_at)
                await self._send(load)
            self.revision = stands_at + 1

    async def _send(self, load: Load) -> None:
        waiting = iter(bodies(load))

        async def connection() -> None:
            line = Line(urlsplit(load.url), load)
            for body in waiting:
                while (status := await line.post(body, sign(body, SECRET))) != 200:
                    self.requests[status] += 1
                    await asyncio.sleep(0.05)
                self.requests[status] += 1
                self.acknowledged.add(json.loads(body)["id"])
            line.close()

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))

    def _stands_at(self, revision: int) -> None:
        told = {"revision": revision, "latency_seconds": 0.01, "livemode": False}
        self.api.ask("/control", {}, json.dumps(told).encode())


class Soak:
    """All that is running, and what is known of it."""

    def __init__(self, node: Node, database_url: str, api: Server, folder: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._database_url = database_url
        port = free_port()
        environment = {
            "STRIPE_SECRET_KEY": "sk_test_soak",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": api.url,
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": database_url,
            "PAYDESK_WORKER": "0",
        }
        serve = ("uvicorn", "bench.soak_app:app", "--port", str(port), "--no-access-log", "--log-level", "warning")
        worker = ("paydesk", "worker", "bench.soak_app:desk")
        self.programs = [
            Program("app", serve, environment, folder / "app.log"),
            Program("worker 1", worker, environment, folder / "worker1.log"),
            Program("worker 2", worker, environment, folder / "worker2.log"),
        ]
        self.victims: list[Program | Database] = [*self.programs, Database(node)]
        self.stripe = Stripe(f"http://127.0.0.1:{port}/webhooks/stripe", api)

    def run(self, minutes: float) -> None:
        """Kill one after the other under load, and then let them finish."""
        for program in self.programs:
            program.start()
        is_over, began = threading.Event(), time.monotonic()
        load = threading.Thread(target=self.stripe.send_until, args=[is_over])
        load.start()
        self._kill_until(began + minutes * 60, began)
        is_over.set()
        load.join()
        print("No more webhooks, no more kills: waiting for what dead workers had in hand.", flush=True)
        self._wait_until_settled()

    def _kill_until(self, end: float, began: float) -> None:
        told, turn = began, 0
        while time.monotonic() < end:
            time.sleep(self._chance.uniform(*KILL_EVERY_SECONDS))
            victim = self.victims[turn % len(self.victims)]
            turn += 1
            victim.kill()
            time.sleep(self._chance.uniform(*DOWN_SECONDS))
            victim.start()
            if time.monotonic() - told > TELL_EVERY_SECONDS:
                told = time.monotonic()
                print(f"{told - began:5.0f} s  {self.so_far()}", flush=True)

    def so_far(self) -> str:
        """What was acknowledged, and who was killed how often."""
        kills = ", ".join(f"{each.name} {each.kills}" for each in self.victims)
        requests = sum(self.stripe.requests.values())
        return f"{len(self.stripe.acknowledged)} events acknowledged in {requests} requests; killed: {kills}"

    def _wait_until_settled(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        unfinished = (
            "SELECT (SELECT count(*) FROM events WHERE state IN ('received', 'parked'))"
            " + (SELECT count(*) FROM effects WHERE state = 'waiting')"
        )
        while self._one(unfinished) and time.monotonic() < deadline:
            time.sleep(1)

    def complaints(self) -> Iterator[str]:
        """All that is not as it should be."""
        applied = self._column("SELECT id FROM events WHERE state = 'applied'")
        yield from self._differ("acknowledged and not applied", self.stripe.acknowledged - set(applied))
        told = Counter(self._column("SELECT what FROM told"))
        yield from self._differ("done more than once", {what for what, times in told.items() if times > 1})
        yield from self._differ("applied and not handled", set(applied) - set(told))
        started = {f"subscription.started:{stripe.stripe_id('sub', index)}" for index in range(OBJECTS)}
        yield from self._differ("never named", started - set(self._column("SELECT key FROM facts")))
        for path, query in MIRROR.items():
            rows = {row[0]: row[1] for row in self._rows(query)}
            shown = [stripe.SHOWN[path](index, self.stripe.revision - 1) for index in range(OBJECTS)]
            wrong = {each["id"] for each in shown if rows.get(each["id"]) != each}
            yield from self._differ(f"of {path} not as at Stripe", wrong)

    def _differ(self, what: str, names: set[str]) -> Iterator[str]:
        if names:
            yield f"{len(names)} {what}: {', '.join(sorted(names)[:5])}"

    def _one(self, query: str) -> int:
        ((number,),) = self._rows(query)
        return cast("int", number)

    def _column(self, query: str) -> list[str]:
        return [str(row[0]) for row in self._rows(query)]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._database_url) as connection:
            return connection.execute(query.encode()).fetchall()


@contextmanager
def soaking(folder: Path, seed: int) -> Iterator[Soak]:
    """A database, a stand-in for Stripe, and the programs to kill."""
    user = user_for_server()
    node = Node(Host("127.0.0.1"), free_port(), folder / "postgres", programs(folder, user), user)
    node.found()
    node.start()
    node.ask("CREATE DATABASE app")
    url = f"postgresql://paydesk@127.0.0.1:{node.port}/app"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE told (what text)")
    with running("bench.stand_in_stripe") as api:
        soak = Soak(node, url, api, folder, seed)
        try:
            yield soak
        finally:
            for program in soak.programs:
                if program.process is not None and program.process.poll() is None:
                    program.kill()
            node.host.lose_power()


def main() -> int:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__.partition("\n\n")[2])
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="when whom is killed (default: 1)")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)
    with soaking(folder, given.seed) as soak:
        soak.run(given.minutes)
        complaints = list(soak.complaints())
        print(f"{soak.so_far()}.")
    if complaints:
        print(*complaints, f"The logs are in {folder}.", sep="\n")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    print("Nothing acknowledged was lost, nothing was done twice, and the mirror is as Stripe is.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
