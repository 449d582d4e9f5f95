"""The reading room of examples/, as it would be served: two processes on one database, each at an address of its own.

Both have an endpoint at Stripe, so whatever happens is told twice, to two processes that work on it at the same time.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import Column, MetaData, String, Table, select

from paydesk import Catalog, Paydesk, Settings
from paydesk.cli.demo.person import Person
from tests.flarex import Flarex
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import LocalStripe

_metadata = MetaData()
users = Table("auth_user", _metadata, Column("id", String, primary_key=True), Column("username", String))
copies = Table("shelf_copy", _metadata, *(Column(name, String) for name in ("owner_id", "sku", "order_id", "state")))


class ReadingRoom(Flarex):
    """A project, its sandbox at Stripe, its database, and the processes that serve it."""

    def __init__(self, root: Path, stripe: LocalStripe, database_url: str, log: Path) -> None:
        super().__init__(root, stripe, f"sk_test_{secrets.token_hex(12)}", database_url, log)
        self.desk.close()
        self.folder = root / "examples" / "django_shop"
        self._other = socket.socket()
        self._other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._other.bind(("127.0.0.1", 0))
        self.urls = (self.url, f"http://127.0.0.1:{self._other.getsockname()[1]}")
        second = self.client.v1.webhook_endpoints.create(
            {"url": f"{self.urls[1]}/webhooks/stripe", "enabled_events": ["*"]}
        )
        self.secrets |= {"STRIPE_WEBHOOK_SECRET": f"{self.webhook_secret},{second.secret}"}
        self.environment |= self.secrets
        here = {**self.secrets, "PAYDESK_TABLE_PREFIX": "paydesk_", "PAYDESK_MIGRATE": "0"}
        catalog = Catalog.load(self.folder / "paydesk.toml")
        catalog.push(self.client)
        self.desk = Paydesk(Settings.read(here), catalog=catalog)
        self.tables = self.desk.store.tables
        self._serving: dict[str, subprocess.Popen[bytes]] = {}

    def migrate(self) -> None:
        """As a deployment does it."""
        migrated = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrated, cwd=self.folder, env=self.environment, check=True)

    def serve(self, url: str) -> None:
        """Start the process at this address, and come back when it answers and its worker has begun."""
        self.environment["BASE_URL"] = url
        serving = self._run("manage.py", "runserver", "--noreload", url.removeprefix("http://"))
        until(lambda: answers(url) or serving.poll() is not None, "the reading room to open")
        assert serving.poll() is None, f"it did not open:\n{self.log.read_text()}"
        self._serving[url] = serving

    def serve_by_gunicorn(self) -> None:
        """At the first address, by two workers of a server that forks, which leave the work to another process."""
        self.environment |= {"BASE_URL": self.url, "PAYDESK_WORKER": "0"}
        self._serving["worker"] = self._run("manage.py", "paydesk", "worker")
        options = ["--workers=2", "--threads=2", "--log-level=warning"]
        at = self.url.removeprefix("http://")
        serving = self._run("-m", "gunicorn", "reading_room.wsgi", f"--bind={at}", *options)
        until(lambda: answers(self.url) or serving.poll() is not None, "the reading room to open")
        assert serving.poll() is None, f"it did not open:\n{self.log.read_text()}"
        self._serving[self.url] = serving

    def kill_at(self, url: str) -> None:
        """End the process at this address as a power cut would."""
        serving = self._serving.pop(url)
        serving.kill()
        serving.wait()

    def reader(self, url: str) -> Person:
        """Somebody who has just signed in at this address, under a name nobody had before."""
        person = self.guest()
        home = person.visit(url)
        person.send(home, home.form(name="ada"), name=person.name)
        return person

    def copies_of(self, name: str) -> list[str]:
        """The states of what somebody has."""
        theirs = select(copies.c.state).join_from(copies, users, copies.c.owner_id == users.c.id)
        with self.desk.store.read() as connection:
            return list(connection.scalars(theirs.where(users.c.username == name)))

    def close(self) -> None:
        for serving in self._serving.values():
            serving.terminate()
        for serving in self._serving.values():
            serving.wait(timeout=30)
        self._other.close()
        super().close()


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False
