"""Progress: how far long work has come, shown on a terminal and nowhere else."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID


class Steps(AbstractContextManager["Steps"]):
    """A line for each thing that is gone through, with what was found on the way. Standard output stays clean."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        if not is_quiet and sys.stderr.isatty():
            self._progress = _lines()

    def __enter__(self) -> Steps:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, name: str, looked_at: int, found: int, *, is_done: bool = False) -> None:
        """How far one of them is."""
        if self._progress is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name.replace("_", " "), total=None, found=0)
        total = looked_at if is_done else None
        self._progress.update(self._tasks[name], completed=looked_at, total=total, found=found)


def _lines() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:>7.0f} looked at"),
        TextColumn("{task.fields[found]:>5} found"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
