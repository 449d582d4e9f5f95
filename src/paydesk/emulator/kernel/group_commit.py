"""Group commit: requests that arrive together share one wait for the disk, and none is answered before it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from paydesk.emulator.kernel.store import Store

# A request that has arrived is read in one turn of the loop and performed in the next: a turn in which nobody joins
# the group is the first sign that nobody is on the way.
JOINED_MAX: Final = 64


class GroupCommit:
    """The commits of one server, on its event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: asyncio.Future[None] | None = None
        self._joined = 0

    async def done(self) -> None:
        """Return when all that was written or read so far is durable.

        Raises:
            sqlite3.Error: The disk did not take it; nothing of it may be answered.
        """
        if not self._store.db.in_transaction:
            return
        if self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting, self._joined = loop.create_future(), 0
            loop.call_soon(self._gather, self._waiting, 0)
        self._joined += 1
        await self._waiting

    def _gather(self, waiting: asyncio.Future[None], joined: int) -> None:
        """Commit, unless somebody joined since the last turn: then somebody else may be right behind."""
        if joined < self._joined < JOINED_MAX:
            asyncio.get_running_loop().call_soon(self._gather, waiting, self._joined)
        else:
            self._commit(waiting)

    def _commit(self, waiting: asyncio.Future[None]) -> None:
        self._waiting = None
        try:
            self._store.commit()
        except sqlite3.Error as error:
            waiting.set_exception(error)
        else:
            waiting.set_result(None)
