"""The `db` of a handler: a SQLAlchemy Session whose one transaction is committed by paydesk.

The handler's work and the mark that it was done must be one commit. So `db.commit()` and `db.close()`, which habit puts
at the end of a handler, only flush, and `with db.begin():` is a savepoint. `db.rollback()` is real: it undoes the
handler's work.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import SessionTransaction

    from paydesk.billing.store.store import Store


class HandlerSession(Session):
    """Begins with its first statement, so that a handler that first talks to the world holds no lock meanwhile."""

    def commit(self) -> None:
        self.flush()

    def begin(self, nested: bool = False) -> SessionTransaction:
        return super().begin(nested=True)

    def close(self) -> None:
        self.flush()
        self.expunge_all()

    def reset(self) -> None:
        self.close()

    def commit_for_good(self) -> None:
        super().commit()

    def close_for_good(self) -> None:
        super().close()


@contextmanager
def session_on(store: Store) -> Iterator[HandlerSession]:
    """A handler's session, undone in the end unless it was committed for good."""
    db = HandlerSession(store.writing)
    try:
        with store.lent_to(db):
            yield db
    finally:
        db.close_for_good()
