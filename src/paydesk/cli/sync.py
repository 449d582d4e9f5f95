"""`paydesk sync`: fetch from Stripe what never arrived here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from paydesk.cli.desks import at_desk

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.truth.walks import Walk


@click.command()
@at_desk
@click.option("--days", type=click.IntRange(1, 30), help="Look through so many days, whatever was looked at before.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def sync(*, desk: Paydesk, days: int | None, is_json: bool) -> None:
    """Fetch from Stripe what never arrived: events whose webhooks were lost are received now, and applied.

    Run it as often as you like: what is here already is not done again. Interrupted, it goes on where it was.
    """
    from paydesk.cli.progress import Steps

    with Steps(is_quiet=is_json) as steps:

        def show(walk: Walk) -> None:
            steps.show(walk.name, walk.looked_at, walk.found)

        synced = desk.sync(days=days, on_step=show)
    if is_json:
        click.echo(json.dumps(asdict(synced)))
        return
    found = synced.events_found
    click.echo(
        f"{_count(synced.events_looked_at, 'event')} looked at, "
        + (f"{found} of them had never arrived and {'is' if found == 1 else 'are'} here now." if found else "all here.")
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
