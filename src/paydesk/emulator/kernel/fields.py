"""Values that many objects carry: metadata and addresses, which merge as Stripe merges them."""

from __future__ import annotations

from typing import Any

from paydesk.emulator.kernel.contract.values import METADATA_KEYS_MAX, too_many_keys
from paydesk.emulator.kernel.errors import invalid

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def metadata(old: dict[str, str], given: dict[str, str | None] | None) -> dict[str, str]:
    """Metadata after an update: keys merge, a key sent empty goes, sending nothing but empty clears all."""
    if given is None:
        return {}
    merged = {name: value for name, value in {**old, **given}.items() if value is not None}
    if len(merged) > METADATA_KEYS_MAX:
        raise invalid(too_many_keys(len(merged)), param="metadata")
    return merged


def address(given: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """An address with every part there, absent ones null; an update changes only the parts it sends."""
    if given is None:
        return None
    return {part: given.get(part, (old or {}).get(part)) for part in ADDRESS}
