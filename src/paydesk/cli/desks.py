"""The desk that a command works at: made from the Secrets, or the very one that an app makes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk


@dataclass(frozen=True)
class Host:
    """The command line of a web framework: it knows the app's desk, and how its tables are made there."""

    desk: Callable[[], Paydesk]
    migrate: str


def host() -> Host | None:
    """The framework whose command line this is; None where it is paydesk's own."""
    return click.get_current_context().find_object(Host)


def at_desk(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `desk`. What paydesk refuses is told in a sentence, not in a traceback."""

    @click.option(
        "--desk",
        "target",
        metavar="MODULE:DESK",
        help="Your app's own Paydesk, such as shop.main:desk. Without it, the project's, or one made from the Secrets.",
    )
    @wraps(command)
    def working(*arguments: Any, target: str | None, **options: Any) -> None:
        from paydesk.billing.desk import Paydesk
        from paydesk.errors import PaydeskError

        hosted = host()
        try:
            if target is None and hosted is not None:
                command(*arguments, desk=hosted.desk(), **options)
                return
            desk = find_desk(target) if target is not None else Paydesk()
            try:
                command(*arguments, desk=desk, **options)
            finally:
                desk.close()
        except PaydeskError as error:
            raise click.ClickException(str(error)) from None

    return working


def find_desk(target: str | None) -> Paydesk:
    """The Paydesk that `module:name` names, imported from the current folder; without one, the framework's own."""
    from paydesk.billing.desk import Paydesk
    from paydesk.errors import PaydeskError

    if target is None:
        hosted = host()
        if hosted is None:
            raise click.UsageError("Say whose desk, as module:name, such as shop.main:desk.")
        return hosted.desk()
    module_name, _, name = target.partition(":")
    if not name:
        raise click.UsageError(f"{target!r} names no desk. Write it as module:name, such as shop.main:desk.")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), name, None)
    except PaydeskError as error:
        raise click.ClickException(str(error)) from None
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise click.ClickException(f"There is no module {module_name!r} here. Run this where your app is.") from None
    if not isinstance(found, Paydesk):
        raise click.ClickException(f"{target} is no Paydesk. Name the one your app makes: {name} = Paydesk().")
    return found
