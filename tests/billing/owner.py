"""A shop whose webhooks are lost, and the commands that put it right, called as its owner would."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.billing.paying import pay
from tests.billing.till import CATALOG, WEBHOOK_SECRET, Till
from tests.cli import ENVIRONMENT, run
from tests.emulator.controls import Controls

if TYPE_CHECKING:
    from pathlib import Path


class Owner:
    """Somebody at a terminal, with the shop's Secrets."""

    def __init__(self, till: Till, database_url: str, folder: Path) -> None:
        self.till = till
        self.folder = folder
        key = till.settings.stripe_secret_key.get_secret_value()
        catalog = folder / "paydesk.toml"
        catalog.write_text(CATALOG, encoding="utf-8")
        self.secrets = {
            **ENVIRONMENT,
            "BASE_URL": till.settings.base_url,
            "DATABASE_URL": database_url,
            "STRIPE_API_BASE": till.wire.url,
            "STRIPE_SECRET_KEY": key,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        self.controls = Controls(till.wire.stripe_url, key)
        self.is_broken = False
        self.delivered: list[str] = []

    def runs(self, *arguments: str, **secrets: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself, in this process."""
        return run(*arguments, folder=self.folder, environment=self.secrets | secrets)

    def watches(self, *arguments: str) -> str:
        """What a command shows beside its output to somebody at a terminal."""
        ours, terminal = os.openpty()
        command = [sys.executable, "-m", "paydesk", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=terminal, cwd=self.folder, env=self.secrets
        ) as running:
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):  # the terminal hangs up with the command
                while part := os.read(ours, 4096):
                    shown += part
        os.close(ours)
        assert running.returncode == 0
        return shown.decode()

    def starts(self, *arguments: str) -> subprocess.Popen[str]:
        """A command in a process of its own: it can be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "paydesk", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.secrets,
        )

    def reads(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints for programs."""
        ended = self.runs(*arguments, "--json")
        assert (ended.returncode, ended.stderr) == (code, ""), (ended.returncode, ended.stderr)
        return json.loads(ended.stdout)

    def works(self) -> None:
        """The app does what is due by the time that the commands go by."""
        self.till.clock.moment = datetime.now(UTC)
        self.till.desk.work()

    def sells(self) -> str:
        """An order, paid for, of which no webhook tells; answers its id."""
        checkout = self.till.desk.checkout("ebook")
        pay(checkout.url)
        self.controls.push(60)  # what follows a payment by itself has happened too
        return checkout.order.id
