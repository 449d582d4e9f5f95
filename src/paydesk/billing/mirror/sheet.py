"""Sheets: the mirrored rows of one transaction, read together before anything is written, and written together.

A round that writes fifty objects would ask the database for each row and send each one by itself. Here what is said to
be needed is fetched with the first of its kind, and what is put stays on the sheet until somebody looks at the database
past it, or the end. What is on the sheet is what anybody sees who asks it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Table

    from paydesk.billing.store.store import Store

    Json = dict[str, Any]


class Sheet:
    """The rows of one transaction. It may be used for as long as that is open."""

    def __init__(self, store: Store, connection: Connection, *, is_writing: bool = True) -> None:
        """One that is only looked at, and locks nothing, needs no transaction."""
        self.store = store
        self._connection = connection
        self._is_writing = is_writing
        self._customers = store.tables.customers
        self._wanted: dict[Table, set[str]] = defaultdict(set)
        self._rows: dict[Table, dict[str, Json | None]] = defaultdict(dict)
        self._puts: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
        self._parts: dict[tuple[Table, str], dict[str, Sequence[Json]]] = defaultdict(dict)
        self._orders: dict[str, str | None] = {}

    def expect(self, table: Table, object_id: str) -> None:
        """Say that this row will be asked for, so that it is fetched with others of its table."""
        self._wanted[table].add(object_id)

    def row(self, table: Table, object_id: str | None) -> Json | None:
        """The row as it is by now."""
        if object_id is None:
            return None
        known = self._rows[table]
        if object_id not in known:
            if any(put[0] is table for put in self._puts):
                self.write()
            wanted = sorted({object_id, *self._wanted[table].difference(known)})
            known.update(dict.fromkeys(wanted))
            known.update(self._fetch(table, wanted))
        row = known[object_id]
        return {**row} if row is not None else None

    def rows(self, table: Table, key: str, object_ids: Iterable[str]) -> Mapping[str, Mapping[Any, Any]]:
        """The rows there are of these objects, by what `key` holds. Of orders, only how old they are."""
        wanted = list(object_ids)
        if table is self.store.tables.orders:
            columns = (table.c[key], table.c.seen_at, table.c.payload_at, table.c.deleted_at)
            query = select(*columns).where(self.store.among(table.c[key], wanted))
            return {row[key]: row for row in self.beside.execute(query).mappings()}
        for object_id in wanted:
            self.expect(table, object_id)
        found = {object_id: self.row(table, object_id) for object_id in wanted}
        return {object_id: row for object_id, row in found.items() if row is not None}

    def customer(self, customer_id: str | None) -> Json | None:
        """Of a customer's row, whose it is and how old. Who joins the two meanwhile waits until we are done."""
        return self.row(self._customers, customer_id)

    def order_of(self, payment_id: str) -> str | None:
        """The order that is known to be paid by this payment. It is looked up with those of others that are expected.

        Orders are on no sheet, so this is forgotten as soon as anybody has had the chance to write one.
        """
        if payment_id not in self._orders:
            orders, wanted = self.store.tables.orders, {payment_id, *self._wanted[self.store.tables.payments]}
            query = select(orders.c.payment_intent_id, orders.c.id)
            found = self._connection.execute(query.where(self.store.among(orders.c.payment_intent_id, sorted(wanted))))
            self._orders = {**dict.fromkeys(wanted), **{row.payment_intent_id: row.id for row in found}}
        return self._orders[payment_id]

    def _fetch(self, table: Table, wanted: list[str]) -> dict[str, Json]:
        if table is not self._customers:
            query = select(table).where(self.store.among(table.c.id, wanted))
            return {row["id"]: {**row} for row in self._connection.execute(query).mappings()}
        columns = (table.c.stripe_id, table.c.user_id, table.c.seen_at, table.c.payload_at, table.c.deleted_at)
        # In one order, so that nobody who locks several of them waits for somebody who waits for him.
        query = select(*columns).where(self.store.among(table.c.stripe_id, wanted)).order_by(table.c.stripe_id)
        if self._is_writing:
            query = self.store.locked(query)
        return {row["stripe_id"]: {**row} for row in self._connection.execute(query).mappings()}

    def put(self, table: Table, row: Json, *, on: str, keep: tuple[str, ...]) -> None:
        """Insert or overwrite a row. `keep` names columns that are set once and stay."""
        self._puts[(table, on, keep, *row)].append(row)
        known = self._rows[table]
        if on == "id" and row["id"] in known:
            before = known[row["id"]]
            changed = {name: value for name, value in row.items() if before is None or name not in keep}
            known[row["id"]] = {**(before or dict.fromkeys(table.columns.keys())), **changed}

    def put_parts(self, table: Table, whole_column: str, whole_id: str, rows: Sequence[Json]) -> None:
        """Have these rows, and no others, be the parts of that whole."""
        self._parts[table, whole_column][whole_id] = rows

    @property
    def database(self) -> Connection:
        """The connection, for whoever reads or writes past the sheet: it is written first, and forgets what it knew."""
        connection = self.beside
        self._rows.clear()
        return connection

    @property
    def beside(self) -> Connection:
        """The connection, for whoever reads it, or writes to rows that are on no sheet. The sheet is written first."""
        self.write()
        self._orders.clear()
        return self._connection

    @property
    def below(self) -> Connection:
        """The connection, for whoever reads rows of which none is on the sheet yet: it is not written for that."""
        return self._connection

    def write(self) -> None:
        """Send what was put. The rows of one table go together, in the order in which they were put."""
        puts, parts = self._puts, self._parts
        self._puts, self._parts = defaultdict(list), defaultdict(dict)
        for (table, on, keep, *_), rows in puts.items():
            self.store.upsert(self._connection, table, *rows, on=[on], keep=keep)
        for (table, column), wholes in parts.items():
            rows = [row for theirs in wholes.values() for row in theirs]
            left = (
                self.store.among(table.c[column], wholes),
                self.store.not_among(table.c.id, [row["id"] for row in rows]),
            )
            self._connection.execute(delete(table).where(*left))
            self.store.upsert(self._connection, table, *rows, on=["id"])

    def discard(self) -> None:
        """Forget what was put and not yet written, and what was known with it."""
        for kept in (self._puts, self._parts, self._rows, self._orders):
            kept.clear()
