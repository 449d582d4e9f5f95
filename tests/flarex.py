"""The FlareX shop of examples/, as its author would start it: a process of its own, wired to a local Stripe.

It can be killed and started again at the same address, with workers beside it. `desk` looks at the same database from
here; it has none of the shop's handlers and does none of its work.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
from sqlalchemy import Column, MetaData, String, Table, select, update

from paydesk import Catalog, Paydesk, Settings
from paydesk.cli.demo.person import Page, Person
from tests.emulator.controls import Controls
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import stripe

    from tests.conftest import LocalStripe

PAYS = "4242424242424242"
ASKS_BANK = "4000002760003184"
WORKER_SAYS = "Working for app:desk"

shelf = Table(
    "shelf",
    MetaData(),
    *(Column(name, String) for name in ("owner", "sku", "order_id", "state")),
)


class Flarex:
    """A shop, its sandbox at Stripe, and its database."""

    def __init__(self, root: Path, stripe: LocalStripe, key: str, database_url: str, log: Path) -> None:
        self.stripe = stripe
        self.key = key
        self.client = stripe.client(key)
        self.controls = Controls(stripe.url, key)
        self.log = log
        self.folder = root / "examples" / "flarex_shop"
        # Bound and never listened on: the port stays the shop's while it is down, and whoever connects is refused.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._port.getsockname()[1]}"
        catalog = Catalog.load(self.folder / "paydesk.toml")
        catalog.push(self.client)
        endpoint = self.client.v1.webhook_endpoints.create(
            {"url": f"{self.url}/webhooks/stripe", "enabled_events": ["*"]}
        )
        assert endpoint.secret is not None
        self.webhook_secret = endpoint.secret
        self.secrets = {
            "BASE_URL": self.url,
            "DATABASE_URL": database_url,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_SECRET_KEY": key,
            "STRIPE_WEBHOOK_SECRET": endpoint.secret,
        }
        self.environment = {**os.environ, **self.secrets, "PYTHONPATH": str(root / "src")}
        self.desk = Paydesk(Settings.read(self.secrets), catalog=catalog)
        self.tables = self.desk.store.tables
        self._app: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._visitors: list[Person] = []

    # The processes

    def start(self) -> None:
        """Open the shop, and come back when it is open."""
        port = self.url.rpartition(":")[2]
        self._app = app = self._run("-m", "uvicorn", "app:app", "--port", port, "--no-access-log")
        until(lambda: self._is_open() or app.poll() is not None, "the shop to open")
        assert app.poll() is None, f"the shop did not open:\n{self.log.read_text()}"

    def start_worker(self) -> None:
        """Start a `paydesk worker` beside the shop, and come back when it works."""
        said = self.log.read_text().count(WORKER_SAYS)
        self._workers.append(self._run("-m", "paydesk", "worker", "app:desk"))
        until(lambda: self.log.read_text().count(WORKER_SAYS) > said, "the worker to begin")

    def kill(self) -> None:
        """End the shop as a power cut would."""
        assert self._app is not None
        self._app.kill()
        self._app.wait()

    def kill_worker(self) -> None:
        """End the last worker as a power cut would."""
        worker = self._workers.pop()
        worker.kill()
        worker.wait()

    def stop_worker(self) -> None:
        """End the last worker as a person would: it finishes what it has begun."""
        worker = self._workers.pop()
        worker.terminate()
        assert worker.wait(timeout=30) == 0

    def close(self) -> None:
        """End everything, as a person would."""
        self.everybody_leaves()
        running = [process for process in (self._app, *self._workers) if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)
        self.desk.close()
        self.controls.close()
        self._port.close()

    # The people

    def guest(self) -> Person:
        """Somebody who does not sign in."""
        person = Person(f"ada-{secrets.token_hex(4)}")
        self._visitors.append(person)
        return person

    def visitor(self) -> Person:
        """Somebody who has just signed in, under a name nobody had before."""
        person = self.guest()
        home = person.visit(self.url)
        person.send(home, home.form(name="ada"), name=person.name)
        return person

    def everybody_leaves(self) -> None:
        """Close the visitors' browsers."""
        while self._visitors:
            self._visitors.pop().leave()

    def chooses(self, person: Person, sku: str = "ebook", **typed: str) -> Page:
        """From the pricing page to the payment page."""
        pricing = person.visit(f"{self.url}/pricing")
        return person.send(pricing, pricing.form(sku=sku), **typed)

    def buys(self, person: Person, card: str = PAYS) -> Page:
        """From the pricing page to wherever the card leads."""
        hosted = self.chooses(person)
        return person.send(hosted, hosted.forms[0], test_card=card)

    # What can be seen, and moved

    def rows(self, table: Table, **where: Any) -> list[dict[str, Any]]:
        """The rows of a table in which these columns have these values."""
        chosen = select(table).where(*(table.c[name] == value for name, value in where.items()))
        with self.desk.store.read() as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]

    def order_of(self, person: Person) -> dict[str, Any]:
        """The only order of somebody who signed in."""
        (order,) = self.rows(self.tables.orders, user_id=person.name)
        return order

    def shelf_of(self, owner: str) -> list[str]:
        """The states of what somebody has."""
        return [row["state"] for row in self.rows(shelf, owner=owner)]

    def has(self, person: Person) -> bool:
        """Whether one thing, and only one, is on somebody's shelf."""
        return self.shelf_of(person.name) == ["yours"]

    def strike(self, fault: str, method: str, path: str, **more: Any) -> Callable[[], bool]:
        """Let a fault wait for one request of the shop's; answers how to ask whether it has struck."""
        armed = self.controls.post("/faults", fault=fault, method=method, path=path, **more)

        def has_struck() -> bool:
            (one,) = (one for one in self.controls.get("/faults")["faults"] if one["id"] == armed["id"])
            return bool(one["struck"] == more.get("times", 1))

        return has_struck

    def has_leased(self, lane: str) -> bool:
        """Whether somebody is working on a lane. What a dead process held is free once its time is over."""
        now = datetime.now(UTC)
        return any(
            row["lease_expires_at"] and row["lease_expires_at"] > now for row in self.rows(self.tables.lanes, lane=lane)
        )

    def events_of(self, kind: str, about: str) -> list[stripe.Event]:
        """Stripe's events of this type about this object."""
        events = self.client.v1.events.list({"type": kind, "limit": 100}).data
        return [event for event in events if event.data.to_dict()["object"]["id"] == about]

    def attempts_at(self, event_id: str) -> list[int | None]:
        """What the shop answered to each attempt to deliver an event; None to one that nobody answered."""
        return [attempt["status"] for one in self.controls.deliveries(event_id) for attempt in one["attempts"]]

    def settle(self) -> None:
        """Come back when everything that is due at Stripe was delivered, and the shop has done all its work."""
        self.controls.settle()
        until(self.is_idle, "the shop to finish its work")

    def pass_time(self, seconds: int) -> None:
        """Let time pass for everything the database says is due later: a lease, a next try."""
        due = {"lanes": ("due_at", "lease_expires_at"), "events": ("next_at",), "effects": ("next_at",)}
        now, passed = datetime.now(UTC), timedelta(seconds=seconds)
        with self.desk.store.write() as connection:
            for table in (getattr(self.tables, name) for name in due):
                for column in (table.c[name] for name in due[table.name.removeprefix(self.tables.prefix)]):
                    soon = (column > now, column <= now + passed)
                    connection.execute(update(table).where(*soon).values({column.name: now}))
            for attempt in self.rows(self.tables.attempts, state="open"):
                earlier = {"created_at": attempt["created_at"] - passed}
                mine = self.tables.attempts.c.key == attempt["key"]
                connection.execute(update(self.tables.attempts).where(mine).values(**earlier))

    def is_idle(self) -> bool:
        """Whether every event is applied and every handler has succeeded."""
        events = {row["state"] for row in self.rows(self.tables.events)}
        effects = {row["state"] for row in self.rows(self.tables.effects)}
        return events <= {"applied"} and effects <= {"done"}

    def _is_open(self) -> bool:
        try:
            return httpx2.get(self.url, timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
