"""Deliveries as Stripe makes them: an event's bytes, and the header that signs them."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

SECRET = "whsec_local_thisendpoint"
_numbers = itertools.count(1)


def event(kind: str, subject: dict[str, Any], *, event_id: str | None = None, **changes: Any) -> bytes:
    """The body of a webhook about the object."""
    return json.dumps(
        {
            "id": event_id or f"evt_1{next(_numbers):023}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": 1795435200,
            "data": {"object": subject},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        | changes,
        indent=2,
    ).encode()


def sign(body: bytes, at: datetime, *secrets: str) -> str:
    """The Stripe-Signature header for these bytes, signed at this moment with each secret."""
    stamp = str(int(at.timestamp()))
    parts = [f"v1={_hmac(secret, stamp, body)}" for secret in secrets or (SECRET,)]
    return ",".join([f"t={stamp}", *parts, "v0=" + "0" * 64])


def _hmac(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
