"""Differences between what we have of an object and what Stripe says, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Stripe signs these addresses anew at each look.
SIGNED_ANEW = frozenset({"hosted_invoice_url", "invoice_pdf", "receipt_url"})

# What Stripe counts on without an event: an invoice's number is on the invoice.
UNTOLD = frozenset({"next_invoice_sequence"})

# A key that is not there, as opposed to one that is null.
ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """One field: what stands here, and what Stripe says. `path` is dotted: items.data.si_1.quantity."""

    path: str
    ours: Any
    theirs: Any


def differences(ours: Any, theirs: Any, *, is_told: bool = False) -> Iterator[Difference]:
    """Where two objects differ.

    `is_told`: ours is what an event told, maybe in another version of the API. Then only what both have counts.
    """
    return _at("", ours, theirs, is_told=is_told)


def _at(path: str, ours: Any, theirs: Any, *, is_told: bool) -> Iterator[Difference]:
    if ours == theirs or path.rpartition(".")[2] in SIGNED_ANEW | UNTOLD:
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            if not (is_told and (key not in ours or key not in theirs)):
                below = f"{path}.{key}" if path else key
                yield from _at(below, ours.get(key, ABSENT), theirs.get(key, ABSENT), is_told=is_told)
    elif isinstance(ours, list) and isinstance(theirs, list) and not (_is_plain(ours) or _is_plain(theirs)):
        yield from _at(path, _by_id(ours), _by_id(theirs), is_told=is_told)
    else:
        yield Difference(path, ours, theirs)


def _is_plain(values: list[Any]) -> bool:
    return not all(isinstance(value, dict) for value in values)


def _by_id(values: list[dict[str, Any]]) -> dict[str, Any]:
    """The members of a list by their ids, or by their places where they have none."""
    return {str(value.get("id", place)): value for place, value in enumerate(values)}
