"""When a test begins, for Stripe and for the desk."""

from __future__ import annotations

from datetime import UTC, datetime

# No month is shorter than one that begins on its second day: what is renewed is renewed on the same day of each.
BEGINS_AT = "2026-03-02T09:00:00+00:00"


def moment(text: str) -> datetime:
    """The moment that a text names, in UTC unless it says otherwise. Raises ValueError."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
