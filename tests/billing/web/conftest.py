"""A shop on the web: an app of three lines, served for real, with the local Stripe delivering webhooks to it."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Request

from paydesk.billing.catalog import Catalog
from paydesk.billing.customers import User
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from tests.billing.till import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import stripe

    from tests.conftest import LocalStripe


class Site:
    """A served shop. Whoever sends the cookie `user` is that user."""

    def __init__(self, desk: Paydesk, socket_: socket.socket) -> None:
        self.desk = desk
        self.url = desk.settings.base_url
        app = FastAPI(lifespan=desk.lifespan)
        app.include_router(desk.router(user=current_user))

        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [socket_]})
        self._thread.start()

    def browser(self, user: str | None = None) -> httpx2.Client:
        """A visitor, signed in or not, who does not follow redirects by itself."""
        return httpx2.Client(base_url=self.url, cookies={"user": user} if user else None, timeout=30)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.desk.close()


async def current_user(request: Request) -> User | None:
    name = request.cookies.get("user")
    return User(name, f"{name}@example.com") if name else None


def listening() -> socket.socket:
    """A socket on a free port; connections wait in it until the server takes them."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def site(local_stripe: LocalStripe, client: stripe.StripeClient, key: str, tmp_path: Path) -> Iterator[Site]:
    listener = listening()
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": f"{base_url}/webhooks/stripe",
            "enabled_events": ["checkout.session.completed", "payment_intent.succeeded", "charge.refunded"],
            "api_version": "2026-10-28.endive",
        }
    )
    assert endpoint.secret is not None
    settings = Settings.read(
        {
            "STRIPE_SECRET_KEY": key,
            "STRIPE_WEBHOOK_SECRET": endpoint.secret,
            "STRIPE_API_BASE": local_stripe.url,
            "BASE_URL": base_url,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}",
        }
    )
    desk = Paydesk(settings, catalog=Catalog.parse(CATALOG), name="The Bookshop")
    desk.catalog.push(client)
    opened = Site(desk, listener)
    yield opened
    opened.close()
