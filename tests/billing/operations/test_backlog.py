"""The backlog: what waits, for how long, and what was given up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert, text

from paydesk.billing.inbox.prune import Prune
from paydesk.billing.operations.backlog import Backlog
from paydesk.billing.truth.ledger import Ledger

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock


# How each database says that it would read a whole table.
READS_ALL = re.compile(r"Seq Scan on (?:events|effects)|SCAN (?:events|effects)(?! USING)")


def add_events(store: Store, clock: Clock, *states: tuple[str, str, int]) -> None:
    """Events, each by its lane, its state and for how many seconds it has been due."""
    with store.write() as connection:
        for number, (lane, state, due_seconds) in enumerate(states):
            due = clock() - timedelta(seconds=due_seconds)
            row = {"id": f"evt_{number}", "type": "customer.updated", "lane": lane, "state": state, "next_at": due}
            kept = {"livemode": False, "created": 0, "payload": "{}", "received_at": due}
            connection.execute(insert(store.tables.events).values(**row, **kept))


def add_effects(store: Store, clock: Clock, *states: tuple[str, int]) -> None:
    with store.write() as connection:
        for number, (state, due_seconds) in enumerate(states):
            due = clock() - timedelta(seconds=due_seconds)
            row = {"source": f"fact:{number}", "handler": "shop.deliver", "state": state, "next_at": due}
            connection.execute(insert(store.tables.effects).values(**row, created_at=due))


def test_it_counts_what_is_unfinished(store: Store, clock: Clock) -> None:
    """By state and by lane; what is done is not counted, so that asking costs the same after years."""
    add_events(
        store,
        clock,
        ("cus_1", "received", 10),
        ("cus_1", "received", 30),
        ("cus_2", "parked", 20),
        ("cus_3", "received", -60),
        ("cus_4", "applied", 9000),
        ("cus_5", "dead", 9000),
    )
    add_effects(store, clock, ("waiting", 5), ("waiting", -5), ("dead", 100), ("dead", 100), ("done", 900))

    waiting = Backlog(store, clock).waiting()

    assert waiting.events == {"received": 3, "parked": 1, "dead": 1}
    assert (waiting.events_oldest_seconds, waiting.lanes, waiting.lane_depth) == (30, 3, 2)
    assert waiting.effects == {"waiting": 2, "dead": 2}
    assert (waiting.effects_oldest_seconds, waiting.attempts_open) == (5, 0)


def test_an_empty_database_has_no_backlog(store: Store, clock: Clock) -> None:
    """Nothing is zero, and not nothing: a graph has no holes."""
    waiting = Backlog(store, clock).waiting()

    assert waiting.events == {"received": 0, "parked": 0, "dead": 0}
    assert waiting.effects == {"waiting": 0, "dead": 0}
    assert (waiting.events_oldest_seconds, waiting.lanes, waiting.lane_depth) == (0, 0, 0)


def test_every_question_is_answered_by_an_index(store: Store, clock: Clock) -> None:
    """A health check every second must not read a million finished events; nor must what a worker does every hour."""
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))

    Backlog(store, clock).oldest_seconds()
    Backlog(store, clock).waiting()
    Backlog(store, clock).lanes(10)
    Prune(store, clock).run(35)
    Ledger(store, livemode=False, now=clock).findings()

    with store.read() as connection:
        if store.is_postgresql:
            connection.execute(text("SET enable_seqscan = off"))  # of an empty table it is always the quickest
        plans = [plan_of(store, connection, *each) for each in list(asked) if each[0].startswith("SELECT")]
    assert len(plans) >= 15
    assert [plan for plan in plans if READS_ALL.search(plan)] == []


def plan_of(store: Store, connection: Any, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN " if store.is_postgresql else "EXPLAIN QUERY PLAN "
    return "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain + statement, parameters))
