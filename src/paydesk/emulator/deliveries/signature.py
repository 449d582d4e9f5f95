"""Signatures: how a receiver knows that an event came from here and was not altered on its way.

The signed text is the time of the attempt, a dot and the body, byte for byte. While a
secret is being rolled, both the new and the old one sign.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def header(secrets: Sequence[str], timestamp: int, body: bytes, *, livemode: bool) -> str:
    """The Stripe-Signature header of one attempt, made at `timestamp` (seconds since 1970)."""
    signed = b"%d.%b" % (timestamp, body)
    parts = [f"t={timestamp}", *(f"v1={_hex(secret, signed)}" for secret in secrets)]
    if not livemode:
        # Stripe sends this scheme in test mode only. It means nothing: a receiver that accepts it is wrong.
        parts.append(f"v0={_hex('v0', signed)}")
    return ",".join(parts)


def _hex(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
