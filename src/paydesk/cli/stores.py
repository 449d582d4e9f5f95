"""The database that a command looks into: the app's, without its Secrets for Stripe."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from paydesk.cli.desks import host

DATABASE_URL = "sqlite:///paydesk.db"


def at_store(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `store`, from the environment of the app or from options."""

    @click.option("--database-url", envvar="DATABASE_URL", default=DATABASE_URL, help="Default: $DATABASE_URL.")
    @click.option("--prefix", envvar="PAYDESK_TABLE_PREFIX", default="", help="Default: $PAYDESK_TABLE_PREFIX.")
    @click.option("--schema", envvar="PAYDESK_TABLE_SCHEMA", default="", help="Default: $PAYDESK_TABLE_SCHEMA.")
    @wraps(command)
    def looking(*arguments: Any, database_url: str, prefix: str, schema: str, **options: Any) -> None:
        from paydesk.billing.store.migrations import HEAD, revision_of
        from paydesk.billing.store.store import Store
        from paydesk.errors import PaydeskError

        hosted = host()
        if hosted is not None:
            refuse_options()
        try:
            if hosted is not None:
                store = hosted.desk().store
            else:
                store = Store.open(database_url, prefix=prefix, schema=schema or None)
        except (ValueError, PaydeskError) as error:
            raise click.ClickException(str(error)) from None
        try:
            if revision_of(store) < HEAD:
                migrate = hosted.migrate if hosted is not None else "paydesk migrate"
                raise click.ClickException(
                    "This database does not have the tables of this version of paydesk. "
                    f"Check DATABASE_URL, or run `{migrate}`."
                )
            command(*arguments, store=store, **options)
        except PaydeskError as error:
            raise click.ClickException(str(error)) from None
        finally:
            if hosted is None:
                store.close()

    return looking


def refuse_options() -> None:
    """An app's command line has the app's database, and no other."""
    context = click.get_current_context()
    for name in ("database_url", "prefix", "schema"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} is not taken here: the database is the app's own.")
