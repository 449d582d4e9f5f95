"""What machines ask a running app: whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.web.answers import Answer, as_json

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.routes import Asked


class Operations:
    """Answers load balancers and monitors."""

    def __init__(self, desk: Paydesk) -> None:
        self._desk = desk

    def health(self, _: Asked) -> Answer:
        """200 while what Stripe tells is worked on in time, 503 otherwise. Anybody may ask, and learns no more."""
        health = self._desk.health()
        content = {
            "status": health.condition,
            "oldest_seconds": health.oldest_seconds,
            "late_after_seconds": health.late_after_seconds,
        }
        return as_json(content, status=200 if health.is_well else 503)
