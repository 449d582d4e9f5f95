"""A shop's owner at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.billing.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.billing.till import Till


@pytest.fixture
def owner(till: Till, database_url: str, tmp_path: Path) -> Iterator[Owner]:
    opened = Owner(till, database_url, tmp_path)
    yield opened
    opened.controls.close()
