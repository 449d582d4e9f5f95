"""docs/testing.md: its app, its tests and its commands run as pasted."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, LocalStripe
from tests.docs.blocks import blocks
from tests.docs.curl import sent_as_curl_sends
from tests.emulator.wire import Wire
from tests.inner_runs import LOADED

PAGE = "docs/testing.md"
WITHOUT_PYTEST = """
import sys, unittest
sys.modules["pytest"] = None
unittest.main("test_with_unittest", argv=["unittest", "-v"])
"""


def paste(folder: Path) -> None:
    """Every block into the file that its first line names."""
    for code in [*blocks(PAGE, "toml"), *blocks(PAGE, "python")]:
        first, _, rest = code.partition("\n")
        if first.startswith("# "):
            with folder.joinpath(first.removeprefix("# ")).open("a") as file:
                file.write(rest)


def test_the_app_and_its_tests_run_as_pasted(pytester: pytest.Pytester) -> None:
    """With the options, the catalog and the tables of the page, and nothing else."""
    paste(pytester.path)

    assert LOADED
    result = pytester.runpytest_inprocess("-p", "paydesk.testing.plugin", "test_shop.py")

    result.assert_outcomes(passed=7)


def test_unittest_runs_as_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, which ends in order and has no pytest."""
    paste(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_PYTEST],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "test_a_member_stays_a_member" in ran.stderr
    assert ran.stderr.rstrip().endswith("OK")
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".db"} == set()


def test_the_curl_commands_do_what_the_page_says(local_stripe: LocalStripe, key: str) -> None:
    """In whichever sandboxes: here in two that nobody has used."""
    told = [line for block in blocks(PAGE, "sh") for line in block.splitlines() if line.startswith("curl ")]
    replies = {}
    for command in told:
        words = shlex.split(command)
        name = words[words.index("-u") + 1].removeprefix("sk_test_").removesuffix(":")
        wire = Wire(local_stripe.url, f"{key}{name}")
        replies[command] = sent_as_curl_sends(wire, command.replace("from=sk_test_", f"from={key}"))
        if "/_local/copy" in command:
            assert b"ebook" in wire.get("/v1/prices").body

    assert {command: reply.status for command, reply in replies.items() if reply.status != 200} == {}
    assert b"ebook" not in Wire(local_stripe.url, f"{key}one").get("/v1/prices").body
