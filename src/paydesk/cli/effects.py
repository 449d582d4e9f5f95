"""`paydesk effects`: what your handlers have done, have to do, and failed to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from paydesk.cli.letters import ask_one_or_all, last_line, print_json, say_retried, show_fields, show_table, when
from paydesk.cli.stores import at_store

if TYPE_CHECKING:
    from paydesk.billing.inbox.letters import EffectState, Letters
    from paydesk.billing.store.store import Store


@click.group()
def effects() -> None:
    """See what your handlers did and failed to do, and run them again."""


@effects.command("list")
@at_store
@click.option("--state", type=click.Choice(["waiting", "done", "dead"]), help="Only those in this state.")
@click.option("--handler", metavar="NAME", help="Only of this handler, such as shop.main.deliver or 'shop.*'.")
@click.option("--source", metavar="KEY", help="Only of this fact or event, such as order.paid:ord_… or evt_….")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def list_effects(
    *, store: Store, state: EffectState | None, handler: str | None, source: str | None, limit: int, is_json: bool
) -> None:
    """List effects, newest first. The dead ones are the dead letters."""
    letters = _letters(store)
    found = letters.effects(state=state, handler=handler, source=source, limit=limit)
    if is_json:
        print_json(found)
        return
    show_table(
        ("number", "handler", "of", "state", "since", "tries", "because"),
        [
            (
                str(each.id),
                each.handler,
                each.source,
                each.state,
                when(each.created_at),
                str(each.attempts),
                last_line(each.error),
            )
            for each in found
        ],
        nothing="No such effects.",
    )
    counts = letters.counts()["effects"]
    click.echo(", ".join(f"{number} {name}" for name, number in counts.items() if number), err=True)


@effects.command()
@at_store
@click.argument("number", type=int)
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def show(*, store: Store, number: int, is_json: bool) -> None:
    """Show one effect, with the traceback of its last try."""
    found = _letters(store).effect(number)
    if found is None:
        raise click.ClickException(f"There is no effect {number} here. `paydesk effects list` shows those there are.")
    if is_json:
        print_json(found)
    else:
        show_fields(found)


@effects.command()
@at_store
@click.argument("numbers", metavar="[NUMBER]...", type=int, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every dead effect.")
@click.option("--handler", metavar="NAME", help="Every dead effect of this handler.")
def retry(*, store: Store, numbers: tuple[int, ...], is_all: bool, handler: str | None) -> None:
    """Run effects again that are dead or wait. The worker does it at once; what is done is not done again."""
    ask_one_or_all(numbers, is_all, handler, "paydesk effects retry 12, or --all, or --handler shop.main.deliver")
    letters = _letters(store)
    if numbers:
        done = [number for number in numbers if letters.retry_effect(number)]
        say_retried(len(done), "effect", missing=[str(each) for each in numbers if each not in done])
    else:
        say_retried(letters.retry_dead_effects(handler=handler), "effect")


def _letters(store: Store) -> Letters:
    from paydesk.billing.inbox.letters import Letters

    return Letters(store, lambda: datetime.now(UTC))
