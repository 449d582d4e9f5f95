"""`manage.py paydesk …`: paydesk's commands, at the project's own desk."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from paydesk.cli import main
from paydesk.cli.desks import Host
from paydesk.django.lazy import desk


class Command(BaseCommand):
    """Everything after `paydesk` is said to paydesk."""

    help = "Stripe's events, handlers, sync, verify, worker: `manage.py paydesk --help` lists them."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """From a shell: its arguments as they are."""
        _run(argv[2:], f"{argv[0]} {argv[1]}", is_standalone=True)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arguments", nargs=argparse.REMAINDER)

    def handle(self, *_: Any, **options: Any) -> None:
        """From `call_command("paydesk", "events", "list")`."""
        _run(options["arguments"], "manage.py paydesk", is_standalone=False)


def _run(arguments: list[str], program: str, *, is_standalone: bool) -> None:
    host = Host(lambda: desk, migrate="manage.py migrate")
    main.main(arguments, program, standalone_mode=is_standalone, obj=host)
