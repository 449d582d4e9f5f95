"""A fresh database for each test: as it stood once the tables were made, with what the app put there at its start.

On SQLite that state is put back into the same file, so that whoever has it open sees it too. On any other database
paydesk's own tables are emptied, and the app's are left to the app.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from paydesk.testing.misuse import Misused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk import Paydesk

LOCK_SECONDS = 5.0
# The tables, and nothing that is sold.
_BARE = ""


class Database:
    """The database of one run of tests, at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._file = _file_of(url)
        self._templates: dict[str, sqlite3.Connection] = {}

    def renew(self, desk: Paydesk, shelf: str | None, stock: Callable[[], None]) -> None:
        """Make it as it was before the first test. The desk is wired to it.

        `stock` tells the tables what is on sale at Stripe; what is on sale from one `shelf` is told them once.
        """
        if self._file is None:
            desk.open()
            self._empty(desk)
            stock()
            return
        if _BARE not in self._templates:
            desk.open()
            self._keep(self._file, _BARE)
        if shelf is not None and shelf in self._templates:
            self._restore(self._file, self._templates[shelf])
            return
        self._restore(self._file, self._templates[_BARE])
        stock()
        if shelf is not None:
            self._keep(self._file, shelf)

    def close(self) -> None:
        """Let go of the templates."""
        for template in self._templates.values():
            template.close()

    def _keep(self, file: str, name: str) -> None:
        self._templates[name] = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(file)) as source:
            source.backup(self._templates[name])

    def _restore(self, file: str, template: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(file, timeout=LOCK_SECONDS)) as target:
            target.execute("PRAGMA synchronous = OFF")
            # Copied behind the backs of all connections, it would not be seen by them: this is a transaction.
            template.backup(target, progress=_patiently(file), sleep=0.01)

    def _empty(self, desk: Paydesk) -> None:
        kept = f"{desk.store.tables.prefix}paydesk_alembic_version"
        with desk.store.write() as connection:
            for table in reversed(desk.store.tables.metadata.sorted_tables):
                if table.name != kept:
                    connection.execute(table.delete())


def _patiently(file: str) -> Callable[[int, int, int], None]:
    """Whoever copies is asked at each step; left to itself it would wait for a lock for ever."""
    deadline = time.monotonic() + LOCK_SECONDS

    def look(status: int, _left: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise Misused(
                f"The database {file} cannot be made fresh: something still has a transaction open, perhaps a session "
                "that a test before this one did not close."
            )

    return look


def _file_of(url: str) -> str | None:
    address = make_url(url)
    return address.database if address.get_backend_name() == "sqlite" else None
