"""docs/operations.md: it tells of every metric and every span there is, and of no other."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paydesk.billing.operations.backlog import Backlog
from paydesk.billing.operations.metrics import Metrics
from paydesk.billing.operations.tracing import ATTRIBUTES, NAMES
from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from paydesk.billing.watch import Watch
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(heading: str) -> str:
    """The names in the first column of the tables in a section."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))


def test_every_metric_is_told_of(tmp_path: Path) -> None:
    """Whoever builds a graph finds what there is."""
    store = Store.open(f"sqlite:///{tmp_path / 'app.db'}")
    migrate(store)
    found = Metrics(Backlog(store, lambda: datetime.now(UTC)), Watch()).registry.collect()

    told = set(re.findall(r"`(paydesk_\w+)", rows("Metrics")))

    assert told == {f"{one.name}_total" if one.type == "counter" else one.name for one in found}
    store.close()


def test_every_span_is_told_of() -> None:
    """With what it carries."""
    section = PAGE.partition("## Spans\n")[2].partition("\n## ")[0]

    assert set(re.findall(r"`(paydesk\.\w+)`", rows("Spans"))) == set(NAMES.values())
    assert [name for name in ATTRIBUTES.values() if f"`{name}`" not in section] == []
