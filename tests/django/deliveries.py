"""Stripe's events of a sandbox, delivered to a desk without the web between."""

from __future__ import annotations

import hmac
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import stripe

    from paydesk import Paydesk

WEBHOOK_SECRET = "whsec_djangodjango"


def signed(event: dict[str, Any]) -> tuple[bytes, str]:
    """An event as Stripe sends it: the body, and the signature header."""
    body = json.dumps(event).encode()
    stamp = int(time.time())
    mac = hmac.digest(WEBHOOK_SECRET.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return body, f"t={stamp},v1={mac}"


def events_of(client: stripe.StripeClient, *types: str) -> list[dict[str, Any]]:
    """The sandbox's events of these types, or all, in their order."""
    answer: Any = client.raw_request("get", "/v1/events", limit=100)
    return [event for event in reversed(answer.data["data"]) if not types or event["type"] in types]


def deliver_all(client: stripe.StripeClient, desk: Paydesk, *types: str) -> None:
    """Hand every event of the sandbox over as a webhook, or only those of some types."""
    for event in events_of(client, *types):
        desk.receive(*signed(event))
