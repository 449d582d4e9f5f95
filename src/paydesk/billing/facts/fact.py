"""What every fact has: a name that exists once, and a form the database keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Fact(ABC):
    """Something that happened.

    `idempotency_key` is the handler's own: pass it on when you tell the outside world (a mail service, another API),
    so that a handler that is run again after a crash is recognised there.
    """

    type: ClassVar[str]

    idempotency_key: str = field(default="", kw_only=True, compare=False)

    @property
    @abstractmethod
    def about(self) -> str:
        """What makes this fact another one than others of its type."""

    @property
    def happened_at(self) -> datetime | None:
        """When it happened at Stripe, for a fact that may be of a time before this app: then nobody is told of it.

        None for one that cannot be, or that says what holds now.
        """
        return None

    @property
    def key(self) -> str:
        """The fact's own name. A second fact of the same name is the same fact."""
        return f"{self.type}:{self.about}"

    def to_json(self) -> dict[str, Any]:
        """The fact as the facts table keeps it."""
        body: dict[str, Any] = _plain(self)
        del body["idempotency_key"]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """The fact the facts table kept."""
        fact: Self = _revived(cls, body)
        return fact


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value.isoformat() if isinstance(value, datetime) else value


def _revived(kind: Any, value: Any) -> Any:
    """A value of that type from what JSON made of it. Fields that a later version adds take their defaults."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        return None if value is None else _revived(kinds[0], value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and is_dataclass(kind):
        known = _types(kind)
        return kind(**{name: _revived(known[name], each) for name, each in value.items() if name in known})
    return value


@cache
def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}
