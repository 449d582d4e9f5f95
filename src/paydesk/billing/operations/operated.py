"""What a desk offers to whoever runs the app."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.billing.operations.health import Health
    from paydesk.billing.operations.operations import Operations


class Operated(ABC):
    """A desk that can be watched."""

    _operations: Operations

    def health(self) -> Health:
        """Whether what Stripe tells is worked on in time, by one query: what `/paydesk/health` answers.

        Nothing is migrated for it, and it never raises: a database that cannot be asked is an answer too.
        """
        return self._operations.checkup.health()
