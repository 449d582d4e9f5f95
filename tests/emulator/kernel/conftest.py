"""What the tests of the kernel share: plain HTTP, beside the official client."""

from __future__ import annotations

import pytest

from tests.conftest import LocalStripe
from tests.emulator.wire import Wire


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """Plain HTTP with the key of an empty sandbox."""
    return Wire(local_stripe.url, key)
