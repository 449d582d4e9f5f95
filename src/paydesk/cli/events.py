"""`paydesk events`: what Stripe told us, and what became of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from paydesk.cli.letters import ask_one_or_all, last_line, print_json, say_retried, show_fields, show_table, when
from paydesk.cli.stores import at_store

if TYPE_CHECKING:
    from paydesk.billing.inbox.letters import EventState, Letters
    from paydesk.billing.store.store import Store


@click.group()
def events() -> None:
    """See what Stripe told us, what became of it, and try again what failed."""


@events.command("list")
@at_store
@click.option("--state", type=click.Choice(["received", "applied", "parked", "dead"]), help="Only those in this state.")
@click.option("--type", "kind", metavar="TYPE", help="Only of this type, such as invoice.paid or 'invoice.*'.")
@click.option("--about", metavar="ID", help="Only about this object, or in its lane.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def list_events(
    *, store: Store, state: EventState | None, kind: str | None, about: str | None, limit: int, is_json: bool
) -> None:
    """List events, newest first."""
    letters = _letters(store)
    found = letters.events(state=state, kind=kind, about=about, limit=limit)
    if is_json:
        print_json(found)
        return
    show_table(
        ("id", "type", "about", "state", "received", "tries", "because"),
        [
            (
                each.id,
                each.type,
                each.about or "",
                each.state,
                when(each.received_at),
                str(each.attempts or ""),
                last_line(each.error),
            )
            for each in found
        ],
        nothing="No such events.",
    )
    counts = letters.counts()["events"]
    click.echo(", ".join(f"{number} {name}" for name, number in counts.items() if number), err=True)


@events.command()
@at_store
@click.argument("event_id", metavar="EVENT")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def show(*, store: Store, event_id: str, is_json: bool) -> None:
    """Show one event: what became of it, whose handlers it concerns, and what Stripe sent."""
    letters = _letters(store)
    found = letters.event(event_id)
    if found is None:
        raise click.ClickException(f"There is no event {event_id} here. `paydesk sync` fetches what never arrived.")
    effects = letters.effects(source=event_id)
    payload = letters.payload(event_id)
    if is_json:
        print_json({"event": found, "effects": effects, "payload": payload})
        return
    show_fields(found)
    for effect in effects:
        click.echo(f"  effect {effect.id}  {effect.handler}  {effect.state}")
    click.echo()
    click.echo(json.dumps(payload, indent=2, ensure_ascii=False))


@events.command()
@at_store
@click.argument("event_ids", metavar="[EVENT]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every dead event.")
@click.option("--type", "kind", metavar="TYPE", help="Every dead event of this type, such as 'invoice.*'.")
def retry(*, store: Store, event_ids: tuple[str, ...], is_all: bool, kind: str | None) -> None:
    """Try events again that are parked or dead. The worker does it at once; what is applied stays so."""
    ask_one_or_all(event_ids, is_all, kind, "paydesk events retry evt_…, or --all, or --type 'invoice.*'")
    letters = _letters(store)
    if event_ids:
        done = [event_id for event_id in event_ids if letters.retry_event(event_id)]
        say_retried(len(done), "event", missing=[each for each in event_ids if each not in done])
    else:
        say_retried(letters.retry_dead_events(kind=kind), "event")


def _letters(store: Store) -> Letters:
    from paydesk.billing.inbox.letters import Letters

    return Letters(store, lambda: datetime.now(UTC))
