"""Whatever happens on the way: what the app believes is what Stripe has, and nothing happens twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim import trial

SEEDS = 40
AT_ONCE = 4


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the app."""
    return trial.database(tmp_path_factory.mktemp("sim"))


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_universe_ends_well(template: Path, first: int) -> None:
    """Deliveries are doubled, shuffled, late, lost and bent; Stripe and the database fail; machines die at any commit.

    When all that is over, the mirror equals Stripe field by field, every paid order was told once and no other, no
    charge, customer or refund is doubled, and nothing is left undone.
    """
    outcomes = [trial.run(seed, template) for seed in range(first, first + AT_ONCE)]

    assert [outcome.story() for outcome in outcomes if outcome.faults] == []


def test_a_seed_is_a_universe(template: Path) -> None:
    """The same seed tells the same story, line by line: that is how a mistake is looked for."""
    one, again, other = (trial.run(seed, template) for seed in (4, 4, 5))

    assert one.history == again.history
    assert one.history != other.history
