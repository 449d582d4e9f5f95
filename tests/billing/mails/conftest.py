"""A mail server for every test here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.billing.mailbox import Mailbox, mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened
