"""What machines ask every app: whether it is well, and how much of everything there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contracts.web.app import Shop
    from tests.contracts.web.conftest import OpenShop

TOKEN = "a-token-of-this-shop"


def keep_an_event(shop: Shop, age: timedelta) -> None:
    """One that arrived so long ago, and that nobody has worked on."""
    arrived = datetime.now(UTC) - age
    row = {"id": "evt_1", "type": "invoice.paid", "lane": "cus_ada", "state": "received", "livemode": False}
    kept = {"created": 0, "payload": "{}", "received_at": arrived, "next_at": arrived}
    with shop.desk.store.write() as connection:
        connection.execute(shop.desk.store.tables.events.insert().values(**row, **kept))


def test_health_is_a_number_that_machines_know(shop: Shop) -> None:
    """And no word about customers or money; nobody needs to be signed in."""
    machine = shop.visitor()
    well = machine.get("/paydesk/health")
    keep_an_event(shop, timedelta(hours=1))
    late = machine.get("/paydesk/health")

    assert (well.status, well.json()["status"], well.headers["cache-control"]) == (200, "ok", "no-store")
    assert (late.status, late.json()["status"]) == (503, "late")
    assert set(late.json()) == {"status", "oldest_seconds", "late_after_seconds"}


def test_health_lies_below_the_desk_s_prefix(open_shop: OpenShop) -> None:
    """Where everything of ours is."""
    with open_shop(prefix="/billing") as shop:
        assert shop.visitor().get("/billing/paydesk/health").status == 200


def test_only_the_token_opens_the_metrics(open_shop: OpenShop) -> None:
    """Nobody else learns how much is sold."""
    headers = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}]
    with open_shop({"PAYDESK_METRICS_TOKEN": TOKEN}) as shop:
        replies = [shop.visitor("ada").get("/paydesk/metrics", header) for header in headers]

    assert [reply.status for reply in replies] == [401, 401, 401, 200]
    assert ["paydesk_events" in reply.text for reply in replies] == [False, False, False, True]
    assert replies[-1].headers["content-type"].startswith("text/plain; version=0.0.4")


def test_without_a_token_there_are_no_metrics(shop: Shop) -> None:
    """Closed unless somebody opens it."""
    assert shop.visitor("ada").get("/paydesk/metrics", {"Authorization": "Bearer "}).status == 404
