"""The rules of the house that a tool can hold."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES_MAX = 450

# Secrets by their shape. What tests and docs use is plainly made up: it says so, or it is short.
KEY_SHAPE = re.compile(r"\b(?:[sr]k_(?:live|test)|whsec)_(?!local_)[A-Za-z0-9]{20,}")
LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|NotImplementedError")
SKIPPED = re.compile(r"pytest\.(?:mark\.)?(?:skip|xfail)|pytest\.importorskip|@unittest\.skip")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project that git keeps and that is there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def python_files(*folders: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def offences(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Where a pattern occurs: `file:line: text`."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_room_fits_in_the_head() -> None:
    """A file that grew past what one can hold has a noun that wants to move out."""
    halls = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in python_files("src", "tests", "bench", "examples")
        if (lines := text_of(path).count("\n")) > LINES_MAX
    ]

    assert halls == []


def test_every_module_says_what_it_is_for() -> None:
    """The first sentence of a file is for the person who opens it."""
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files("src", "bench", "examples")
        if text_of(path).strip() and ast.get_docstring(ast.parse(text_of(path))) is None
    ]

    assert silent == []


def test_nothing_is_left_for_later() -> None:
    """What is not done is not in the tree."""
    assert offences(LATER, python_files("src", "tests", "bench", "examples")) == []


def test_no_test_is_skipped() -> None:
    """A test that may not run proves nothing on the day it is needed."""
    assert offences(SKIPPED, python_files("tests")) == []


def test_no_test_sleeps_for_luck() -> None:
    """Time is moved, or an event is waited for; a sleep is slow on good days and wrong on bad ones."""
    assert offences(re.compile(r"\btime\.sleep\("), python_files("tests")) == []


def test_no_secret_is_in_the_tree() -> None:
    """A key in a repository is a key on the street."""
    texts = [path for path in tracked() if path.suffix not in {".png", ".ico"} and path.name != "stripe-schema.json"]

    assert offences(KEY_SHAPE, texts) == []


@pytest.mark.parametrize("name", ["bench", "node", "run", "test", "uv"])
def test_requirement_files_carry_hashes_and_no_hosts(name: str) -> None:
    """Whoever installs us chooses where from, and gets exactly what we tested."""
    lines = text_of(ROOT / "requirements" / f"{name}.txt").splitlines()
    packages = [line for line in lines if "==" in line]

    assert packages
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    assert all(line.rstrip().endswith("\\") for line in packages), "a package without a hash"


def test_npm_packages_carry_hashes_and_no_hosts() -> None:
    """The same for what comes from npm."""
    lock = text_of(ROOT / "requirements" / "npm" / "package-lock.json")
    packages = {name: package for name, package in json.loads(lock)["packages"].items() if name}

    assert packages
    assert "://" not in lock
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_every_migration_has_its_twin_in_djangos_history() -> None:
    """A table that is new has one file more, or Django projects never get it: copy the last, change the number."""
    ours, djangos = "src/paydesk/billing/store/migrations/versions", "src/paydesk/django/migrations"

    steps = [{path.name for path in (ROOT / folder).glob("[0-9]*.py")} for folder in (ours, djangos)]

    assert steps[0] == steps[1]


def test_pages_need_nothing_from_outside() -> None:
    """No font, script, style or picture comes from another machine: everything works offline."""
    outside = re.compile(r"""(?:src|href|action)\s*=\s*["']https?://|@import\s+url\(|url\(\s*["']?https?://""")

    assert offences(outside, [path for path in tracked() if path.suffix in {".html", ".css", ".jinja", ".js"}]) == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """A clone must be at home anywhere."""
    elsewhere = re.compile(r"/(?:root|home/[a-z]+|work)/")

    assert offences(elsewhere, [path for path in tracked() if path.suffix not in {".json", ".png"}]) == []
