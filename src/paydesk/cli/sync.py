"""`paydesk sync`: fetch from Stripe what never arrived here, and bring the mirror in line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from paydesk.cli.desks import at_desk
from paydesk.cli.tables import choose_tables

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.truth.walks import Walk


@click.command()
@at_desk
@click.option("--days", type=click.IntRange(1, 30), help="Look through so many days of events.")
@click.option("--events-only", is_flag=True, help="Only the events that never arrived, as the worker does by itself.")
@choose_tables
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def sync(*, desk: Paydesk, days: int | None, events_only: bool, tables: tuple[str, ...], is_json: bool) -> None:
    """Fetch from Stripe what never arrived, and bring the mirror in line with all that Stripe lists.

    Run it as often as you like: what is here already is not done again. Interrupted, it goes on where it was. It asks
    in the background, so that checkouts never wait for it.
    """
    from paydesk.cli.progress import Steps

    with Steps(is_quiet=is_json) as steps:

        def show(walk: Walk) -> None:
            steps.show(walk.name, walk.looked_at, walk.found, is_done=walk.state == "idle")

        synced = desk.sync(days=days, tables=() if events_only else tables, on_step=show)
    if is_json:
        click.echo(json.dumps(asdict(synced)))
        return
    click.echo(_told(synced.events_looked_at, "event", synced.events_found, "had never arrived"))
    if not events_only:
        click.echo(_told(synced.looked_at, "object", synced.found, "not as at Stripe"))


def _told(looked_at: int, noun: str, found: int, trouble: str) -> str:
    seen = f"{looked_at} {noun}{'' if looked_at == 1 else 's'} looked at"
    if not found:
        return f"{seen}: all here."
    return f"{seen}: {found} {trouble}, and {'is' if found == 1 else 'are'} here now."
