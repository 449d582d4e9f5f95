"""Walks: going through one of Stripe's lists, page by page, by one process at a time, and resumed where it died.

How far a walk has come is committed with what each page brought. A lease like that of a lane keeps a second process
from walking beside the first, and finds out a process that was only slow.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from paydesk.billing.inbox.lanes import Lanes, Lease
    from paydesk.billing.store.store import Store

# A lane of this name has no events: it is there for its lease.
_LANE = "walk:{}"

State = Literal["idle", "due", "walking", "passed", "missing"]


@dataclass(frozen=True)
class Walk:
    """How far one walk has come.

    `cursor` is the last object of the last page. `since` is Stripe's stamp of where our history begins. A walk may end
    at `until`, or else once it has passed the anchor: the newest object of the last walk that was finished.
    """

    name: str
    state: State = "idle"
    cursor: str | None = None
    since: int | None = None
    until: int | None = None
    anchor_id: str | None = None
    anchor_at: int | None = None
    newest_id: str | None = None
    newest_at: int | None = None
    looked_at: int = 0
    found: int = 0
    finished_at: datetime | None = None

    @property
    def is_under_way(self) -> bool:
        return self.state not in ("idle", "due")

    def begun(self) -> Walk:
        """The walk at its first step."""
        return replace(self, state="walking", cursor=None, looked_at=0, found=0)


class Walks:
    """The walks of one database."""

    def __init__(self, store: Store, lanes: Lanes, now: Callable[[], datetime]) -> None:
        self._store = store
        self._table = store.tables.walks
        self._sightings = store.tables.sightings
        self._lanes = lanes
        self._now = now

    def get(self, name: str) -> Walk:
        """The walk as it was last committed."""
        with self._store.read() as connection:
            row = connection.execute(select(self._table).where(self._table.c.name == name)).mappings().one_or_none()
        return Walk(**row) if row is not None else Walk(name)

    @contextmanager
    def leased(self, name: str) -> Iterator[Lease | None]:
        """The right to walk, or None while another process has it. It is given back in the end."""
        lease = self._lanes.claim(_LANE.format(name))
        if lease is None:
            yield None
            return
        try:
            yield lease
        finally:
            self._lanes.let_go(lease)
            self._lanes.forget(lease)

    def hold(self, lease: Lease) -> None:
        """Keep the right to walk while a page takes long. Raises LeaseLost."""
        with self._store.write() as connection:
            self._lanes.hold(connection, lease)

    def save(self, lease: Lease, walk: Walk, *, met: Iterable[str] = ()) -> Walk:
        """Commit how far the walk has come, and what it met on the last page. Raises LeaseLost."""
        row = {field.name: getattr(walk, field.name) for field in fields(walk)}
        with self._store.write() as connection:
            self._lanes.hold(connection, lease)
            self._store.upsert(connection, self._table, row, on=["name"])
            self._store.insert_new(connection, self._sightings, *({"walk": walk.name, "id": each} for each in met))
        return walk

    def finish(self, lease: Lease, walk: Walk) -> Walk:
        """Commit that the walk is done; what it met is forgotten. Raises LeaseLost."""
        done = replace(walk, state="idle", cursor=None, until=None, finished_at=self._now())
        done = replace(done, anchor_id=walk.newest_id or walk.anchor_id, anchor_at=walk.newest_at or walk.anchor_at)
        with self._store.write() as connection:
            connection.execute(delete(self._sightings).where(self._sightings.c.walk == walk.name))
        return self.save(lease, done)
