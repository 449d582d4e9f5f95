"""Moments, as an operator reads them: exactly, and how long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_STEPS = ((86400 * 2, 86400, "days"), (3600 * 2, 3600, "hours"), (60 * 2, 60, "minutes"))


def when(moment: datetime) -> str:
    """The moment itself."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def lasting(span: timedelta) -> str:
    """How long, in the largest unit of which there are two."""
    seconds = int(span.total_seconds())
    for least, unit, name in _STEPS:
        if seconds >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def ago(moment: datetime, now: datetime) -> str:
    """How far from now, in either direction."""
    return f"in {lasting(moment - now)}" if moment > now else f"{lasting(now - moment)} ago"
