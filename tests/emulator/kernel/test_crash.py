"""Crashes: what was answered is kept, whatever becomes of the server."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import LocalStripe
from tests.emulator.wire import Reply, Wire

WRITERS = 4


def write_until_it_dies(wire: Wire, writer: int) -> list[tuple[str, Reply]]:
    """Create customers, each under a key of its own, until the server is gone. Gives back what was answered."""
    answered: list[tuple[str, Reply]] = []
    while True:
        key = f"{writer}-{len(answered)}"
        try:
            answered.append((key, wire.post("/v1/customers", f"name={key}", Idempotency_Key=key)))
        except (OSError, http.client.HTTPException):
            return answered


def test_a_killed_server_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    """`kill -9` under load: every answer holds after a restart, to the byte, with its event; nothing is there twice."""
    server = LocalStripe("--data", str(tmp_path))
    wire = Wire(server.url, "sk_test_crash")
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(write_until_it_dies, wire, writer) for writer in range(WRITERS)]
        while len(Wire(server.url, "sk_test_crash").get("/v1/customers?limit=100").value["data"]) < 50:
            pass
        server.kill()
        answered = [pair for writer in writing for pair in writer.result()]

    again = LocalStripe("--data", str(tmp_path))
    try:
        wire = Wire(again.url, "sk_test_crash")
        client = again.client("sk_test_crash")
        kept = {customer.id: customer.name for customer in client.v1.customers.list({"limit": 100}).auto_paging_iter()}
        told = [event.data.object["id"] for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
        replayed = [wire.post("/v1/customers", f"name={key}", Idempotency_Key=key) for key, _ in answered]
    finally:
        again.stop()

    assert len(answered) >= 50
    assert {reply.value["id"]: reply.value["name"] for _, reply in answered}.items() <= kept.items()
    assert sorted(told) == sorted(kept)
    assert len(set(kept.values())) == len(kept)
    assert [reply.body for reply in replayed] == [reply.body for _, reply in answered]
    assert {reply.headers["idempotent-replayed"] for reply in replayed} == {"true"}


def test_a_restarted_server_repeats_no_identifier(tmp_path: Path) -> None:
    """An app's database still holds the old ones."""
    seen: list[str] = []
    for _ in range(3):
        server = LocalStripe("--data", str(tmp_path))
        wire = Wire(server.url, "sk_test_crash")
        seen += [wire.post("/v1/customers").value["id"] for _ in range(5)]
        server.kill()

    assert len(set(seen)) == len(seen)


def test_a_seed_makes_a_server_repeat_itself() -> None:
    """The same calls give the same ids, for demos and for failures to be looked at again."""
    runs = []
    for _ in range(2):
        server = LocalStripe("--memory", "--seed", "demo")
        wire = Wire(server.url, "sk_test_seeded")
        runs.append([wire.post("/v1/customers").value["id"] for _ in range(3)])
        server.stop()

    assert runs[0] == runs[1]
