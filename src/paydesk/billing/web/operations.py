"""What machines ask a running app: whether it is well, and how much of everything there is."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from paydesk.billing.web.answers import HEADERS, NOT_STORED, Answer, as_json

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.routes import Asked


# Prometheus's own format, as every version of it reads.
METRICS = "text/plain; version=0.0.4; charset=utf-8"


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

    def metrics(self, asked: Asked) -> Answer:
        """The metrics, for whoever has the token. Without one in the settings there are none."""
        token = self._desk.settings.metrics_token
        if token is None:
            return as_json({"error": {"code": "not_found", "message": "Metrics are switched off."}}, status=404)
        given = asked.headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
            error = {"code": "unauthorized", "message": "Send PAYDESK_METRICS_TOKEN as the bearer token."}
            return as_json({"error": error}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return Answer(200, {**HEADERS, **NOT_STORED, "Content-Type": METRICS}, self._desk.metrics())
