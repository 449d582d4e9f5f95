"""`paydesk stripe`: a local Stripe, until it is interrupted."""

from __future__ import annotations

import errno
import ipaddress
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

    from paydesk.emulator.faults.armory import Order

# Any sk_test_… key opens a sandbox; this is the one we name.
KEY = "sk_test_your_shop"


@click.command()
@click.option("--port", default=12111, show_default=True, help="Port to listen on; 0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--memory", is_flag=True, help="Keep nothing: forget everything at the end.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep everything in.  [default: .paydesk]",
)
@click.option("--strict", is_flag=True, help="Refuse parameters that have no effect here.")
@click.option("--rate-limits", is_flag=True, help="Answer 429 above Stripe's rate limits.")
@click.option("--seed", metavar="TEXT", help="Mint the same ids each time a sandbox starts empty.")
@click.option("--deliver-anywhere", is_flag=True, help="Deliver events to other machines too.")
@click.option(
    "--fault",
    "faults",
    metavar="NAME=RATE",
    multiple=True,
    help="Let a share of deliveries or requests go wrong: drop=0.05, error=0.1,status=429. May be repeated.",
)
def stripe(
    port: int,
    host: str,
    memory: bool,
    data: Path | None,
    strict: bool,
    rate_limits: bool,
    seed: str | None,
    deliver_anywhere: bool,
    faults: tuple[str, ...],
) -> None:
    """Run a local Stripe for any official SDK, with hosted pages, test cards and signed webhooks."""
    if memory and data is not None:
        raise click.UsageError("--memory keeps nothing and --data keeps everything: choose one of them.")
    from paydesk.emulator import server
    from paydesk.emulator.kernel.kernel import Options

    options = Options(strict=strict, rate_limits=rate_limits, seed=seed, deliver_anywhere=deliver_anywhere)
    folder = None if memory else data or Path(".paydesk")
    standing = [_fault(text) for text in faults]
    with listen(port, host) as listening:
        try:
            ready = server.build(listening, folder, options, faults=standing)
        except (OSError, sqlite3.Error) as error:
            raise unusable(folder, error) from None
        url = server.url_of(listening)
        # Programs that start us read this line; people read the rest.
        click.echo(f"The local Stripe listens on {url}")
        click.echo(_welcome(url, folder))
        if faults:
            click.echo(f"  Going wrong on purpose: {' '.join(faults)}\n")
        if not ipaddress.ip_address(listening.getsockname()[0]).is_loopback:
            click.echo(
                f"Warning: with --host {host}, everybody who can reach this machine can use this local Stripe "
                "and read what is in it.",
                err=True,
            )
        server.serve(ready, listening)


def _fault(text: str) -> Order:
    from paydesk.emulator.control.faults import read

    try:
        return read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None


def listen(port: int, host: str = "127.0.0.1", option: str = "--port") -> socket.socket:
    """A listening socket, or a sentence that says why there is none."""
    from paydesk.emulator import server

    try:
        return server.listen(port, host)
    except OverflowError:
        raise click.BadParameter(f"{port} is not a port; ports go from 0 to 65535.", param_hint=option) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"Port {port} is taken, perhaps by another local Stripe or by stripe-mock. "
                f"Stop it, or choose another port: {option} 0 picks a free one."
            ) from None
        raise click.ClickException(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from None


def unusable(folder: Path | None, error: Exception) -> click.ClickException:
    """What to do about a folder that cannot hold the state."""
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return click.ClickException(
            f"Another local Stripe keeps its state in {folder}. Stop it, or choose another folder with --data."
        )
    return click.ClickException(f"The local Stripe cannot keep its state in {folder}: {error}")


def _welcome(url: str, folder: Path | None) -> str:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return f"""
  Secret key   {KEY}  (any sk_test_… key opens a sandbox of its own)
  Python       stripe.StripeClient("{KEY}", base_addresses={{"api": "{url}"}})
  Node         new Stripe("{KEY}", {{ host: "{host}", port: {port}, protocol: "http" }})
  paydesk      STRIPE_API_BASE={url}
  Test card    4242 4242 4242 4242, any future date, any CVC
  State        {"forgotten at the end" if folder is None else f"kept in {folder}"}

  Ctrl-C stops it.
"""
