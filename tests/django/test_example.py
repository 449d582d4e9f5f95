"""The Django shop of examples/: its own tests, run as its author runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.postgres import Server


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_examples_own_tests_pass(kind: str, request: pytest.FixtureRequest) -> None:
    """`manage.py test` makes its database, on SQLite in memory, and can drop it at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "DATABASE_URL": ""}
    server: Server | None = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    name = server.create() if server is not None else ""
    if server is not None:
        environment["DATABASE_URL"] = server.url(name)

    ran = subprocess.run(
        [sys.executable, "manage.py", "test", "--noinput"],
        cwd=ROOT / "examples" / "django_shop",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "Ran 4 tests" in ran.stderr
    assert "Destroying test database" in ran.stderr
    if server is not None:
        server.drop(name)
