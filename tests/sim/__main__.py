"""`./run sim [--seeds N] [--from K] [--postgres] [--jobs J] [--story]`: as many universes as you have time for.

A seed that ends badly is printed with what is wrong, and with its whole history where that is asked for. It ends the
same way every time: `./run sim --from SEED --seeds 1 --story`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from tests import postgres
from tests.sim import trial

if TYPE_CHECKING:
    from tests.sim.trial import Outcome

# Enough at a time that a process is rarely asked, few enough that progress is seen.
AT_ONCE = 5


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many universes.")
@click.option("--from", "first", default=0, show_default=True, help="The first seed.")
@click.option("--postgres", "is_on_postgres", is_flag=True, help="Let the app keep its tables in a real PostgreSQL.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="How many at a time.")
@click.option("--story", is_flag=True, help="Print the whole history of those that end badly.")
def main(seeds: int, first: int, jobs: int, *, is_on_postgres: bool, story: bool) -> None:
    """Simulate people, machines, a network and a Stripe that all fail, and look whether the money is right."""
    console = Console()
    with ExitStack() as opened:
        server = opened.enter_context(postgres.launch()) if is_on_postgres else None
        pool = opened.enter_context(ProcessPoolExecutor(jobs))
        progress = opened.enter_context(Progress(console=console, transient=True))
        task, bad = progress.add_task("Universes", total=seeds), list[int]()
        starts = range(first, first + seeds, AT_ONCE)
        some = partial(run_some, server.url() if server is not None else None, first + seeds)
        for outcomes in pool.map(some, starts):
            progress.advance(task, len(outcomes))
            for outcome in outcomes:
                if outcome.faults:
                    bad.append(outcome.seed)
                    console.out(outcome.story() if story else outcome.summary(), highlight=False)
    console.out(ending(seeds, bad, is_on_postgres=is_on_postgres), highlight=False)
    sys.exit(1 if bad else 0)


def ending(seeds: int, bad: list[int], *, is_on_postgres: bool) -> str:
    """What is left on the screen, and what to do next."""
    if not bad:
        return f"{seeds} universes, and all of them ended well."
    where = " --postgres" if is_on_postgres else ""
    return (
        f"{seeds} universes, of which {len(bad)} ended badly: {', '.join(map(str, bad[:20]))}.\n"
        f"The whole story of one:  ./run sim --from {bad[0]} --seeds 1 --story{where}"
    )


def run_some(server_url: str | None, end: int, start: int) -> list[Outcome]:
    """A few universes, one after the other, in a process of the pool."""
    with _databases(server_url) as databases:
        return [trial.run_in(databases, seed) for seed in range(start, min(start + AT_ONCE, end))]


@contextmanager
def _databases(server_url: str | None) -> Iterator[trial.Databases]:
    databases = trial.on_postgres(postgres.Server(server_url)) if server_url else trial.Files()
    try:
        yield databases
    finally:
        databases.close()


if __name__ == "__main__":
    main()
