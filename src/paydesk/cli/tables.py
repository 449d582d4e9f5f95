"""Which of the mirrored tables a command is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

# Named here as well, so that a command need not wait for the database toolkit to say what it takes.
TABLES = (
    "products",
    "prices",
    "customers",
    "subscriptions",
    "invoices",
    "orders",
    "payments",
    "charges",
    "refunds",
    "disputes",
)


def choose_tables(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `tables`: those named by --table, or all."""

    @click.option("--table", "named", type=click.Choice(TABLES), multiple=True, help="Only this one; may be repeated.")
    @wraps(command)
    def choosing(*arguments: Any, named: tuple[str, ...], **options: Any) -> None:
        command(*arguments, tables=named or TABLES, **options)

    return choosing
