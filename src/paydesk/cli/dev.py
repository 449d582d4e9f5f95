"""`paydesk dev -- CMD`: your app beside a local Stripe, wired to it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from paydesk.emulator.deliveries.sender import Attempted

# A command that a signal ended is known by it, as shells say it.
BY_SIGNAL = 128
REASON_CHARACTERS_MAX = 120


class NotFound(click.ClickException):
    """There is no such command: 127, as shells say it."""

    exit_code = 127


class NotRunnable(click.ClickException):
    """The command is there and cannot be run: 126, as shells say it."""

    exit_code = 126


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where your app will listen.")
@click.option("--stripe-port", default=12111, show_default=True, help="Port of the local Stripe; 0 picks a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".paydesk"),
    show_default=True,
    help="Folder to keep the local Stripe's state in.",
)
@click.option(
    "--catalog",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("paydesk.toml"),
    envvar="PAYDESK_CATALOG",
    show_default=True,
    help="What you sell; pushed to the local Stripe if it is there.",
)
@click.option("--quiet", is_flag=True, help="Do not show events as they land.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def dev(url: str, stripe_port: int, data: Path, catalog: Path, quiet: bool, command: tuple[str, ...]) -> None:
    """Run your app beside a local Stripe: Secrets set, webhooks wired, catalog pushed.

    \b
    paydesk dev -- uvicorn app:app --reload
    """
    if not command:
        raise click.UsageError("Say what to run after two dashes: paydesk dev -- uvicorn app:app --reload")
    base_url = _base_url(url)
    program = shutil.which(command[0])
    if program is None:
        raise NotFound(f"{command[0]}: there is no such command. Is it installed, and is its environment active?")
    from paydesk.cli import stripe as local
    from paydesk.cli import wiring
    from paydesk.emulator import server

    with local.listen(stripe_port, option="--stripe-port") as listening:
        try:
            ready = server.build(listening, data, watch=None if quiet else show_attempt)
        except (OSError, sqlite3.Error) as error:
            raise local.unusable(data, error) from None
        stripe_url = server.url_of(listening)
        with server.in_thread(ready, listening):
            _say(f"The local Stripe listens on {stripe_url} (state in {data})")
            pushed = _push(catalog, stripe_url)
            if pushed is not None:
                _say(pushed)
            endpoint = wiring.endpoint(stripe_url, base_url, data)
            _say(f"Webhooks go to {endpoint.url}")
            _say(f"Running {shlex.join(command)}")
            environment = wiring.secrets(stripe_url, base_url, endpoint.secret, os.environ)
            code = _run([program, *command[1:]], {**environment, "PAYDESK_CATALOG": str(catalog)})
    sys.exit(code)


def _base_url(url: str) -> str:
    from paydesk.emulator.deliveries.reach import is_this_machine

    if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url):
        raise click.BadParameter(f"{url!r} is no URL such as http://127.0.0.1:8000", param_hint="--url")
    if not is_this_machine(url):
        raise click.BadParameter(f"{url} is not on this machine, and events go nowhere else.", param_hint="--url")
    return url.rstrip("/")


def _push(catalog: Path, stripe_url: str) -> str | None:
    if not catalog.exists():
        return None
    from paydesk.billing.catalog import Catalog
    from paydesk.cli import wiring
    from paydesk.errors import PaydeskError

    try:
        sold = Catalog.load(catalog)
        sold.push(wiring.client(stripe_url))
    except PaydeskError as error:
        raise click.ClickException(str(error)) from None
    return f"Pushed the catalog of {catalog}"


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run the app until it ends, passing signals on to it. Gives back its exit code."""
    try:
        app = subprocess.Popen(command, env=environment)
    except PermissionError:
        raise NotRunnable(f"{command[0]}: this file may not be run.") from None
    except OSError as error:
        raise NotRunnable(f"{command[0]}: {error.strerror}") from None
    with _passing_on(app.send_signal):
        code = app.wait()
    return code if code >= 0 else BY_SIGNAL - code


@contextmanager
def _passing_on(send: Callable[[int], None]) -> Iterator[None]:
    """Hand what we are told by signals to the app, which decides; we end when it does."""

    def pass_on(number: int, frame: Any) -> None:
        # A terminal tells Ctrl-C to the whole group of processes: the app has heard of it already.
        if number == signal.SIGINT and _is_in_foreground():
            return
        send(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def show_attempt(attempted: Attempted) -> None:
    """One line an attempt: what happened, and what the app made of it."""
    outcome = attempted.outcome
    result = str(outcome.status) if outcome.status is not None else outcome.answer[:REASON_CHARACTERS_MAX]
    again = f", attempt {attempted.attempt}" if attempted.attempt > 1 else ""
    color = "green" if outcome.is_success else "red"
    _say(f"{attempted.event_type} {click.style(f'→ {result}', fg=color)} ({outcome.duration_ms} ms{again})")


def _say(line: str) -> None:
    # Standard output is the app's alone.
    click.echo(f"{click.style('paydesk', fg='cyan')}  {line}", err=True)
