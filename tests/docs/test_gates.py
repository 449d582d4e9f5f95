"""docs/gates.md: the catalog on it can be read, and the table of states is what the code does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.facts.subscriptions import LIVE, OVER
from paydesk.billing.gates import Access, counts
from tests.docs.blocks import ROOT, blocks

PAGE = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
STATES = re.findall(r"^\| `(\w+)` \| (yes|no|for)\b.* \| ?(on hold|nothing|) ?\|$", PAGE, flags=re.MULTILINE)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def plans() -> Catalog:
    return Catalog.parse(blocks("docs/gates.md", "toml")[0])


def test_every_state_is_in_the_table() -> None:
    """Whoever wonders about one finds it."""
    assert {status for status, _, _ in STATES} == LIVE | OVER | {"incomplete"}


@pytest.mark.parametrize(("status", "answer", "otherwise"), STATES)
def test_the_table_says_what_happens(status: str, answer: str, otherwise: str) -> None:
    """Yes, no, or for the days of grace; and whether it is on hold then."""
    pro = plans().plans["pro"]

    soon = counts(pro, status, NOW, NOW + timedelta(days=4))
    late = counts(pro, status, NOW, NOW + timedelta(days=6))

    assert (soon, late) == {"yes": (True, True), "for": (True, False), "no": (False, False)}[answer]
    assert (otherwise == "on hold") == (status in LIVE and not late)


def test_the_examples_say_what_they_say() -> None:
    """For somebody on Starter, and for somebody on Pro."""
    starter, pro = (Access((plan,)) for plan in plans().plans.values())

    assert starter.allows("projects", used=2)
    assert not starter.allows("projects", used=3)
    assert (starter.limit("projects"), pro.limit("projects")) == (3, None)
    assert pro.allows("export")
