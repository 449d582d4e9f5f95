"""What a fault is: something that goes wrong on purpose, at a request or at a delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from paydesk.emulator.deliveries.outbox import Plan


@dataclass(frozen=True)
class ApiFault:
    """Strikes an API request. Raise a StripeError to answer with it, `Cut` to answer nothing, or just wait."""

    name: ClassVar[str]

    async def before(self) -> None:
        """Before the work: it is not done when this raises."""

    async def after(self) -> None:
        """After the work was committed: only the answer can suffer."""


@dataclass(frozen=True)
class DeliveryFault:
    """Strikes the delivery of one event to one endpoint."""

    name: ClassVar[str]

    def bend(self, plan: Plan) -> Iterable[Plan]:
        """What becomes of a delivery: nothing, another one, or several."""
        return (plan,)
