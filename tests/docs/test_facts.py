"""docs/facts.md: every fact is on it, under the key it has."""

from __future__ import annotations

import re

from paydesk.billing.facts import FACTS
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")


def test_every_fact_is_on_the_page_with_its_key() -> None:
    """Whoever writes a handler finds when exactly it is called."""
    told = dict(re.findall(r"^\| `(\w+)` \| .* \| `([a-z_.]+):<[^|]*>` \|$", PAGE, flags=re.MULTILINE))

    assert told == {fact.__name__: fact.type for fact in FACTS}
