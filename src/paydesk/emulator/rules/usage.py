"""Usage: what a customer's readings of a meter come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Seconds of the windows in which a caller may say to have aggregated already; they begin with the UTC day.
WINDOWS: Final = {"hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Reading:
    """One meter event that counts: how much was used, and when."""

    at: int
    value: int


def aggregated(formula: str, readings: Sequence[Reading], *, window: str | None = None) -> int:
    """What readings, in the order they were received, come to: their `sum`, their `count`, or the `last` of them.

    With a `window`, of all the readings in one hour or day only the one received last counts.
    """
    counted = list(readings)
    if window is not None:
        counted = list({reading.at // WINDOWS[window]: reading for reading in readings}.values())
    if formula == "count":
        return len(counted)
    if formula == "sum":
        return sum(reading.value for reading in counted)
    latest = max((reading.at for reading in counted), default=0)
    return next((reading.value for reading in reversed(counted) if reading.at == latest), 0)
