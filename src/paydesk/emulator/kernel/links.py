"""Links: which objects have which value in a field, so that lists and look-ups need not read them all."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kinds import Kind


def keep(db: sqlite3.Connection, sandbox: int, kind: Kind, document: Document) -> None:
    """Link a new object by every field its kind narrows by."""
    _insert(db, sandbox, kind, document, kind.filters)


def change(
    db: sqlite3.Connection, sandbox: int, kind: Kind, before: Mapping[str, Any], document: Document, changed: set[str]
) -> None:
    """Link an object anew by the fields of which something has changed."""
    fields = [field for field in kind.filters if field.partition(".")[0] in changed]
    old = [(field, value_at(before, field)) for field in fields]
    db.executemany(
        "DELETE FROM links WHERE sandbox = ? AND kind = ? AND field = ? AND value = ? AND seq = ?",
        [(sandbox, kind.name, field, indexed(value), document.seq) for field, value in old if value is not None],
    )
    _insert(db, sandbox, kind, document, fields)


def drop(db: sqlite3.Connection, sandbox: int, kind: str, seq: int) -> None:
    """Forget an object."""
    db.execute("DELETE FROM links WHERE sandbox = ? AND kind = ? AND seq = ?", (sandbox, kind, seq))


def value_at(document: Mapping[str, Any], field: str) -> Any:
    """The value of a field, dotted where it nests; None when it is not there."""
    if "." not in field:
        return document.get(field)
    value: Any = document
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def indexed(value: Any) -> str:
    """A field's value as the index holds it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _insert(db: sqlite3.Connection, sandbox: int, kind: Kind, document: Document, fields: Iterable[str]) -> None:
    values = [(field, value_at(document, field)) for field in fields]
    db.executemany(
        "INSERT INTO links (sandbox, kind, field, value, seq) VALUES (?, ?, ?, ?, ?)",
        [(sandbox, kind.name, field, indexed(value), document.seq) for field, value in values if value is not None],
    )
