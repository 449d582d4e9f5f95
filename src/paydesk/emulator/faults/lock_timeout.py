"""An API request does not get its object's lock in time, because something else is writing to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from paydesk.emulator.faults.fault import ApiFault
from paydesk.emulator.kernel.errors import StripeError


@dataclass(frozen=True)
class LockTimeout(ApiFault):
    """429, not done, may be retried."""

    name: ClassVar[str] = "lock_timeout"

    async def before(self) -> None:
        raise StripeError(
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it. If you see this error intermittently, retry the request. If you see this error frequently "
            "and are making multiple concurrent requests to a single object, make your requests serially or at a "
            "lower rate.",
            status=429,
            code="lock_timeout",
            headers={"Stripe-Should-Retry": "true"},
        )
