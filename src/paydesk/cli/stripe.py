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
@click.option("--seed", help="Give every sandbox that starts empty the same ids each time.")
@click.option("--strict", is_flag=True, help="Refuse parameters that are without effect here.")
@click.option("--rate-limits", is_flag=True, help="Limit requests a second, as Stripe does.")
def stripe(port: int, memory: bool, data: Path, seed: str | None, strict: bool, rate_limits: bool) -> None:
    """Run a local Stripe for any official SDK, with hosted pages, test cards and signed webhooks."""
    from paydesk.emulator import server
    from paydesk.emulator.kernel.kernel import Options

    listening = server.listen(port)
    click.echo(f"The local Stripe listens on {server.url_of(listening)}")
    options = Options(strict=strict, rate_limits=rate_limits, seed=seed)
    server.serve(listening, None if memory else data, options)
