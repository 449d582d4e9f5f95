"""An API request takes its time: before the work, or after it, so that its answer is old when it arrives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Literal

from paydesk.emulator.faults.fault import ApiFault


@dataclass(frozen=True)
class Slow(ApiFault):
    """Waits `seconds` of real time. `when` is "after" (a stale answer) or "before" (a late start)."""

    name: ClassVar[str] = "slow"
    seconds: float = 1.0
    when: Literal["after", "before"] = "after"

    async def before(self) -> None:
        if self.when == "before":
            await asyncio.sleep(self.seconds)

    async def after(self) -> None:
        if self.when == "after":
            await asyncio.sleep(self.seconds)
