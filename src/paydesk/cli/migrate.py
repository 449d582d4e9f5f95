"""`paydesk migrate`: create or update paydesk's tables.

An app does this by itself when it starts. Run it as a step of your deployment instead, with PAYDESK_MIGRATE=0 set
for the app, where the app's own database user may not create tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paydesk.cli.desks import host
from paydesk.cli.stores import refuse_options

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store
    from paydesk.cli.desks import Host


@click.command()
@click.option("--database-url", envvar="DATABASE_URL", default="sqlite:///paydesk.db", help="Default: $DATABASE_URL.")
@click.option("--prefix", envvar="PAYDESK_TABLE_PREFIX", default="", help="Default: $PAYDESK_TABLE_PREFIX.")
@click.option("--schema", envvar="PAYDESK_TABLE_SCHEMA", default="", help="Default: $PAYDESK_TABLE_SCHEMA.")
def migrate(database_url: str, prefix: str, schema: str) -> None:
    """Create or update paydesk's tables in the app's database."""
    from paydesk.billing.store.migrations import migrate as run
    from paydesk.billing.store.store import Store
    from paydesk.errors import PaydeskError

    hosted = host()
    try:
        store = _store_of(hosted) if hosted else Store.open(database_url, prefix=prefix, schema=schema or None)
    except (ValueError, PaydeskError) as error:
        raise click.ClickException(str(error)) from None
    try:
        revision = run(store)
    except PaydeskError as error:
        raise click.ClickException(str(error)) from None
    finally:
        if hosted is None:
            store.close()
    click.echo(f"paydesk's tables are now at revision {revision}." if revision else "paydesk's tables are up to date.")


def _store_of(hosted: Host) -> Store:
    """The app's own, unless its framework migrates in its own way."""
    refuse_options()
    if not hosted.migrate.endswith("paydesk migrate"):
        raise click.UsageError(f"In this project it is `{hosted.migrate}` that does this.")
    return hosted.desk().store
