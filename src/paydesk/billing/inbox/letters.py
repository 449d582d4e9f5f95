"""Letters: what is in the inbox and what became of it, for a person who wants to know, and to try again.

An event is received, applied, parked or dead; an effect, which is one handler's work, is waiting, done or dead. Both
keep the reason they failed for. Trying again makes them due at once, with all their tries; nothing that is done is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import func, select, update

from paydesk.billing.log import redact
from paydesk.billing.store.states import in_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping

    from paydesk.billing.store.store import Store

EventState = Literal["received", "applied", "parked", "dead"]
EffectState = Literal["waiting", "done", "dead"]
EVENT_STATES: tuple[EventState, ...] = get_args(EventState)
EFFECT_STATES: tuple[EffectState, ...] = get_args(EffectState)

LIMIT = 50


@dataclass(frozen=True)
class EventLetter:
    """An event of the inbox. `error` is why it is parked or dead, or was last tried in vain."""

    id: str
    type: str
    state: EventState
    about: str | None
    lane: str
    attempts: int
    received_at: datetime
    applied_at: datetime | None
    next_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class EffectLetter:
    """A handler's work. `source` is the fact or event it is about; `error` the traceback of the last try."""

    id: int
    handler: str
    source: str
    state: EffectState
    attempts: int
    created_at: datetime
    done_at: datetime | None
    next_at: datetime | None
    error: str | None


class Letters:
    """Looks into the inbox. Needs the database alone."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._events = store.tables.events
        self._effects = store.tables.effects
        self._now = now

    def events(
        self,
        *,
        state: EventState | None = None,
        kind: str | None = None,
        about: str | None = None,
        after: str | None = None,
        limit: int = LIMIT,
    ) -> list[EventLetter]:
        """The newest events, of a state, of a type (`invoice.*` for many), or about an object or in its lane.

        `after` goes on from an event of the page before.
        """
        table = self._events
        query = select(table).order_by(table.c.seq.desc()).limit(limit)
        if state is not None:
            query = query.where(in_state(table, state))
        if kind is not None:
            query = query.where(_like(table.c.type, kind))
        if about is not None:
            query = query.where((table.c.object_id == about) | (table.c.lane == about))
        if after is not None:
            query = query.where(table.c.seq < select(table.c.seq).where(table.c.id == after).scalar_subquery())
        with self._store.read() as connection:
            return [_event(row) for row in connection.execute(query).mappings()]

    def event(self, event_id: str) -> EventLetter | None:
        """One event, by Stripe's id."""
        with self._store.read() as connection:
            row = connection.execute(select(self._events).where(self._events.c.id == event_id)).mappings().first()
        return _event(row) if row is not None else None

    def payload(self, event_id: str) -> dict[str, Any] | None:
        """What Stripe sent."""
        with self._store.read() as connection:
            kept: str | None = connection.scalar(select(self._events.c.payload).where(self._events.c.id == event_id))
        return json.loads(kept) if kept is not None else None

    def effects(
        self,
        *,
        state: EffectState | None = None,
        handler: str | None = None,
        source: str | None = None,
        after: int | None = None,
        limit: int = LIMIT,
    ) -> list[EffectLetter]:
        """The newest effects, of a state, of a handler (`shop.*` for many), or of a fact or event.

        `after` goes on from an effect of the page before.
        """
        table = self._effects
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(in_state(table, state))
        if handler is not None:
            query = query.where(_like(table.c.handler, handler))
        if source is not None:
            query = query.where(table.c.source.in_((source, f"event:{source}", f"fact:{source}")))
        if after is not None:
            query = query.where(table.c.id < after)
        with self._store.read() as connection:
            return [_effect(row) for row in connection.execute(query).mappings()]

    def effect(self, effect_id: int) -> EffectLetter | None:
        """One effect, by its number."""
        with self._store.read() as connection:
            row = connection.execute(select(self._effects).where(self._effects.c.id == effect_id)).mappings().first()
        return _effect(row) if row is not None else None

    def counts(self) -> dict[str, dict[str, int]]:
        """How many events and effects there are in each state."""
        found: dict[str, dict[str, int]] = {
            "events": dict.fromkeys(EVENT_STATES, 0),
            "effects": dict.fromkeys(EFFECT_STATES, 0),
        }
        with self._store.read() as connection:
            for name, table in (("events", self._events), ("effects", self._effects)):
                for state, number in connection.execute(select(table.c.state, func.count()).group_by(table.c.state)):
                    found[name][state] = number
        return found

    def retry_event(self, event_id: str) -> bool:
        """Make an event due now that is not applied; answers whether there is such a one."""
        return self._retry_events(self._events.c.id == event_id, self._events.c.state != "applied") == 1

    def retry_dead_events(self, *, kind: str | None = None) -> int:
        """Make every dead event due now, or those of a type; answers how many."""
        chosen = [self._events.c.state == "dead"]
        return self._retry_events(*chosen, *([_like(self._events.c.type, kind)] if kind is not None else []))

    def retry_effect(self, effect_id: int) -> bool:
        """Run an effect now that is not done; answers whether there is such a one."""
        return self._retry_effects(self._effects.c.id == effect_id, self._effects.c.state != "done") == 1

    def retry_dead_effects(self, *, handler: str | None = None) -> int:
        """Run every dead effect now, or those of a handler; answers how many."""
        chosen = [self._effects.c.state == "dead"]
        return self._retry_effects(*chosen, *([_like(self._effects.c.handler, handler)] if handler is not None else []))

    def _retry_events(self, *chosen: Any) -> int:
        again = {"state": "received", "attempts": 0, "next_at": self._now()}
        return self._again(update(self._events).where(*chosen).values(**again))

    def _retry_effects(self, *chosen: Any) -> int:
        again = {"state": "waiting", "attempts": 0, "next_at": self._now()}
        return self._again(update(self._effects).where(*chosen).values(**again))

    def _again(self, statement: Any) -> int:
        with self._store.write() as connection:
            number: int = connection.execute(statement).rowcount
            self._store.notify(connection)
        return number


def _like(column: Any, pattern: str) -> Any:
    """Equal, or where the pattern has stars, alike."""
    if "*" not in pattern:
        return column == pattern
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.like(escaped.replace("*", "%"), escape="\\")


def _event(row: RowMapping) -> EventLetter:
    is_over = row["state"] in ("applied", "dead")
    return EventLetter(
        id=row["id"],
        type=row["type"],
        state=row["state"],
        about=row["object_id"],
        lane=row["lane"],
        attempts=row["attempts"],
        received_at=row["received_at"],
        applied_at=row["applied_at"],
        next_at=None if is_over else row["next_at"],
        error=redact(row["last_error"]) if row["last_error"] else None,
    )


def _effect(row: RowMapping) -> EffectLetter:
    return EffectLetter(
        id=row["id"],
        handler=row["handler"],
        source=row["source"],
        state=row["state"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        done_at=row["done_at"],
        next_at=row["next_at"] if row["state"] == "waiting" else None,
        error=redact(row["last_error"]) if row["last_error"] else None,
    )
