"""The `db` of a handler: a SQLAlchemy Session whose one transaction is committed by paydesk.

The handler's work and the mark that it was done must be one commit. So `db.commit()`, which habit puts at the end of a
handler, only flushes, and `with db.begin():` is a savepoint. `db.rollback()` is real: it undoes the handler's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from sqlalchemy.orm import SessionTransaction


class HandlerSession(Session):
    """Begins with its first statement, so that a handler that first talks to the world holds no lock meanwhile."""

    def commit(self) -> None:
        self.flush()

    def begin(self, nested: bool = False) -> SessionTransaction:
        return super().begin(nested=True)

    def commit_for_good(self) -> None:
        super().commit()
