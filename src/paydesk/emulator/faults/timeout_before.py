"""The connection is lost before an API request's work: nothing was done, and the caller cannot know."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from paydesk.emulator.faults.fault import ApiFault
from paydesk.emulator.kernel.http import Cut


@dataclass(frozen=True)
class TimeoutBefore(ApiFault):
    """Holds the connection for `seconds` of real time, then cuts it."""

    name: ClassVar[str] = "timeout_before"
    seconds: float = 0.0

    async def before(self) -> None:
        await asyncio.sleep(self.seconds)
        raise Cut
