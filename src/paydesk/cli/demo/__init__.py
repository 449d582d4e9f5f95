"""`paydesk demo`: a shop and a local Stripe on this machine, and a first paid customer to watch."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from paydesk.cli.demo.stage import Stage

CARDS = (
    ("4242 4242 4242 4242", "pays"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0027 6000 3184", "asks for 3-D Secure"),
)


@click.command()
@click.option("--once", is_flag=True, help="Play the whole story without a person, and exit 0 only if the books agree.")
@click.option("--shop-port", default=8000, show_default=True, help="Port of the shop; 0 picks a free one.")
@click.option("--stripe-port", default=12111, show_default=True, help="Port of the local Stripe; 0 picks a free one.")
@click.option("--database", metavar="URL", help="The shop's database.  [default: a SQLite file that is deleted]")
def demo(once: bool, shop_port: int, stripe_port: int, database: str | None) -> None:
    """Watch a first paid customer: a FlareX shop and a local Stripe, on this machine, without an account."""
    from paydesk.cli.demo import stage

    with tempfile.TemporaryDirectory(prefix="paydesk-demo-") as folder:
        if once:
            with stage.set_up(Path(folder), shop_port=0, stripe_port=0, database_url=database) as scene:
                sys.exit(_play(scene))
        from paydesk.cli.dev import show_attempt

        # Ctrl-C too: a shell that starts it in the background has it ignored otherwise.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _as_interrupt)
        try:
            with stage.set_up(
                Path(folder), shop_port=shop_port, stripe_port=stripe_port, database_url=database, watch=show_attempt
            ) as scene:
                _serve(scene)
        except KeyboardInterrupt:
            click.echo("\nThe shop is closed; nothing was kept.")


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _play(scene: Stage) -> int:
    """Tell the story, a line a step. Gives back the exit code."""
    from paydesk.cli.demo.story import tell
    from paydesk.cli.demo.witness import WentWrong

    click.echo(f"A shop at {scene.shop_url}, a local Stripe at {scene.stripe_url}.\n")
    try:
        for number, step in enumerate(tell(scene), 1):
            click.echo(f"{number:3}. {step.did}\n     {click.style('✓ ' + step.saw, fg='green')}")
    except WentWrong as wrong:
        click.echo(f"     {click.style('✗ ' + str(wrong), fg='red')}", err=True)
        return 1
    click.echo("\nThe database says exactly what it should.")
    return 0


def _serve(scene: Stage) -> None:
    """Show a first purchase, then leave shop and Stripe to the visitor until Ctrl-C."""
    from paydesk.cli.demo.story import first_purchase

    click.echo("Somebody called ada comes in and buys the e-book…\n")
    step = first_purchase(scene)
    click.echo(f"\n{click.style('✓', fg='green')} {step.did}: {step.saw}.\n")
    click.echo(_invitation(scene.shop_url, scene.stripe_url))
    # Until Ctrl-C.
    threading.Event().wait()


def _invitation(shop_url: str, stripe_url: str) -> str:
    cards = "\n".join(f"    {number}   {what}" for number, what in CARDS)
    return f"""Now you: {click.style(shop_url, bold=True)}

  The local Stripe is at {stripe_url}. Any date, any security code, any postal code, and one of these cards:
{cards}

  Every event that reaches the shop appears below. Ctrl-C closes the shop.
"""
