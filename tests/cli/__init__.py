"""Commands, tried as a person would: by name, in some folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from paydesk.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent.parent

# Found from any folder.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def run(*arguments: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, from its words to its exit code; a process would take a second to start."""
    with contextlib.chdir(folder):
        ended = CliRunner().invoke(main, arguments, env=environment, catch_exceptions=False)
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)
