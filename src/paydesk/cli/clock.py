"""`paydesk clock`: the time in a local Stripe's sandbox, and pushing it forward."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from paydesk.cli.controls import asks_local_stripe

if TYPE_CHECKING:
    from paydesk.cli.controls import Controls

LOOK_AGAIN_SECONDS = 0.25


@click.group()
def clock() -> None:
    """Push a local Stripe's time forward, or see what time it is there."""


@clock.command()
@asks_local_stripe
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def show(*, controls: Controls, is_json: bool) -> None:
    """Show the time in the sandbox."""
    seen = controls.get("/clock")
    if is_json:
        click.echo(json.dumps(seen))
        return
    click.echo(f"{_moment(seen['now'])}, {_ahead(seen['ahead'])}")
    click.echo(
        "Nothing is due."
        if seen["next_due"] is None
        else f"The next thing is due {_moment(max(seen['next_due'], seen['now']))}."
    )


@clock.command()
@click.argument("span", nargs=-1)
@click.option(
    "--to",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    metavar="MOMENT",
    help="Push it to this moment in UTC instead: 2030-01-01, or 2030-01-01T12:00.",
)
@asks_local_stripe
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def advance(*, span: tuple[str, ...], to: datetime | None, controls: Controls, is_json: bool) -> None:
    """Push the sandbox's time forward. Whatever is due on the way happens, in order, and is delivered.

    \b
    paydesk clock advance 1month
    paydesk clock advance 10d
    paydesk clock advance 1 year 2 days 3 hours
    paydesk clock advance --to 2030-01-01
    """
    if bool(span) == (to is not None):
        raise click.UsageError("Say how far: paydesk clock advance 1month, or paydesk clock advance --to 2030-01-01")
    fields: dict[str, Any] = {"by": " ".join(span)} if to is None else {"to": int(to.replace(tzinfo=UTC).timestamp())}
    began = controls.get("/clock")["now"]
    ended = _push(controls, fields)
    if is_json:
        click.echo(json.dumps({"from": began, **ended}))
        return
    things = "1 thing" if ended["played"] == 1 else f"{ended['played'] or 'nothing'}{' things' * (ended['played'] > 1)}"
    click.echo(f"{_moment(began)} → {_moment(ended['now'])}: {things} happened.")


def _push(controls: Controls, fields: dict[str, Any]) -> dict[str, Any]:
    """Push, and show on a terminal how far it has come."""
    outcome: Future[dict[str, Any]] = Future()

    def ask() -> None:
        try:
            outcome.set_result(controls.post("/clock/advance", fields, timeout_seconds=None))
        except BaseException as error:
            outcome.set_exception(error)

    # Whoever presses Ctrl-C does not wait for it: what the server was told, it does to the end.
    threading.Thread(target=ask, daemon=True).start()
    while not (done := wait([outcome], LOOK_AGAIN_SECONDS).done):
        _show_progress(controls.get("/clock"))
    _clear_progress()
    return done.pop().result()


def _show_progress(seen: dict[str, Any]) -> None:
    if sys.stderr.isatty() and seen["target"] is not None:
        click.echo(f"\r\033[K{_moment(seen['now'])}, on the way to {_moment(seen['target'])}", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ahead(seconds: int) -> str:
    if seconds == 0:
        return "the time outside"
    days, rest = divmod(abs(seconds), 24 * 3600)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{amount} {unit}{'s' * (amount != 1)}"
        for amount, unit in ((days, "day"), (hours, "hour"), (minutes, "minute"), (left, "second"))
        if amount
    ]
    # Two units tell how far; a push takes a few seconds of the time outside itself.
    return f"{' '.join(parts[:2])} {'ahead of' if seconds > 0 else 'behind'} the time outside"
