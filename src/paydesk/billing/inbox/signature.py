"""Signatures: whether a webhook was written by Stripe, lately, and not changed on the way.

The check is over the bytes exactly as they arrived. Several secrets may be valid at once, while one is being rotated,
and Stripe then sends several signatures: any one match will do. Whatever is odd is refused.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from paydesk.errors import SignatureRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pydantic import SecretStr

# Stripe signs each delivery anew, so an older signature is a recording played back.
TOLERANCE_SECONDS = 300

# Longer than any header Stripe writes, shorter than one that could keep us busy.
_HEADER_CHARACTERS_MAX = 4096


class Signatures:
    """The webhook secrets, and the check. Shows nothing of them."""

    def __init__(self, secrets: Iterable[SecretStr], *, tolerance_seconds: int = TOLERANCE_SECONDS) -> None:
        self._keys = tuple(secret.get_secret_value().encode() for secret in secrets)
        self._tolerance_seconds = tolerance_seconds
        if not self._keys or not all(self._keys):
            raise ValueError("Signatures cannot be checked without a webhook secret.")

    def check(self, body: bytes, header: str | None, now: datetime) -> None:
        """Return if the body was signed with one of our secrets within the tolerance; raise SignatureRefused if not."""
        if not header:
            raise SignatureRefused("there is no Stripe-Signature header")
        stamp, candidates = _read(header)
        if not candidates:
            raise SignatureRefused("the Stripe-Signature header holds no v1 signature")
        signed = stamp.encode() + b"." + body
        if not any(self._matches(key, signed, candidates) for key in self._keys):
            raise SignatureRefused("no signature matches")
        # Looked at last: only a stamp that was signed says anything.
        age_seconds = now.timestamp() - int(stamp)
        if age_seconds > self._tolerance_seconds:
            raise SignatureRefused(
                f"it was signed {age_seconds:.0f} s ago, and only {self._tolerance_seconds} s are allowed "
                "(if this is a fresh delivery, this machine's clock is wrong)"
            )

    @staticmethod
    def _matches(key: bytes, signed: bytes, candidates: list[bytes]) -> bool:
        expected = hmac.digest(key, signed, "sha256").hex().encode()
        return any(hmac.compare_digest(expected, candidate) for candidate in candidates)


def _read(header: str) -> tuple[str, list[bytes]]:
    """The timestamp and every v1 signature of a header such as `t=1492774577,v1=5257a8…,v0=6ffbb5…`."""
    stamp, candidates = None, []
    if len(header) <= _HEADER_CHARACTERS_MAX:
        for part in header.split(","):
            name, _, value = part.strip().partition("=")
            if name == "t":
                stamp = value
            elif name == "v1":
                candidates.append(value.encode())
    if stamp is None or not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 15):
        raise SignatureRefused("the Stripe-Signature header cannot be read")
    return stamp, candidates
