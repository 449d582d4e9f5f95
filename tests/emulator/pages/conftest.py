"""What tests of the pages may ask for."""

from __future__ import annotations

import pytest

from tests.conftest import LocalStripe
from tests.emulator.wire import Wire


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)
