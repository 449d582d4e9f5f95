"""Jobs: what the worker's threads do in lanes. One looks, and writes what is told; others read for what it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.inbox.apply import LEASES_MAX
from paydesk.billing.inbox.lanes import DueLane
from paydesk.billing.inbox.lookout import Lookout

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from paydesk.billing.inbox.apply import Applier, Found
    from paydesk.billing.inbox.reading_list import ReadingList


class LaneJobs:
    """The jobs of one process. Each answers whether there was something to do."""

    def __init__(self, applier: Applier, listed: ReadingList, pool: Executor | None = None) -> None:
        """`pool` asks Stripe for several lanes at once."""
        self._applier = applier
        self._listed = listed
        self._pool = pool
        self._lookout = Lookout(self._look)

    def look(self) -> bool:
        """Write what is told, and list what is to be read for."""
        return self._lookout.find() is not None

    def read(self) -> bool:
        """Read for some lanes that have come to rest, and write what was read."""
        taken = {each.lane: each for each in self._listed.take(LEASES_MAX)}
        try:
            resting = [DueLane(lane, is_known=True) for lane, each in taken.items() if not each.is_in_trouble]
            in_trouble = [lane for lane, each in taken.items() if each.is_in_trouble]
            found = self._applier.look_at(resting, lambda own: self._listed.is_ripe(taken[own.lane], own.newest))
            if found is not None:
                self._list(found)
                self._applier.read(found.leased, self._pool)
            self._applier.work_alone(in_trouble)
        finally:
            self._listed.done(taken.values())
        return bool(taken)

    def _look(self) -> Found | None:
        found = self._applier.look(lambda _: False, besides=self._listed.lanes)
        if found is not None:
            self._list(found)
        return found

    def _list(self, found: Found) -> None:
        for each in found.unread:
            self._listed.add(each.lane, each.newest)
        for lane in found.in_trouble:
            self._listed.add(lane, 0, is_in_trouble=True)
