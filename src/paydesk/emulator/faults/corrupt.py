"""An event is altered on its way: its signature is that of what was sent, not of what arrives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from paydesk.emulator.faults.fault import DeliveryFault

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class Corrupt(DeliveryFault):
    """Every attempt of the delivery arrives altered."""

    name: ClassVar[str] = "corrupt"

    def bend(self, plan: Plan) -> Iterable[Plan]:
        return (replace(plan, is_corrupt=True),)
