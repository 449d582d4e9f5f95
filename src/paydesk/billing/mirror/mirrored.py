"""What a mirrored table tells the mirror: how Stripe is asked for its object, and how the answer becomes a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.read import Ask
    from paydesk.billing.mirror.refs import Json, Ref
    from paydesk.billing.mirror.sheet import Sheet
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store
    from paydesk.billing.store.tables import Tables


class Parked(Exception):
    """Cannot be applied yet, because something it belongs to is not here. It is tried again when that may have come."""


@dataclass(frozen=True)
class Writing:
    """One object being written: the transaction, and what is known of the object's age.

    `seen_at` is Stripe's stamp of the newest event this state accounts for. `payload_at` is that stamp again where the
    state is that event's own payload, and None where Stripe was read. `told` holds the types of those events.
    """

    sheet: Sheet
    now: datetime
    plans: PlanFinder
    seen_at: int | None = None
    payload_at: int | None = None
    told: frozenset[str] = frozenset()

    @property
    def store(self) -> Store:
        return self.sheet.store

    @property
    def tables(self) -> Tables:
        return self.store.tables

    @property
    def connection(self) -> Connection:
        """The database past the sheet; see Sheet.database."""
        return self.sheet.database

    @property
    def beside(self) -> Connection:
        """The database, for rows that are on no sheet, as orders; see Sheet.beside."""
        return self.sheet.beside

    @property
    def below(self) -> Connection:
        """The database, for rows of kinds that are written after this one; see Sheet.below."""
        return self.sheet.below

    def row(self, table: Table, object_id: str | None) -> Json | None:
        """The row of an object, as it is before this is written."""
        return self.sheet.row(table, object_id)

    def owner(self, customer_id: str | None) -> str | None:
        """The app's user that this customer is. Who joins the two meanwhile waits until this transaction ends."""
        customer = self.sheet.customer(customer_id)
        return customer["user_id"] if customer is not None else None

    def put(self, table: Table, row: Json, whole: Json, *, on: str = "id", keep: tuple[str, ...] = ()) -> None:
        """Insert or overwrite the object's row. `keep` names columns that are set once and stay."""
        mirrored = {"object": whole, "seen_at": self.seen_at, "payload_at": self.payload_at}
        self.sheet.put(table, {**row, **mirrored}, on=on, keep=keep)


def _never(_payload: Json) -> bool:
    return False


def always(_payload: Json) -> bool:
    """Whatever an event tells of the object is all there is to know."""
    return True


def _nobody(_state: Json) -> Iterable[Ref]:
    return ()


def _none(_tables: Tables) -> Iterable[Column[Any]]:
    return ()


@dataclass(frozen=True)
class Mirrored:
    """One kind of object.

    `is_whole`: whether an event's payload holds everything the row needs, so that it may be applied without asking.
    `is_deletable`: it can be deleted at Stripe, and then leaves a tombstone. `parents`: what it belongs to, in the same
    lane; a parent that is not here yet is read along with it. `telling`: types of events that name a fact by having
    happened: the object is always looked at then. `complete` fetches what Stripe's answer leaves out. `parts` are the
    columns that hold the object's id in other tables whose rows are written with it.
    """

    type: str
    path: str
    apply: Callable[[Writing, Json], list[Fact]]
    table: Callable[[Tables], Table]
    key: str = "id"
    expand: tuple[str, ...] = ()
    is_whole: Callable[[Json], bool] = _never
    is_deletable: bool = False
    parents: Callable[[Json], Iterable[Ref]] = _nobody
    telling: frozenset[str] = frozenset()
    complete: Callable[[Ask, Json], None] | None = None
    parts: Callable[[Tables], Iterable[Column[Any]]] = _none


def moment(stamp: Any) -> datetime | None:
    """Stripe's unix seconds as a time."""
    return datetime.fromtimestamp(stamp, UTC) if stamp is not None else None
