"""An object of a sandbox: what the API shows of it, and what only the server knows."""

from __future__ import annotations

from typing import Any

import orjson


def to_text(value: Any) -> str:
    """JSON as it is stored and sent: compact, in the order the keys were given."""
    return orjson.dumps(value).decode()


def canonical(value: Any) -> bytes:
    """JSON that is the same for the same values, in whatever order their keys were given."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def from_text(text: str) -> Any:
    """What `to_text` wrote."""
    return orjson.loads(text)


class Document(dict[str, Any]):
    """The public keys of an object, in Stripe's order; `private` holds what no answer shows.

    `stored` is the text of the public keys as last written, and `seq` its place in the
    order of creation (0: not written yet). Both belong to the world that read it.
    """

    __slots__ = ("private", "seq", "stored")

    def __init__(self, public: dict[str, Any], private: dict[str, Any] | None = None) -> None:
        super().__init__(public)
        self.private: dict[str, Any] = private or {}
        self.seq = 0
        self.stored = ""

    @property
    def id(self) -> str:
        """The object's identifier."""
        identifier: str = self["id"]
        return identifier


def differences(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`previous_attributes`: the old values of what changed, and nothing else.

    Hashes nest; arrays appear whole, those of list objects too; a key that is new has been null.
    """
    changed: dict[str, Any] = {}
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            changed[name] = differences(before, after)
        else:
            changed[name] = before
    return changed
