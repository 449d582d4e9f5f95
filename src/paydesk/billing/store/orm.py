"""The app's own ORM, where that is not SQLAlchemy: it has connections and transactions of its own on our database.

A handler's writes and the mark that it is done must be one commit. A handler that writes through the app's ORM can
therefore only be marked on the ORM's connection, in the ORM's transaction: this is what paydesk asks of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Update


class Orm(Protocol):
    """An ORM beside ours, on the same database."""

    def run(self, work: Callable[[], object], mark: Update) -> None:
        """Do the work and execute the mark in one transaction of the ORM's, on this thread.

        If the mark changes no row, somebody else has done the work: then nothing of it is kept, and that is no error.
        """

    def holds_lock(self) -> bool:
        """Whether this thread may hold a SQLite file's only write lock in a transaction of the ORM's."""
