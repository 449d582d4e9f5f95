"""Whatever happens on the way: what the app believes is what Stripe has, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Server
from tests.sim import planted, trial
from tests.sim.planted import Bug
from tests.sim.trial import Databases

SEEDS = 60
# PostgreSQL takes twice as long, most of it for making and dropping databases.
SEEDS_ON_POSTGRES = 10
AT_ONCE = 5


@pytest.fixture(scope="session")
def files() -> Iterator[Databases]:
    """Empty databases of the app, in files on memory."""
    made = trial.Files()
    yield made
    made.close()


@pytest.fixture(scope="session")
def on_postgres(postgres_server: Server) -> Iterator[Databases]:
    """Empty databases of the app, on a real PostgreSQL."""
    made = trial.on_postgres(postgres_server)
    yield made
    made.close()


def _bad_ends(databases: Databases, first: int) -> list[str]:
    outcomes = [trial.run_in(databases, seed) for seed in range(first, first + AT_ONCE)]
    return [outcome.story() for outcome in outcomes if outcome.faults]


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_universe_ends_well(files: Databases, first: int) -> None:
    """Deliveries are doubled, shuffled, late, lost and bent; Stripe, the database and clocks fail; machines die.

    When all that is over, the mirror equals Stripe field by field, every paid order was told once and no other, no
    charge, customer, subscription or refund is doubled, and nothing is left undone.
    """
    assert _bad_ends(files, first) == []


@pytest.mark.parametrize("first", range(0, SEEDS_ON_POSTGRES, AT_ONCE))
def test_every_universe_ends_well_on_postgres(on_postgres: Databases, first: int) -> None:
    """The same where connections are really torn down, in the middle of transactions."""
    assert _bad_ends(on_postgres, first) == []


def test_a_seed_is_a_universe(files: Databases) -> None:
    """The same seed tells the same story, line by line: that is how a mistake is looked for."""
    one, again, other = (trial.run_in(files, seed) for seed in (4, 4, 5))

    assert one.history == again.history
    assert one.history != other.history


@pytest.mark.parametrize("bug", planted.BUGS, ids=lambda bug: bug.rule.replace(" ", "-"))
def test_a_broken_rule_is_noticed(files: Databases, bug: Bug) -> None:
    """Otherwise nothing above would be proved: each rule of the design, broken alone, ends a universe badly."""
    for seed in bug.seeds:
        with bug.plant():
            outcome = trial.run_in(files, seed)
        if outcome.faults:
            return
    pytest.fail(f"In {len(bug.seeds)} universes nobody noticed that no longer {bug.rule}.")
