"""`./run sim [--seeds N] [--from K] [--story]`: as many universes as you have time for.

A seed that ends badly is printed with what is wrong, and with its whole history where that is asked for. It ends the
same way every time: `./run sim --from SEED --seeds 1 --story`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
from rich.progress import track

from tests.sim import trial


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many universes.")
@click.option("--from", "first", default=0, show_default=True, help="The first seed.")
@click.option("--story", is_flag=True, help="Print the history of those that end badly.")
def main(seeds: int, first: int, story: bool) -> None:
    """Simulate people, machines, a network and a Stripe that all fail, and look whether the money is right."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(os.cpu_count()) as pool:
        template = trial.database(Path(folder))
        outcomes = pool.map(trial.run, range(first, first + seeds), [template] * seeds)
        bad = []
        for outcome in track(outcomes, total=seeds, description="Universes", transient=True):
            if outcome.faults:
                bad.append(outcome.seed)
                click.echo(outcome.story() if story else f"seed {outcome.seed}: {outcome.faults[0]}")
    click.echo(f"{seeds} universes, {len(bad)} ended badly")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
