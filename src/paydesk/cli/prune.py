"""`paydesk prune`: forget what is done and long past."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from paydesk.cli.stores import at_store

if TYPE_CHECKING:
    from paydesk.billing.store.store import Store


@click.command()
@at_store
@click.option(
    "--days",
    type=click.IntRange(35),
    required=True,
    help="Forget what has been done for so many days: 35 or more, since Stripe can tell of an event again for 30.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def prune(*, store: Store, days: int, is_json: bool) -> None:
    """Forget events, effects and idempotency keys that are done and long past.

    What is unfinished or given up stays, and so do the mirror, orders and facts. A worker does it by itself where
    PAYDESK_KEEP_DAYS is set.
    """
    from paydesk.billing.inbox.prune import Prune

    pruned = asdict(Prune(store, lambda: datetime.now(UTC)).run(days))
    if is_json:
        click.echo(json.dumps(pruned))
        return
    told = ", ".join(f"{number} {name}" for name, number in pruned.items() if number)
    click.echo(f"Forgotten: {told}." if told else f"Nothing has been done for more than {days} days.")
