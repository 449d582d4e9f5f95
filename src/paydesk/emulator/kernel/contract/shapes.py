"""Shapes: what a parameter may look like, from a yes or no to a list of line items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Text:
    """Any text, of at most `length_max` characters where Stripe states a limit."""

    length_max: int | None = None


@dataclass(frozen=True)
class Integer:
    """A whole number: an amount in the smallest unit, a quantity, a Unix time in seconds."""


@dataclass(frozen=True)
class Boolean:
    """`true` or `false`."""


@dataclass(frozen=True)
class Number:
    """A fraction that is no money, such as a percentage."""


@dataclass(frozen=True)
class Decimal:
    """A fraction of the smallest unit, kept as the text it was sent as."""


@dataclass(frozen=True)
class Choice:
    """One of several words. `is_open` where the SDK expects Stripe to add words later."""

    values: tuple[str, ...]
    is_open: bool = False


@dataclass(frozen=True)
class Metadata:
    """The caller's own keys and values."""


@dataclass(frozen=True)
class Anything:
    """What the SDK types no further, such as a file."""


@dataclass(frozen=True)
class Array:
    """A list, of at most `items_max` elements where Stripe states a limit."""

    item: Shape
    items_max: int | None = None


@dataclass(frozen=True)
class Map:
    """Names of the caller's choice (currencies), each with a value of one shape."""

    item: Shape


@dataclass(frozen=True)
class Object:
    """Named parameters."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Either:
    """A group, or in its place one value: `created[gte]=1` or `created=1`; also several kinds of value."""

    group: Object | None
    scalars: tuple[Shape, ...]


@dataclass(frozen=True)
class Unsettable:
    """A shape in whose place an empty string says: take away what is there."""

    shape: Shape


Shape = (
    Text
    | Integer
    | Boolean
    | Number
    | Decimal
    | Choice
    | Metadata
    | Anything
    | Array
    | Map
    | Object
    | Either
    | Unsettable
)
