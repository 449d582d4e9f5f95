"""An event is never delivered. It exists, and can be listed and resent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from paydesk.emulator.faults.fault import DeliveryFault

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class Drop(DeliveryFault):
    """The delivery is lost before its first attempt."""

    name: ClassVar[str] = "drop"

    def bend(self, plan: Plan) -> Iterable[Plan]:
        return (replace(plan, is_lost=True),)
