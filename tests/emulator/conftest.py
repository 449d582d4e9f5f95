"""What tests of the local Stripe may ask for besides a client: somebody to deliver to, and the controls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on loopback."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def controls(local_stripe: LocalStripe, key: str) -> Iterator[Controls]:
    """The controls of this test's sandbox."""
    controls = Controls(local_stripe.url, key)
    yield controls
    controls.close()
