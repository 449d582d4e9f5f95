"""`paydesk stripe`: a local Stripe, until it is interrupted."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--port", default=12111, show_default=True, help="Port to listen on; 0 picks a free one.")
@click.option("--memory", is_flag=True, help="Keep nothing: forget everything at the end.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".paydesk"),
    show_default=True,
    help="Folder to keep everything in.",
)
def stripe(port: int, memory: bool, data: Path) -> None:
    """Run a local Stripe for any official SDK, with hosted pages, test cards and signed webhooks."""
    from paydesk.emulator import server

    listening = server.listen(port)
    click.echo(f"The local Stripe listens on {server.url_of(listening)}")
    server.serve(listening, None if memory else data)
