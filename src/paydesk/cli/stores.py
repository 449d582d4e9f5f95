"""The database that a command looks into: the app's, without its Secrets for Stripe."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

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

        try:
            store = Store.open(database_url, prefix=prefix, schema=schema or None)
        except (ValueError, PaydeskError) as error:
            raise click.ClickException(str(error)) from None
        try:
            if revision_of(store) < HEAD:
                raise click.ClickException(
                    "This database does not have the tables of this version of paydesk. "
                    "Check DATABASE_URL, or run `paydesk migrate`."
                )
            command(*arguments, store=store, **options)
        except PaydeskError as error:
            raise click.ClickException(str(error)) from None
        finally:
            store.close()

    return looking
