"""The attempt log: what was sent where, how it was answered, and what happens next.

A delivery is *waiting* (for its time, or for its next try), *sending*, *delivered*,
*failed* (no tries are left), *stopped* (its endpoint was deleted or disabled),
*refused* (it would have left this machine) or *lost* (on purpose, by a fault).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.deliveries import schedule

if TYPE_CHECKING:
    import sqlite3

    from paydesk.emulator.kernel.world import World

ANSWER_CHARACTERS_MAX = 4000


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint; `attempts` were made before."""

    seq: int
    sandbox: int
    event: str
    endpoint: str
    attempts: int
    is_corrupt: bool


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. Without a status, `answer` says why there was none."""

    status: int | None
    answer: str
    duration_ms: int
    is_refused: bool = False

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def record(world: World, delivery: Delivery, outcome: Outcome) -> None:
    """Log an attempt, decide what follows, and count the event's pending webhooks down."""
    if not _is_still_ours(world, delivery):
        return
    attempts = delivery.attempts + 1
    world.db.execute(
        "INSERT INTO delivery_attempts (delivery, created, status, answer, duration_ms) VALUES (?, ?, ?, ?, ?)",
        (delivery.seq, world.wall, outcome.status, outcome.answer[:ANSWER_CHARACTERS_MAX], outcome.duration_ms),
    )
    delay = schedule.delay_after(attempts, livemode=world.livemode)
    if outcome.is_success:
        state, due = "delivered", world.wall
    elif outcome.is_refused:
        state, due = "refused", world.wall
    elif delay is None:
        state, due = "failed", world.wall
    else:
        state, due = "waiting", world.wall + delay
    world.db.execute(
        "UPDATE deliveries SET state = ?, due = ?, attempts = ?, is_held = 0 WHERE seq = ?",
        (state, due, attempts, delivery.seq),
    )
    # What was held back until a later event had been answered may go now.
    world.db.execute(
        "UPDATE deliveries SET due = ?, is_held = 0 WHERE sandbox = ? AND endpoint = ? AND state = 'waiting' "
        "AND is_held = 1 AND seq < ?",
        (world.wall, world.sandbox.number, delivery.endpoint, delivery.seq),
    )
    if outcome.is_success:
        _count_down(world, delivery.event)


def stop(world: World, delivery: Delivery) -> None:
    """The endpoint is gone or disabled: this event is not sent to it any more."""
    world.db.execute("UPDATE deliveries SET state = 'stopped' WHERE seq = ?", (delivery.seq,))


def of_event(db: sqlite3.Connection, sandbox: int, event: str) -> list[dict[str, Any]]:
    """An event's deliveries in the order they were made, each with its attempts."""
    rows = db.execute(
        "SELECT seq, endpoint, state, due, is_corrupt FROM deliveries WHERE event = ? AND sandbox = ? ORDER BY seq",
        (event, sandbox),
    ).fetchall()
    return [
        {
            "webhook_endpoint": endpoint,
            "state": state,
            "next_attempt": due if state == "waiting" else None,
            "is_corrupt": bool(is_corrupt),
            "attempts": _attempts(db, seq),
        }
        for seq, endpoint, state, due, is_corrupt in rows
    ]


def _is_still_ours(world: World, delivery: Delivery) -> bool:
    # The sandbox may have been emptied while the receiver took its time.
    row = world.db.execute(
        "SELECT 1 FROM deliveries WHERE seq = ? AND event = ? AND state = 'sending'", (delivery.seq, delivery.event)
    ).fetchone()
    return row is not None


def _attempts(db: sqlite3.Connection, delivery: int) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT created, status, answer, duration_ms FROM delivery_attempts WHERE delivery = ? ORDER BY seq",
        (delivery,),
    )
    return [
        {"created": created, "status": status, "answer": answer, "duration_ms": duration_ms}
        for created, status, answer, duration_ms in rows
    ]


def _count_down(world: World, event_id: str) -> None:
    event = world.find("event", event_id)
    if event is None:
        return
    (delivered,) = world.db.execute(
        "SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND sandbox = ? AND state = 'delivered'",
        (event_id, world.sandbox.number),
    ).fetchone()
    (wanted,) = world.db.execute(
        "SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND sandbox = ?",
        (event_id, world.sandbox.number),
    ).fetchone()
    event["pending_webhooks"] = wanted - delivered
    world.save(event)
