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
from typing import TYPE_CHECKING, Any

import httpx2
from sqlalchemy import Column, MetaData, String, Table, select

from paydesk import Catalog, Paydesk, Settings
from paydesk.cli.demo.person import Page, Person
from tests.emulator.controls import Controls
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conftest import LocalStripe

PAYS = "4242424242424242"
ASKS_BANK = "4000002760003184"

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
        self._folder = root / "examples" / "flarex_shop"
        # Bound and never listened on: the port stays the shop's while it is down, and whoever connects is refused.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._port.getsockname()[1]}"
        catalog = Catalog.load(self._folder / "paydesk.toml")
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

    # The processes

    def start(self) -> None:
        """Open the shop, and come back when it is open."""
        port = self.url.rpartition(":")[2]
        self._app = app = self._run("-m", "uvicorn", "app:app", "--port", port, "--no-access-log")
        until(lambda: self._is_open() or app.poll() is not None, "the shop to open")
        assert app.poll() is None, f"the shop did not open:\n{self.log.read_text()}"

    def start_worker(self) -> None:
        """Start a `paydesk worker` beside the shop."""
        self._workers.append(self._run("-m", "paydesk", "worker", "app:desk"))

    def kill(self) -> None:
        """End the shop as a power cut would."""
        assert self._app is not None
        self._app.kill()
        self._app.wait()

    def kill_worker(self) -> None:
        worker = self._workers.pop()
        worker.kill()
        worker.wait()

    def close(self) -> None:
        """End everything, as a person would."""
        running = [process for process in (self._app, *self._workers) if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)
        self.desk.close()
        self.controls.close()
        self._port.close()

    # The people

    def visitor(self, name: str | None = None) -> Person:
        """Somebody who has just signed in, under a name nobody had before."""
        person = Person(name or f"ada-{secrets.token_hex(4)}")
        home = person.visit(self.url)
        person.send(home, home.form(name="ada"), name=person.name)
        return person

    def chooses(self, person: Person, sku: str = "ebook", **typed: str) -> Page:
        """From the pricing page to the payment page."""
        pricing = person.visit(f"{self.url}/pricing")
        return person.send(pricing, pricing.form(sku=sku), **typed)

    def buys(self, person: Person, card: str = PAYS) -> Page:
        """From the pricing page to wherever the card leads."""
        hosted = self.chooses(person)
        return person.send(hosted, hosted.forms[0], test_card=card)

    # What can be seen

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

    def wait_for_events(self, kind: str, about: Iterable[str]) -> None:
        """Come back when the shop has applied every event of this type about these objects."""
        wanted = set(about)

        def is_so() -> bool:
            applied = self.rows(self.tables.events, type=kind, state="applied")
            return wanted <= {row["object_id"] for row in applied}

        until(is_so, f"{kind} to be applied")

    def settle(self) -> None:
        """Come back when everything that is due at Stripe was delivered, and the shop has done all its work."""
        self.controls.settle()
        until(self.is_idle, "the shop to finish its work")

    def is_idle(self) -> bool:
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
                [sys.executable, *arguments], cwd=self._folder, env=self.environment, stdout=log, stderr=log
            )
