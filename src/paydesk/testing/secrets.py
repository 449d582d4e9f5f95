"""The Secrets an app finds while it is imported for its tests: those of a Stripe that nobody can reach.

Whatever real ones the machine has are put aside, so that no test can reach the real Stripe, or a database that matters.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Until a test gives the app a Stripe of its own, it has one that does not answer.
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_nobody",
    "STRIPE_WEBHOOK_SECRET": "whsec_paydesk_testing",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "BASE_URL": "http://testserver",
    "PAYDESK_WORKER": "0",
}
_FOREIGN = ("STRIPE_PRICE_", "STRIPE_PUBLISHABLE_KEY", "MAIL_URL")
# What is flushed to a disk is not what is tested: where there is a folder in memory, it is taken.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def new_folder() -> Path:
    """A folder for the database of one run of tests."""
    return Path(tempfile.mkdtemp(prefix="paydesk-tests-", dir=_MEMORY if _MEMORY.is_dir() else None))


class Given:
    """Secrets in the environment, until they are taken back."""

    def __init__(self) -> None:
        self._folder = new_folder()
        self.database_url = f"sqlite:///{self._folder / 'app.db'}"
        given = {**SECRETS, "DATABASE_URL": self.database_url}
        foreign = [name for name in os.environ if name.startswith(_FOREIGN)]
        self._before = {name: os.environ.pop(name, None) for name in (*given, *foreign)}
        os.environ.update(given)

    def take_back(self) -> None:
        """Leave the environment, and the disk, as they were."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self._folder, ignore_errors=True)
