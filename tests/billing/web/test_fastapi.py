"""What is FastAPI's own: a server that streams, handlers in its lifespan, an API that describes itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from paydesk import OrderPaid, User
from tests.billing.paying import pay

if TYPE_CHECKING:
    from tests.billing.web.conftest import Site

EBOOK = {"sku": "ebook"}


def test_the_webhook_alone_pays_the_order(site: Site) -> None:
    """The customer closes the window on Stripe's page, and the shop knows all the same."""
    told = threading.Event()

    @site.desk.on(OrderPaid)
    def note(_paid: OrderPaid) -> None:
        told.set()

    with site.browser("ada") as browser:
        url = browser.post("/checkout", json=EBOOK).json()["url"]
    pay(url)

    assert told.wait(timeout=10)
    assert [order.status for order in site.desk.orders(User("ada"))] == ["paid"]


def test_a_webhook_larger_than_anything_stripe_sends_is_not_read(site: Site) -> None:
    """Whether its length is declared or not."""

    def endless() -> Any:
        for _ in range(site.desk.webhook_bytes_max // 65536 + 2):
            yield b"x" * 65536

    with site.browser() as browser:
        declared = browser.post("/webhooks/stripe", content=b"x" * (site.desk.webhook_bytes_max + 1))
        streamed = browser.post("/webhooks/stripe", content=endless())

    assert declared.status_code == streamed.status_code == 413


def test_the_routes_stay_out_of_the_apps_api_description(site: Site) -> None:
    """Pages and webhooks are no part of anybody's API."""
    with site.browser() as browser:
        assert browser.get("/openapi.json").json()["paths"] == {}
