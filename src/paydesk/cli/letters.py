"""How events and effects are shown: tables for people, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


def ask_one_or_all(named: Sequence[object], is_all: bool, narrowed: str | None, example: str) -> None:
    """Refuse what does not say which, or says it twice."""
    if bool(named) + is_all + (narrowed is not None) != 1:
        raise click.UsageError(f"Say which: {example}")


def say_retried(number: int, noun: str, *, missing: Sequence[str] = ()) -> None:
    """How many are due again, and which are not."""
    click.echo(f"{number} {noun}{'' if number == 1 else 's'} will be tried again at once.")
    if missing:
        raise click.ClickException(f"Not there, or done already: {', '.join(missing)}")


def print_json(value: Any) -> None:
    """For programs."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def show_fields(value: Any) -> None:
    """One thing, a field a line; a traceback comes last, as it is."""
    fields = asdict(value)
    error = fields.pop("error")
    width = max(len(name) for name in fields)
    for name, each in fields.items():
        if each is not None:
            click.echo(f"{name.replace('_', ' '):<{width}}  {when(each) if isinstance(each, datetime) else each}")
    if error:
        click.echo(f"\n{error.rstrip()}")


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str) -> None:
    """A table as wide as its words, without empty columns: what is cut off cannot be copied."""
    if not rows:
        click.echo(nothing)
        return
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    places = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    for number, row in enumerate((heads, *rows)):
        line = "  ".join(f"{row[place]:<{widths[place]}}" for place in places).rstrip()
        click.secho(line, bold=number == 0)


def when(moment: datetime) -> str:
    """A time as people read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def last_line(error: str | None) -> str:
    """What it comes down to: the last line of a traceback."""
    return (error or "").strip().rpartition("\n")[2][:100]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no form in JSON")
