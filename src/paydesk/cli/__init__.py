"""The `paydesk` command. To add one, write its file and name it here; it is imported when it is called."""

from __future__ import annotations

import importlib

import click

# (name, module under paydesk.cli holding a click command of that name, what it does)
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("stripe", "stripe", "Run a local Stripe."),
    ("dev", "dev", "Run your app beside a local Stripe, wired to it."),
    ("demo", "demo", "Watch a first paid customer, on this machine."),
    ("clock", "clock", "Push a local Stripe's time forward, or see what time it is there."),
    ("worker", "worker", "Apply what Stripe told us, in a process of its own."),
    ("sync", "sync", "Fetch from Stripe what never arrived."),
    ("verify", "verify", "Hold the mirror against Stripe, and repair it."),
    ("events", "events", "See what Stripe told us, and try again what failed."),
    ("effects", "effects", "See what your handlers did and failed to do, and run them again."),
    ("prune", "prune", "Forget what is done and long past."),
    ("relay", "relay", "Tell other services what happened, through NATS JetStream."),
    ("migrate", "migrate", "Bring the database's tables up to date."),
)


class Lazy(click.Group):
    """A group whose commands are imported only when they are used: a command starts as fast as its own imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name, module, _ in COMMANDS:
            if name == cmd_name:
                command: click.Command = getattr(importlib.import_module(f"paydesk.cli.{module}"), name)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, _, does in COMMANDS])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="paydesk", version="0.1.0", message="%(prog)s %(version)s")
def main() -> None:
    """Stripe for a Python web app, from API keys to first paid customer."""
