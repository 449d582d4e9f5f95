"""Leaves: which parameters a request carries, by name."""

from __future__ import annotations

from typing import Any


def leaves(sent: dict[str, Any]) -> list[str]:
    """The dotted names of what was sent, once each, without indices: `line_items.price_data.currency`.

    The caller's own names in `metadata` are no parameters: it counts as one. Where other names of the caller's choice
    stand (the currencies of `currency_options`), they are part of the dotted name.
    """
    names: dict[str, None] = {}
    _gather(sent, "", names)
    return list(names)


def _gather(value: dict[str, Any], prefix: str, names: dict[str, None]) -> None:
    for name, inner in value.items():
        own = prefix + name
        if isinstance(inner, str) or name == "metadata":
            names[own] = None
        elif isinstance(inner, list):
            _gather_items(inner, own, names)
        elif inner and all(map(str.isdecimal, inner)):
            _gather_items(list(inner.values()), own, names)
        else:
            _gather(inner, own + ".", names)


def _gather_items(items: list[Any], own: str, names: dict[str, None]) -> None:
    for item in items:
        if isinstance(item, dict):
            _gather(item, own + ".", names)
        else:
            names[own] = None
