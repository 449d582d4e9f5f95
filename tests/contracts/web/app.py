"""An app in some framework, as its visitors meet it, and what a test says to have one.

An adapter's part is a function that opens an app from a `Wiring`: with the desk's routes, a gate, and the visitor's
cookie for a sign-in. Everything else here is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlencode, urlsplit

from tests.billing.inbox.deliveries import sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    import stripe
    from sqlalchemy import Table

    from paydesk import Paydesk
    from paydesk.billing.catalog import Catalog

BASE_URL = "https://shop.example"
FORM = "application/x-www-form-urlencoded"
PERSON = {"Accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True)
class Wiring:
    """What an app is made from: Secrets, catalog, and what else a desk is told (`name`, `prefix`, `templates`)."""

    secrets: Mapping[str, str]
    catalog: Catalog
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class App(Protocol):
    """An app with the desk's routes. Whoever sends the cookie `user=ada` is Ada, whose address is ada@example.com.

    At `/export` stands a page of its own behind the gate "export"; it answers the JSON {"for": the user's id}.
    """

    @property
    def desk(self) -> Paydesk: ...

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One request, as it would come over the wire to BASE_URL; redirects are not followed."""

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """What a gate told a script: `code`, `message`, and often `url`, wherever this framework puts them."""


@dataclass(frozen=True)
class Adapter:
    """How an app is opened in this framework, and on which database."""

    name: str
    opened: Callable[[Wiring], AbstractContextManager[App]]
    database: Literal["sqlite", "postgresql"] = "sqlite"


class Visitor:
    """Somebody with a browser or a script, signed in or not."""

    def __init__(self, app: App, user: str | None = None) -> None:
        self._app = app
        self._cookie = {"Cookie": f"user={user}"} if user is not None else {}

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.asks("GET", target, headers)

    def post(
        self,
        target: str,
        *,
        form: Mapping[str, Any] | None = None,
        json_: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a form, or JSON."""
        if form is not None:
            return self.asks("POST", target, {"Content-Type": FORM, **(headers or {})}, urlencode(form).encode())
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.asks("POST", target, sent, json.dumps(json_).encode())

    def asks(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        return self._app.ask(method, target.removeprefix(BASE_URL), {**self._cookie, **(headers or {})}, body)


class Shop:
    """An open app, and Stripe beside it."""

    def __init__(self, app: App, client: stripe.StripeClient) -> None:
        self.app = app
        self.desk = app.desk
        self._client = client

    def visitor(self, user: str | None = None) -> Visitor:
        return Visitor(self.app, user)

    def told(self, body: bytes, signature: str | None = None) -> Reply:
        """What Stripe gets for a webhook, signed as it signs unless said."""
        header = sign(body, datetime.now(UTC)) if signature is None else signature
        sent = {"Content-Type": "application/json", "Stripe-Signature": header}
        return Visitor(self.app).asks("POST", f"{self.desk.prefix}/webhooks/stripe", sent, body)

    def hears(self) -> None:
        """Stripe delivers everything that has happened, and the worker does what is due."""
        listed: Any = self._client.raw_request("get", "/v1/events", limit=100)
        for event in reversed(listed.data["data"]):
            assert self.told(json.dumps(event).encode()).status == 200
        self.desk.work()

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.desk.store.read() as connection:
            return [dict(row) for row in connection.execute(table.select()).mappings()]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the inbox holds."""
        return self.rows(self.desk.store.tables.events)

    def has(self, user: str, plan: str, status: str = "active") -> None:
        """A subscription, as the mirror would have written it."""
        row = {"id": f"sub_{user}", "user_id": user, "plan": plan, "slot": "main", "status": status, "seats": 1}
        with self.desk.store.write() as connection:
            table = self.desk.store.tables.subscriptions
            connection.execute(table.insert().values(**row, livemode=False, created_at=datetime.now(UTC)))


def path_of(url: str) -> str:
    """An address without the shop's own beginning."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
