"""An event is delivered late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from paydesk.emulator.faults.fault import DeliveryFault

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class Delay(DeliveryFault):
    """The first attempt waits `seconds` of the sandbox's time: pushing its clock ends the wait."""

    name: ClassVar[str] = "delay"
    seconds: int = 60

    def bend(self, plan: Plan) -> Iterable[Plan]:
        return (replace(plan, wait_seconds=plan.wait_seconds + self.seconds),)
