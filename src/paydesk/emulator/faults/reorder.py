"""An event is overtaken: it is delivered only after a later event to the same endpoint was answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from paydesk.emulator.faults.fault import DeliveryFault

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class Reorder(DeliveryFault):
    """Where no later event comes, the delivery goes out after `seconds` of the sandbox's time."""

    name: ClassVar[str] = "reorder"
    seconds: int = 60

    def bend(self, plan: Plan) -> Iterable[Plan]:
        return (replace(plan, is_held=True, wait_seconds=plan.wait_seconds + self.seconds),)
