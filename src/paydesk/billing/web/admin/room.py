"""A room of the admin page: what one address shows, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

if TYPE_CHECKING:
    from datetime import datetime

    from paydesk.billing.desk import Paydesk


@dataclass(frozen=True)
class Asking:
    """What somebody in the admin page asks for. `fields` are the address's, or for `act` the form's, each once."""

    desk: Paydesk
    fields: Mapping[str, str]
    now: datetime

    def one_of(self, name: str, among: tuple[str, ...]) -> str | None:
        """The field, if it is one of these words."""
        value = self.fields.get(name)
        return value if value in among else None


@dataclass(frozen=True)
class Shown:
    """A page: its template below admin/, and what it lays out."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    refresh_seconds: int | None = None


@dataclass(frozen=True)
class Room:
    """`path` lies below the admin page's own. `label` is what leads there, where something on every page does.

    `act` does what a form asks for, and answers with which fields to come back.
    """

    name: str
    path: str
    show: Callable[[Asking], Shown]
    label: str | None = None
    act: Callable[[Asking], Mapping[str, str]] | None = None


def fields_of(encoded: str) -> dict[str, str]:
    """A query or a form, each name with its first value, as far as it can be read."""
    try:
        found = parse_qs(encoded, max_num_fields=50)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def link(path: str, **fields: str | int | None) -> str:
    """An address with those fields that are something."""
    query = urlencode({name: value for name, value in fields.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path


def nothing(title: str, sentence: str) -> Shown:
    """What was asked for is not there."""
    return Shown("nothing.html", {"title": title, "sentence": sentence}, status=404)
