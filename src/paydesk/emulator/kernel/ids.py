"""Identifiers, in the shapes Stripe mints: opaque, base62, some of them alike.

Each sandbox has a seed and counts what it minted, so that the same calls on the
same seed give the same identifiers, across restarts too.
"""

from __future__ import annotations

import hashlib
import secrets

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TO_BASE62 = bytes(BASE62[byte % 62] for byte in range(256))

# 14 characters after these prefixes; everything else has 24, of which the first says the family.
_SHORT = frozenset({"cus_", "plan_", "prod_", "si_", "req_"})
_LENGTHS = {"cs_test_": 58, "cs_live_": 58, "acct_": 16, "whsec_": 32, "secret_": 25}
_PAYMENT_FAMILY = frozenset({"pi_", "ch_", "re_", "txn_", "payatt_"})
# The objects of one payment share their intent's first characters.
_SHARED = 15


def characters(seed: str, count: int, length: int) -> str:
    """`length` base62 characters, always the same for one seed and count."""
    return hashlib.shake_128(f"{seed}:{count}".encode()).digest(length).translate(_TO_BASE62).decode()


def shaped(prefix: str, seed: str, count: int, *, like: str | None = None) -> str:
    """An identifier with this prefix; `like` is the payment intent whose family it joins."""
    if prefix in _SHORT:
        return prefix + characters(seed, count, 14)
    if prefix in _LENGTHS:
        return prefix + characters(seed, count, _LENGTHS[prefix])
    if like is not None:
        stem = like.split("_", 1)[1][:_SHARED]
        return prefix + stem + characters(seed, count, 24 - _SHARED)
    return prefix + ("3" if prefix in _PAYMENT_FAMILY else "1") + characters(seed, count, 23)


def new_seed() -> str:
    """A seed nobody has: a sandbox opened anew must not repeat ids that an app's database still holds."""
    return secrets.token_hex(8)


class RequestIds:
    """`req_` and 14 characters that nobody can guess: whoever has a request's id may look it up in the log."""

    def __init__(self) -> None:
        self._seed = secrets.token_hex(16)
        self._count = 0

    def next(self) -> str:
        """A new one."""
        self._count += 1
        return "req_" + characters(self._seed, self._count, 14)
