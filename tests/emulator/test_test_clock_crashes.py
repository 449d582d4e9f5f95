"""Test clocks, when something goes wrong: they go on where they were, they go the same way, or they stop and say so."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

import stripe

from tests.conftest import LocalStripe
from tests.emulator.clocks import DAY, HOUR, START, advance, arrived, clock_at
from tests.emulator.invoicing import customer, drafted, refused
from tests.emulator.receiver import Answer, Receiver

KEY = "sk_test_crashing_clock"


def test_a_killed_server_goes_on_with_an_advance(tmp_path: Path, receiver: Receiver) -> None:
    """`kill -9` half-way: after a restart everything happens that had not, once, and just as if nothing had been."""
    undisturbed = LocalStripe("--memory", "--seed", "clocks")
    client = undisturbed.client(KEY)
    clock = _prepared(client, receiver)
    advance(client, clock, START + 10 * DAY)
    expected = _history(client)
    undisturbed.stop()

    server = LocalStripe("--data", str(tmp_path), "--seed", "clocks")
    clock = _prepared(server.client(KEY), receiver)
    never = threading.Event()
    # The third thing that happens is never answered: the clock waits at it, and there the server dies.
    receiver.received.clear()
    receiver.answer = lambda _: Answer(when=never if len(receiver.received) >= 3 else None)
    server.client(KEY).v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 10 * DAY})
    receiver.wait_for(3)
    server.kill()
    never.set()
    again = LocalStripe("--data", str(tmp_path), "--seed", "clocks")
    try:
        client = again.client(KEY)
        end = arrived(client, clock)
        history = _history(client)
    finally:
        again.stop()

    assert (end.status, end.frozen_time) == ("ready", START + 10 * DAY)
    assert history == expected
    assert [kind for kind, *_ in history].count("invoice.paid") == 6


def test_a_clock_goes_the_same_way_each_time() -> None:
    """The same seed and the same calls: the same ids and events, in the same order, at the same times."""
    runs = []
    for _ in range(2):
        server = LocalStripe("--memory", "--seed", "again")
        client = server.client(KEY)
        advance(client, _prepared(client, None), START + 30 * DAY)
        runs.append((_history(client), [invoice.status_transitions for invoice in client.v1.invoices.list().data]))
        server.stop()

    assert runs[0] == runs[1]
    assert len(runs[0][0]) > 30


def test_a_clock_with_a_mistake_of_ours_on_it_says_so(tmp_path: Path) -> None:
    """`internal_failure`, for good: what came before has happened, nothing else does, and it can only be deleted."""
    server = LocalStripe("--data", str(tmp_path))
    client = server.client(KEY)
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)
    paid, draft = (
        drafted(client, ada, 1500, auto_advance=True, automatically_finalizes_at=START + days * DAY) for days in (1, 3)
    )
    server.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / "local-stripe.db")) as db, db:
        db.execute(
            "INSERT INTO agenda (sandbox, clock, due, task, subject) "
            "SELECT sandbox, clock, ?, 'nobody.knows', 'in_1' FROM timelines",
            (START + 2 * DAY,),
        )

    again = LocalStripe("--data", str(tmp_path))
    try:
        client = again.client(KEY)
        end = advance(client, clock, START + 10 * DAY)
        assert (end.status, end.frozen_time) == ("internal_failure", START + DAY)
        assert client.v1.events.list({"limit": 1}).data[0].type == "test_helpers.test_clock.internal_failure"
        assert client.v1.invoices.retrieve(paid.id).status == "paid"
        assert client.v1.invoices.retrieve(draft.id).status == "draft"
        with refused():
            client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 20 * DAY})
        assert client.v1.test_helpers.test_clocks.delete(clock.id).deleted
    finally:
        again.stop()


def _prepared(client: stripe.StripeClient, receiver: Receiver | None) -> stripe.test_helpers.TestClock:
    """A clock with two customers and six invoices to come, and somebody who listens."""
    if receiver is not None:
        client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.paid"]})
    clock = clock_at(client)
    for owner in [customer(client, test_clock=clock.id) for _ in range(2)]:
        for hours in range(2, 8, 2):
            when = START + hours * HOUR
            drafted(client, owner, 1500, auto_advance=True, automatically_finalizes_at=when)
    return clock


def _history(client: stripe.StripeClient) -> list[tuple[str, str, str]]:
    """Everything that happened, oldest first: what, under which id, to what."""
    history: list[tuple[str, str, str]] = [
        (event.type, event.id, event.data.object["id"])
        for event in client.v1.events.list({"limit": 100}).auto_paging_iter()
    ]
    return history[::-1]
