"""Comparing: would writing what Stripe says change anything here?

The mirror itself is asked: the object is written as a worker would, the rows before and after are held against each
other, and all is undone. So a column that was changed by hand is found as well as a field that an event would have
told of, and what a row should be is said in one place alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from paydesk.billing.mirror.mirrored import Parked, Writing
from paydesk.billing.mirror.refs import lane_of
from paydesk.billing.mirror.sheet import Sheet
from paydesk.billing.truth.diff import ABSENT, SIGNED_ANEW, Difference, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Table

    from paydesk.billing.mirror.mirrored import Mirrored
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.kinds import Kind
    from paydesk.billing.truth.problems import Problem

# Stripe tells nobody that a session was opened, nor that somebody tried in vain to pay it. Until it is over, its order
# knows of it what its making answered.
_UNTOLD_WHILE_OPEN = frozenset({"object", "payment_intent_id", "charge_id"})

# What a row says about itself, and not about Stripe's object.
_OWN = frozenset({"seen_at", "payload_at", "updated_at", "turns", "heard_at"})


@dataclass(frozen=True)
class Drift:
    """A row that is not as Stripe says.

    It *differs*; or is *missing* here; or Stripe has deleted the object, which is *gone* there; or it is *buried*: said
    to be deleted here, and it is not. `is_repaired` is None until somebody tried.
    """

    kind: str
    id: str
    problem: Problem
    lane: str
    differences: tuple[Difference, ...] = ()
    is_repaired: bool | None = None


class Comparer:
    """Holds rows against what Stripe says."""

    def __init__(self, store: Store, plans: PlanFinder, now: Callable[[], datetime]) -> None:
        self._store = store
        self._plans = plans
        self._now = now

    def compare(self, kind: Kind, states: Iterable[Json]) -> list[Drift]:
        """What writing these objects would change. Nothing is written."""
        found = []
        with self._store.write() as connection:
            for state in states:
                undone = connection.begin_nested()
                try:
                    drift = self._one(connection, kind, state)
                finally:
                    undone.rollback()
                if drift is not None:
                    found.append(drift)
        return found

    def is_live(self, kind: Kind, object_id: str) -> bool | None:
        """Whether the row says that the object is there; None where there is no row."""
        table, key = kind.mirrored.table(self._store.tables), kind.mirrored.key
        with self._store.read() as connection:
            row = connection.execute(select(table.c.deleted_at).where(table.c[key] == object_id)).first()
        return row.deleted_at is None if row is not None else None

    def _one(self, connection: Connection, kind: Kind, state: Json) -> Drift | None:
        def drift(problem: Problem, *fields: Difference) -> Drift:
            return Drift(kind.name, state["id"], problem, lane_of(state), fields)

        mirrored = kind.mirrored
        before = self._rows(connection, mirrored, state["id"])
        try:
            sheet = Sheet(self._store, connection)
            mirrored.apply(Writing(sheet, self._now(), self._plans), state)
            sheet.write()
        except Parked:
            return None  # of an order that is not in this database: another app on the same account has it
        after = self._rows(connection, mirrored, state["id"])
        own = (mirrored.table(self._store.tables).name, state["id"])
        if own in after and own not in before:
            return drift("missing")
        if own in before and before[own]["deleted_at"] is not None:
            return drift("buried")
        fields = [each for place in sorted(before.keys() | after.keys()) for each in _fields(own, place, before, after)]
        if state["object"] == "checkout.session" and state["status"] == "open":
            fields = [each for each in fields if each.path.rpartition("]")[2].split(".")[0] not in _UNTOLD_WHILE_OPEN]
        return drift("differs", *fields) if fields else None

    def _rows(self, connection: Connection, mirrored: Mirrored, object_id: str) -> dict[tuple[str, str], Json]:
        """The object's row, and those that are written with it, by table and id."""
        tables = self._store.tables
        own = mirrored.table(tables)
        rows: dict[tuple[str, str], Json] = {}
        for column in (own.c[mirrored.key], *mirrored.parts(tables)):
            table: Table = column.table
            (number,) = table.primary_key
            for row in connection.execute(select(table).where(column == object_id)).mappings():
                name = row[mirrored.key] if table is own else row[number.name]
                rows[(table.name, str(name))] = {**row}
        return rows


def _fields(
    own: tuple[str, str], place: tuple[str, str], before: dict[Any, Json], after: dict[Any, Json]
) -> Iterable[Difference]:
    """Where one row would change. Fields of a row that belongs to the object are named with its table and id."""
    prefix = "" if place == own else f"{place[0]}[{place[1]}]"
    if place not in before or place not in after:
        yield Difference(prefix, "here" if place in before else ABSENT, "there" if place in after else ABSENT)
        return
    ours, theirs = before[place], after[place]
    for name in ours:
        if name in _OWN or name in SIGNED_ANEW or ours[name] == theirs[name]:
            continue
        if name == "object":
            # What is told of an order's money stands in the session or the payment, and is looked at there.
            if place == own or place[0].endswith(("subscription_items", "signups")):
                is_told = ours.get("payload_at") is not None
                for each in differences(ours[name], theirs[name], is_told=is_told):
                    yield Difference(f"{prefix}object.{each.path}".rstrip("."), each.ours, each.theirs)
        else:
            yield Difference(f"{prefix}.{name}".lstrip("."), _plain(ours[name]), _plain(theirs[name]))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
