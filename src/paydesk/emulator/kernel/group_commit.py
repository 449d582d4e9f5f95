"""Group commit: requests that arrive together share one wait for the disk, and none is answered before it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.store import Store


class GroupCommit:
    """The commits of one server, on its event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: asyncio.Future[None] | None = None

    async def done(self) -> None:
        """Return when all that was written or read so far is durable.

        Raises:
            sqlite3.Error: The disk did not take it; nothing of it may be answered.
        """
        if not self._store.db.in_transaction:
            return
        if self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            # Whoever is ready in this turn of the loop gets in before the commit runs in the next.
            loop.call_soon(self._commit, self._waiting)
        await self._waiting

    def _commit(self, waiting: asyncio.Future[None]) -> None:
        self._waiting = None
        try:
            self._store.commit()
        except sqlite3.Error as error:
            waiting.set_exception(error)
        else:
            waiting.set_result(None)
