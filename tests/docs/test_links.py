"""The documents' links lead somewhere."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT, documents

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


def test_every_link_inside_the_project_leads_to_a_file() -> None:
    """A reader who follows a link finds what it promised."""
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in documents()
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []
