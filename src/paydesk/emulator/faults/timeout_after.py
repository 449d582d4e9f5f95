"""The connection is lost after an API request's work: everything was done, and the caller cannot know."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from paydesk.emulator.faults.fault import ApiFault
from paydesk.emulator.kernel.http import Cut


@dataclass(frozen=True)
class TimeoutAfter(ApiFault):
    """Holds the connection for `seconds` of real time, then cuts it."""

    name: ClassVar[str] = "timeout_after"
    seconds: float = 0.0

    async def after(self) -> None:
        await asyncio.sleep(self.seconds)
        raise Cut
