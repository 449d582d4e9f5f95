"""API versions: which names exist, and the one this server answers in."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from paydesk.emulator.kernel.errors import invalid

_RELEASES = {
    "acacia": "2024-09-30 2024-10-28 2024-11-20 2024-12-18 2025-01-27 2025-02-24",
    "basil": "2025-03-31 2025-04-30 2025-05-28 2025-06-30 2025-07-30 2025-08-27",
    "clover": "2025-09-30 2025-10-29 2025-11-17 2025-12-15 2026-01-28 2026-02-25",
    "dahlia": "2026-03-25 2026-04-22 2026-05-27 2026-06-24 2026-07-29 2026-08-26",
    "endive": "2026-09-30 2026-10-28",
}
# Before releases had names. Older ones still exist at Stripe, for accounts that began with them.
_DATED = "2020-08-27 2022-08-01 2022-11-15 2023-08-16 2023-10-16 2024-04-10 2024-06-20"
KNOWN = frozenset(f"{day}.{family}" for family, days in _RELEASES.items() for day in days.split()) | {*_DATED.split()}


@cache
def pinned() -> str:
    """The version of the installed SDK, whose contract and shapes this server follows."""
    found = importlib.util.find_spec("stripe")
    if found is None or found.origin is None:
        raise RuntimeError("The local Stripe reads its contract from the stripe package: pip install 'paydesk[local]'")
    source = (Path(found.origin).parent / "_api_version.py").read_text(encoding="utf-8")
    match = re.search(r"CURRENT = \"([^\"]+)\"", source)
    if match is None:
        raise RuntimeError("The installed stripe package names no API version; paydesk needs stripe 16 or newer.")
    return match.group(1)


def shown_as(name: str | None) -> str:
    """The version that something rendered here for an endpoint of that version may say it has.

    Releases of one family only add to each other. What is asked for in an older family is shown as what it is.
    """
    return name if name is not None and name.partition(".")[2] == pinned().partition(".")[2] else pinned()


def check(name: str) -> None:
    """Refuse a version that Stripe does not have."""
    if name != pinned() and name not in KNOWN:
        raise invalid(f"Invalid Stripe API version: {name}")
