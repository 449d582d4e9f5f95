"""docs/guarantees.md: every promise names tests, and every test it names is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises() -> dict[str, str]:
    """Each promise, and what is said about it."""
    _, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    return {promise: text for promise, _, text in (section.partition("\n") for section in sections)}


@pytest.mark.parametrize("promise", promises())
def test_a_promise_names_tests_that_are_there(promise: str) -> None:
    """Whoever doubts one can run what shows it."""
    named = _NAMED.findall(promises()[promise])
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or f"\ndef {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]

    assert len(named) >= 3
    assert missing == []


def test_every_file_the_page_speaks_of_is_there() -> None:
    """A test's file is never named without the test."""
    assert set(re.findall(r"tests/[\w/]+\.py", PAGE)) - {file for file, _ in _NAMED.findall(PAGE)} == {
        "tests/stories/test_every_known_failure_has_its_test.py"
    }
