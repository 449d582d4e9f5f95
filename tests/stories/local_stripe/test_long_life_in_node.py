"""The same long life through Stripe's official SDK for Node: the same story, to the cent and to the event."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import LocalStripe
from tests.stories.local_stripe.long_life import LIFE
from tests.stories.local_stripe.story import plain

SCRIPT = Path(__file__).parent / "node" / "long_life.cjs"


@pytest.fixture
def node() -> Path:
    """The folder in which `./run test` puts Node and Stripe's SDK for it."""
    folder = os.environ.get("TEST_NODE")
    assert folder is not None, "TEST_NODE names no folder: run the tests by ./run test, which prepares one"
    return Path(folder)


@pytest.mark.parametrize("clock", ["test", "sandbox"])
def test_a_life_is_the_same_in_node(clock: str, node: Path, local_stripe: LocalStripe, key: str) -> None:
    """The script asserts on its way; what it tells in the end is what Python tells, event for event."""
    where = {"NODE_PATH": str(node / "node_modules"), "STRIPE_API_BASE": local_stripe.url, "STRIPE_SECRET_KEY": key}

    lived = subprocess.run([node / "node", SCRIPT, clock], env=where, capture_output=True, text=True, check=False)

    assert lived.returncode == 0, lived.stderr
    assert json.loads(lived.stdout) == plain(LIFE)
