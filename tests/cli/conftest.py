"""Commands are tried from outside, with a receiver where they deliver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on loopback."""
    receiver = Receiver()
    yield receiver
    receiver.close()
