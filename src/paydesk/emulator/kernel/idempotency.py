"""Idempotency: the first answer to a key is the only one, for a day.

The answer is written in the transaction of the work it answers, so a crash leaves
either both or neither. While the first request runs, its key is reserved.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import canonical
from paydesk.emulator.kernel.errors import StripeError, invalid

if TYPE_CHECKING:
    import sqlite3

KEY_LENGTH_MAX = 255
KEPT_SECONDS = 24 * 3600
_NEVER_BEGUN = frozenset({401, 403, 409, 429})


@dataclass(frozen=True)
class Kept:
    """An answer as it was first given."""

    request: str
    status: int
    body: bytes


def check(key: str) -> None:
    """Refuse keys that Stripe refuses."""
    if not key:
        raise invalid("Idempotency Key must be a non-empty string.")
    if len(key) > KEY_LENGTH_MAX:
        raise invalid(f"Idempotency Key must be at most {KEY_LENGTH_MAX} characters long; this one has {len(key)}.")


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """What two requests must share to be the same request: endpoint and parameters, however they were written."""
    asked = f"{method} {path} ".encode() + canonical(params)
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def recall(db: sqlite3.Connection, sandbox: int, key: str, path: str, mark: str, now: int) -> Kept | None:
    """The answer first given to this key, if it is the same request; a different one is refused."""
    row = db.execute(
        "SELECT path, fingerprint, request, status, body FROM idempotency "
        "WHERE sandbox = ? AND key = ? AND created > ?",
        (sandbox, key, now - KEPT_SECONDS),
    ).fetchone()
    if row is None:
        return None
    first_path, first_mark, request, status, body = row
    if first_mark == mark:
        return Kept(request, status, body)
    again = f"Try using a key other than '{key}' if you meant to execute a different request."
    if first_path != path:
        raise StripeError(
            f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{first_path}' vs '{path}'). {again}",
            type="idempotency_error",
            headers={"Original-Request": request},
        )
    raise StripeError(
        f"Keys for idempotent requests can only be used with the same parameters they were first used with. {again}",
        type="idempotency_error",
        headers={"Original-Request": request},
    )


def is_kept(refusal: StripeError | None) -> bool:
    """Whether an answer is the endpoint's own, and so the only one its key gets.

    A parameter that cannot be is a refusal of the request, also where only the endpoint can tell.
    """
    if refusal is None:
        return True
    return refusal.status not in _NEVER_BEGUN and not (refusal.code or "").startswith("parameter_")


def keep(
    db: sqlite3.Connection,
    sandbox: int,
    key: str,
    path: str,
    mark: str,
    request: str,
    status: int,
    body: bytes,
    now: int,
) -> None:
    """Remember the first answer to a key, over one that has expired."""
    db.execute(
        "INSERT OR REPLACE INTO idempotency (sandbox, key, path, fingerprint, request, status, body, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (sandbox, key, path, mark, request, status, body, now),
    )


def in_use(key: str) -> StripeError:
    """409: the first request with this key is still running."""
    return StripeError(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        status=409,
        code="idempotency_key_in_use",
    )
