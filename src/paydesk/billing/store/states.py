"""States, as a question the database answers by an index.

The indexes of the inbox hold only what is unfinished, or only what is dead, so they stay small for ever. SQLite uses
one for several states only where the query spells them out; of a list that it is told separately it does not know what
is in it, and reads the whole table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, literal

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

UNFINISHED = ("received", "parked")


def in_state(table: Table, *states: str) -> ColumnElement[bool]:
    """Whether a row of events, effects or attempts is in one of these states, which are our own words and no input."""
    if len(states) == 1:
        return table.c.state == literal(states[0], literal_execute=True)
    return table.c.state.in_(bindparam(None, states, expanding=True, literal_execute=True))
