"""./run: the one door, and what it says when something is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call it as a person without any rights or settings would."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("CI", "ALLOW_APT")}
    return subprocess.run(
        ["./run", *arguments], cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False
    )


def test_it_says_what_it_can_do() -> None:
    """Called with nothing, it helps."""
    said = run()

    assert said.returncode == 0
    assert "./run demo" in said.stdout
    assert "./run test" in said.stdout


def test_without_debians_packages_the_tests_stop_and_name_them(tmp_path: Path) -> None:
    """Nothing is installed behind anyone's back, and no test is skipped to be green."""
    nothing_installed = tmp_path / "dpkg-query"
    nothing_installed.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    nothing_installed.chmod(0o755)

    said = run("test", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert said.returncode == 1
    assert "chromium-headless-shell" in said.stderr
    assert "libatomic1" in said.stderr
    assert "nats-server" in said.stderr
    assert "ALLOW_APT=1 ./run test" in said.stderr


def test_without_npm_packages_the_tests_stop_and_say_so(tmp_path: Path) -> None:
    """Nobody is told that Node's SDK works by a test that did not run."""
    prepared = Path(os.environ["TEST_NODE"]).parent
    for name in ("node", "uv"):
        (tmp_path / name).symlink_to(prepared / name)
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}

    said = run("test", PAYDESK_ENVIRONMENTS=str(tmp_path), npm_config_cache=str(tmp_path / "cache"), **nowhere)

    assert said.returncode == 1
    assert "Stripe's SDK for Node (requirements/npm/package.json)" in said.stderr
    assert "ECONNREFUSED" in said.stderr


def test_without_a_new_enough_python_it_says_so(tmp_path: Path) -> None:
    """The first thing a newcomer may lack is named, with what to do."""
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        old = tmp_path / name
        old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        old.chmod(0o755)

    said = run("demo", PATH=f"{tmp_path}:{os.environ['PATH']}", PAYDESK_ENVIRONMENTS=str(tmp_path / "environments"))

    assert said.returncode == 1
    assert "paydesk needs Python 3.11 or newer" in said.stderr
