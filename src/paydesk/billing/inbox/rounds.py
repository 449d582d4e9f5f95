"""Rounds: what some lanes have waiting, noted together, and what is to be done about each object.

A round is one lane's turn. Many are noted with one question to the database, and what is known of their objects with
one for each kind of object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from paydesk.billing.inbox.visits import BY_TYPE, NOTED_COLUMNS, Noted, Visit, choose, noted_in, rank
from paydesk.billing.mirror.decide import Known
from paydesk.billing.mirror.refs import Ref
from paydesk.billing.store.states import UNFINISHED, in_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from paydesk.billing.inbox.lanes import Lease
    from paydesk.billing.mirror.sheet import Sheet
    from paydesk.billing.store.store import Store

# Lanes rarely have more than a burst waiting. What is left over is noted in the next round, and read for once more.
NOTED_MAX = 2000

# Each may be a call, one after the other: a round ends well before its lease does, also at a slow Stripe.
VISITS_MAX = 50


@dataclass
class Round:
    """One lane's turn: the events that were noted, and the visits they lead to.

    It is leased unless it begins and ends in one transaction. `strays` belong to another lane: an earlier version,
    which may still be running beside this one, kept them here.
    """

    lane: str
    lease: Lease | None = None
    noted: list[Noted] = field(default_factory=list)
    strays: list[Noted] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    @property
    def unread(self) -> list[Visit]:
        """The visits for which Stripe is still to be asked, parents first."""
        return [visit for visit in self.visits if visit.is_unread]

    @property
    def applied(self) -> list[Noted]:
        """The events that are done once the round is written; what failed or is parked is tried again."""
        visits = {visit.ref: visit for visit in self.visits}
        return [event for event in self.noted if event.ref is None or visits[event.ref].outcome == "applied"]

    @property
    def newest(self) -> int:
        """The event that arrived last. If it is another one the next time, something has come."""
        return max((event.seq for event in (*self.noted, *self.strays)), default=0)

    @property
    def unvisited(self) -> list[Ref]:
        """What the visited objects belong to, where that is not visited itself."""
        visited = {visit.ref for visit in self.visits}
        return [ref for visit in self.visits for ref in visit.parents if ref not in visited]


class Rounds:
    """Notes what waits."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._events = store.tables.events
        self._store = store
        self._now = now

    def of(self, sheet: Sheet, lanes: Iterable[str], asked: Sequence[Ref] = ()) -> list[Round]:
        """A round for each lane, by order of arrival, with what is to be done.

        `asked`: objects that are looked at whether or not an event speaks of them, where it is a single lane.
        """
        rounds = {lane: Round(lane) for lane in lanes}
        for event, lane in self._waiting(sheet, rounds):
            own = rounds[lane]
            (own.noted if event.lane == lane else own.strays).append(event)
        for each in rounds.values():
            self._visit(each, asked)
        chosen = [visit for each in rounds.values() for visit in each.visits if not visit.is_asked]
        known = known_of(sheet, [visit.ref for visit in chosen])
        for visit in chosen:
            choose(visit, known.get(visit.ref))
        ordered = sorted(rounds.values(), key=lambda each: each.noted[0].seq if each.noted else 0)
        self.add_parents(sheet, ordered)
        return ordered

    def add_parents(self, sheet: Sheet, rounds: Iterable[Round]) -> None:
        """One more visit to each parent that is not here yet: a subscription does not wait for its owner."""
        # What somebody belongs to is in their lane.
        wanted = {ref: each for each in rounds for ref in each.unvisited}
        known = known_of(sheet, list(wanted))
        for ref, each in wanted.items():
            if ref not in known:
                each.visits = sorted([*each.visits, Visit(ref)], key=rank)

    def _waiting(self, sheet: Sheet, lanes: Iterable[str]) -> list[tuple[Noted, str]]:
        events = self._events
        unfinished = (in_state(events, *UNFINISHED), events.c.next_at <= self._now())
        waiting = select(*(events.c[name] for name in NOTED_COLUMNS)).where(
            self._store.among(events.c.lane, lanes), *unfinished
        )
        rows = sheet.beside.execute(waiting.order_by(events.c.seq).limit(NOTED_MAX))
        return [(noted_in(row), row.lane) for row in rows]

    def _visit(self, of: Round, asked: Sequence[Ref]) -> None:
        """Each object once, parents first. Events about objects that are too many are noted again in the next round."""
        visits = {ref: Visit(ref, is_asked=True) for ref in asked}
        for event in of.noted:
            if event.ref and (event.ref in visits or len(visits) < VISITS_MAX):
                visits.setdefault(event.ref, Visit(event.ref)).events.append(event)
        of.noted = [event for event in of.noted if event.ref is None or event.ref in visits]
        of.visits = sorted(visits.values(), key=rank)


def known_of(sheet: Sheet, refs: Sequence[Ref]) -> dict[Ref, Known]:
    """What the mirror knows of those objects that are in it."""
    known: dict[Ref, Known] = {}
    for kind in dict.fromkeys(ref.type for ref in refs):
        mirrored = BY_TYPE[kind]
        table, ids = mirrored.table(sheet.store.tables), [ref.id for ref in refs if ref.type == kind]
        for object_id, row in sheet.rows(table, mirrored.key, ids).items():
            known[Ref(kind, object_id)] = Known(row["seen_at"], row["payload_at"], row["deleted_at"] is not None)
    return known
