"""An event is delivered more than once, at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from paydesk.emulator.faults.fault import DeliveryFault

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class Duplicate(DeliveryFault):
    """`copies` deliveries in all."""

    name: ClassVar[str] = "duplicate"
    copies: int = 2

    def bend(self, plan: Plan) -> Iterable[Plan]:
        return (plan,) * self.copies
