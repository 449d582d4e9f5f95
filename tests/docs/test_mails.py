"""docs/mails.md: every kind of mail is on it, with the facts that lead to it."""

from __future__ import annotations

import re

from paydesk.billing.mails.mails import KINDS_OF
from paydesk.billing.post import KINDS
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "mails.md").read_text(encoding="utf-8")


def test_every_kind_of_mail_is_on_the_page_with_its_facts() -> None:
    """Whoever wonders why a mail came, or did not, finds what it is about."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", PAGE, flags=re.MULTILINE)
    told = {kind: set(re.findall(r"`([A-Z]\w+)`", when)) for kind, when in rows}
    facts = {kind: {fact.__name__ for fact, kinds in KINDS_OF.items() if kind in kinds} for kind in KINDS}

    assert told == facts
