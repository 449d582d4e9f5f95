"""What a mirrored table tells the mirror: how Stripe is asked for its object, and how the answer becomes a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.store.store import Store
    from paydesk.billing.store.tables import Tables


class Parked(Exception):
    """Cannot be applied yet, because something it belongs to is not here. It is tried again when that may have come."""


@dataclass(frozen=True)
class Writing:
    """One object being written: the transaction, and what is known of the object's age.

    `seen_at` is Stripe's stamp of the newest event this state accounts for. `payload_at` is that stamp again where the
    state is that event's own payload, and None where Stripe was read.
    """

    store: Store
    connection: Connection
    now: datetime
    seen_at: int | None = None
    payload_at: int | None = None

    @property
    def tables(self) -> Tables:
        return self.store.tables

    def put(self, table: Table, row: Json, whole: Json, *, on: str = "id", keep: tuple[str, ...] = ()) -> None:
        """Insert or overwrite the object's row. `keep` names columns that are set once and stay."""
        mirrored = {"object": whole, "seen_at": self.seen_at, "payload_at": self.payload_at}
        self.store.upsert(self.connection, table, {**row, **mirrored}, on=[on], keep=keep)


@dataclass(frozen=True)
class Mirrored:
    """One kind of object.

    `is_whole_in_events`: an event's payload holds everything the row needs, so it may be applied without asking.
    """

    type: str
    path: str
    apply: Callable[[Writing, Json], list[Fact]]
    table: Callable[[Tables], Table]
    key: str = "id"
    expand: tuple[str, ...] = ()
    is_whole_in_events: bool = False


def moment(stamp: Any) -> datetime | None:
    """Stripe's unix seconds as a time."""
    return datetime.fromtimestamp(stamp, UTC) if stamp is not None else None
